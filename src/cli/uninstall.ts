/** `account-sync uninstall`: triggers, then tables. */
import { uninstallOnce } from '../capture/install.ts';
import { isAnyLeaseHeld } from '../db/lease.ts';
import { isInstalled } from '../db/migrate.ts';
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
      return 0;
    },
    { tables: false },
  );
}
