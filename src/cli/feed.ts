/** `account-sync feed PEER`: pulls all existing users of a peer. */
import { plannedUsers, type PlannedUser } from '../feed/planned.ts';
import { NOTHING_FED, type FeedSums, type RemovedThere } from '../feed/puller.ts';
import { ERRORS, SyncError } from '../model/errors.ts';
import { TRUST_OF_A_PEER } from '../model/proof.ts';
import type { Site } from '../site/site.ts';
import {
  readConfig,
  requirePeer,
  withSite,
  writeJson,
  type DataOptions,
  type ExitCode,
  type Terminal,
} from './context.ts';
import { plannedLine } from './feed-plan.ts';
import { afterPage } from './stop-after-page.ts';
import { startProgress } from './progress.ts';
import { feedByDaemon, type FeedCommand } from './running-daemon.ts';

/** Flags of the command. */
export interface FeedFlags extends DataOptions {
  readonly dryRun?: boolean;
  readonly restart?: boolean;
  readonly once?: boolean;
  readonly overwrite?: boolean;
}

/**
 * The last line on stdout is the progress in the plugin's words, also where the feed did not come to its end. 3 if
 * something was parked. Where a daemon runs and the config has an admin token, the daemon does the work.
 */
export async function feed(peer: string, flags: FeedFlags, terminal: Terminal): Promise<ExitCode> {
  const config = await readConfig(flags, terminal);
  requirePeer(config, peer);
  if (config.peers.some(({ name, receive }) => name === peer && !receive)) {
    throw new SyncError('NOT_ACCEPTED', `We take nothing from ${peer} (receive: false).`);
  }
  return pull(peer, flags, terminal, async (call) => {
    const byDaemon = await feedByDaemon(config, peer, call);
    return byDaemon ?? withSite(flags, terminal, async (site) => feedHere(site, peer, call), { peer });
  });
}

async function feedHere(site: Site, peer: string, { onPage, onRetry, ...how }: FeedCommand): Promise<FeedSums> {
  return site.feed(peer, {
    ...how,
    onPage: (page, sums, outcomes) => onPage(page, sums, how.dryRun ? plannedUsers(outcomes) : []),
    onRetry: (error, waitMs) => onRetry(error instanceof Error ? error.message : String(error), waitMs),
  });
}

async function pull(
  peer: string,
  flags: FeedFlags,
  terminal: Terminal,
  run: (call: FeedCommand) => Promise<FeedSums>,
): Promise<ExitCode> {
  const { dryRun = false, restart = false, once = false, overwrite = false, json = false } = flags;
  const asked = terminal.untilStopped();
  const stop = afterPage(asked);
  const progress = startProgress(terminal, `feed ${peer}`);
  const planned: PlannedUser[] = [];
  let sums: FeedSums | undefined;
  const report = (): void => {
    progress.stop();
    if (json) writeJson(terminal, documentOf(peer, dryRun, sums, planned));
    else if (sums !== undefined) terminal.out(`${summary(sums, dryRun)}\n${sums.message}\n`);
    if (!json && sums !== undefined) terminal.err(unprovenLine(peer, sums, dryRun));
    if (!json) for (const line of removedLines(peer, sums?.removed_there ?? [])) terminal.err(`${line}\n`);
  };

  const call: FeedCommand = {
    dryRun,
    restart,
    once,
    overwrite,
    signal: stop.signal,
    onPage(page, so, news) {
      sums = so;
      if (json) planned.push(...news);
      else for (const user of news) terminal.out(`${plannedLine(user)}\n`);
      progress.update(page.total - page.remaining, page.total);
      stop.onPage();
    },
    onRetry(message, waitMs) {
      progress.note(`${peer}: ${message} Next try in ${Math.ceil(waitMs / 1000)} s.`);
      stop.onWait();
    },
  };
  try {
    sums = await run(call);
  } catch (error) {
    report();
    const isOurs = asked.aborted;
    if (isOurs || isPassing(error)) terminal.err(`${isOurs ? 'Stopped' : 'Given up'}; ${whatNext(peer, flags)}\n`);
    if (isOurs) return 130;
    throw error;
  }
  report();
  if (sums.parked === 0) return 0;
  terminal.err(
    dryRun ? 'Some users would be parked, as said above.\n' : 'Some users were parked: account-sync parked\n',
  );
  return 3;
}

function whatNext(peer: string, { dryRun, restart }: FeedFlags): string {
  if (dryRun === true) return 'nothing was written.';
  const again = restart === true ? ', without --restart,' : '';
  return `the next "account-sync feed ${peer}"${again} goes on from here.`;
}

function summary({ inserted, updated, unchanged, parked, passwords, addresses }: FeedSums, dryRun: boolean): string {
  return dryRun
    ? `Would insert ${inserted}, update ${updated}, leave ${unchanged} unchanged, park ${parked}.\n` +
        `Would change the password of ${passwords} and the address of ${addresses} accounts that are here.`
    : `Inserted ${inserted}, updated ${updated}, unchanged ${unchanged}, parked ${parked}.`;
}

function unprovenLine(peer: string, { unproven = 0 }: Partial<FeedSums>, dryRun: boolean): string {
  if (unproven === 0) return '';
  const wait = dryRun ? 'would wait' : 'wait';
  return `${unproven} of them ${wait} as EMAIL_UNPROVEN: an account here has the address, which nobody proved on ${peer}. They go through once somebody does, or one by one: account-sync link EMAIL ${peer}. ${TRUST_OF_A_PEER}\n`;
}

/** So many are named on the screen; the log has all. */
const MOST_NAMED = 20;

function removedLines(peer: string, found: readonly RemovedThere[]): string[] {
  if (found.length === 0) return [];
  const more = found.length - MOST_NAMED;
  return [
    `Here again, though ${peer} remembers their removal (as after the restore of an older backup):`,
    ...found
      .slice(0, MOST_NAMED)
      .map(({ user_id: id, email, removed, by }) => `  #${id} ${email}, removed ${removed} by ${by}`),
    ...(more > 0 ? [`  and ${more} more: account-sync logs --type FEED --search USER_REMOVED`] : []),
    `They stay here, and nowhere else, until they are changed here: then they are removed again.`,
  ];
}

function documentOf(peer: string, dryRun: boolean, sums: FeedSums | undefined, planned: readonly PlannedUser[]) {
  return { peer, dry_run: dryRun, ...(sums ?? NOTHING_FED), ...(dryRun ? { planned } : {}) };
}

function isPassing(error: unknown): boolean {
  return error instanceof SyncError && ERRORS[error.code].reaction === 'retry' && error.code !== 'LEASE_LOST';
}
