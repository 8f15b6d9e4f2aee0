/** `account-sync uninstall`: triggers, then tables. */
import { setTimeout as wait } from 'node:timers/promises';
import { currentAccount, uninstallOnce } from '../capture/install.ts';
import { findLeftovers } from '../capture/leftovers.ts';
import { HEARTBEAT_EVERY_MS } from '../daemon/loops/heartbeat.ts';
import { isWorkSeen, readLeases } from '../store/lease.ts';
import { isInstalled } from '../db/migrate.ts';
import type { Site } from '../site/site.ts';
import { withSite, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { formatCount } from '../runtime/figures.ts';

const LOOK_EVERY_MS = 250;
/** A busy machine is later than it should be. */
const SLOW_MS = 3_000;

/**
 * Leaves the database as it was before `install`. A daemon that runs would make the triggers again: 1 unless `force`. Leases
 * of one that was killed, or of a backup that was restored, are waited for: they run out within 30 s.
 */
export async function uninstall(
  options: CommonOptions & { readonly force?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  return withSite(
    options,
    terminal,
    async (site) => {
      const installed = await isInstalled(site.db);
      const signal = terminal.untilStopped();
      if (installed && options.force !== true && (await isDaemonAtWork(site, terminal, signal))) {
        terminal.err('A daemon of this site is at work and would install again.\n');
        terminal.err('  → Stop it first; or use --force, and stop it all the same.\n');
        return 1;
      }
      if (signal.aborted) return 130;
      const triggers = await uninstallOnce(site.db, site.snapshot().catalog, { signal });
      const isNews = installed || triggers > 0;
      terminal.out(
        isNews
          ? `Uninstalled: ${formatCount(triggers, 'trigger')} and all tables.\n`
          : 'Was not installed; nothing to do.\n',
      );
      if (isNews) await adviseOnAccount(site, terminal);
      return 0;
    },
    { tables: false },
  );
}

/**
 * Looks until no daemon can be at work any more, or one is seen at work. A daemon that waits for the leases of one that was
 * killed takes them soon after they ran out, so that is waited for too.
 */
async function isDaemonAtWork({ db }: Site, terminal: Terminal, signal: AbortSignal): Promise<boolean> {
  const first = await readLeases(db);
  const isHeld = (leases: typeof first): boolean => [...leases.values()].some(({ held }) => held);
  if (!isHeld(first)) return false;
  terminal.err('A daemon was at work within the last 30 s: looking whether one still is; this takes up to 45 s …\n');
  for (let heldAtMs = Date.now(); Date.now() < heldAtMs + HEARTBEAT_EVERY_MS + SLOW_MS;) {
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
    const now = await readLeases(db);
    if (isWorkSeen(first, now)) return true;
    if (isHeld(now)) heldAtMs = Date.now();
  }
  return false;
}

/** Whoever drops the definer of a trigger stops the writes to its table, also in a copy of the site that we may not see. */
async function adviseOnAccount({ db, snapshot }: Site, terminal: Terminal): Promise<void> {
  const { tables } = await findLeftovers(db, snapshot().catalog);
  if (tables.length > 0) terminal.err(`Left, of an installation with another prefix: ${tables.join(', ')}.\n`);
  const account = (await currentAccount(db)).replaceAll("'", '');
  terminal.err(
    'The account is not needed any more. Before DROP USER, see as an administrator that nothing runs as it:\n',
  );
  terminal.err(
    `  SELECT TRIGGER_SCHEMA, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE DEFINER = '${account}';\n`,
  );
}
