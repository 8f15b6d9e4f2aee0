/** `account-sync uninstall`: triggers, then tables. */
import { currentAccount, uninstallOnce } from '../capture/install.ts';
import { findLeftovers } from '../capture/leftovers.ts';
import { isAnyLeaseHeld } from '../db/lease.ts';
import { isInstalled } from '../db/migrate.ts';
import type { Site } from '../site/site.ts';
import { withSite, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { count } from './text.ts';

/** Leaves the database as it was before `install`. A daemon that runs would make the triggers again: 1 unless `force`. */
export async function uninstall(
  options: CommonOptions & { readonly force?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  return withSite(
    options,
    terminal,
    async (site) => {
      const installed = await isInstalled(site.db, site.own);
      if (installed && options.force !== true && (await isAnyLeaseHeld(site.db, site.own))) {
        terminal.err('A daemon of this site is at work (or was within the last 30 s) and would install again.\n');
        terminal.err('  → Stop it first; or use --force, and stop it all the same.\n');
        return 1;
      }
      const signal = terminal.untilStopped();
      const triggers = await uninstallOnce(site.db, site.parts().catalog, site.own, { signal });
      const isNews = installed || triggers > 0;
      terminal.out(
        isNews ? `Uninstalled: ${count(triggers, 'trigger')} and all tables.\n` : 'Was not installed; nothing to do.\n',
      );
      if (isNews) await adviseOnAccount(site, terminal);
      return 0;
    },
    { tables: false },
  );
}

/** Whoever drops the definer of a trigger stops the writes to its table, also in a copy of the site that we may not see. */
async function adviseOnAccount({ db, own, parts }: Site, terminal: Terminal): Promise<void> {
  const { tables } = await findLeftovers(db, parts().catalog, own);
  if (tables.length > 0) terminal.err(`Left, of an installation with another prefix: ${tables.join(', ')}.\n`);
  const account = (await currentAccount(db)).replaceAll("'", '');
  terminal.err(
    'The account is not needed any more. Before DROP USER, see as an administrator that nothing runs as it:\n',
  );
  terminal.err(
    `  SELECT TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE DEFINER = '${account}';\n`,
  );
}
