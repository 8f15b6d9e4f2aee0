/** `account-sync status`: one screen for a tired operator. Reads the database, so it works with and without the daemon. */
import { queueDepth } from '../store/queue.ts';
import { isAnyLeaseHeld } from '../store/lease.ts';
import { fromSqlTime } from '../db/time.ts';
import type { PeerSummary } from '../store/peer-status.ts';
import { entryOf, SyncError } from '../model/errors.ts';
import { readRefusedEdit, type RefusedEdit } from '../ops/refused-edit.ts';
import type { Site } from '../site/site.ts';
import { VERSION } from '../version.ts';
import { peerFacts } from '../daemon/wiring.ts';
import { pause, withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { statusScreen } from './status-screen.ts';

/** What the command tells; field names as `GET /v1/peers`. Ages and lag in seconds. */
export interface StatusDocument {
  readonly site: string;
  readonly version: string;
  /** `seen`: at work, or killed within the last 30 s. */
  readonly daemon: 'seen' | 'not seen';
  readonly baseline: 'done' | 'running';
  readonly queue: { readonly depth: number; readonly oldest_age: number | null };
  /** Why nothing is sent or applied: server, database or address are others than last time; null: they are not. */
  readonly stopped: string | null;
  readonly parked: number;
  readonly held: number;
  /** An edit of the config file that the daemon did not take over; null: there is none. */
  readonly refused_edit: RefusedEdit | null;
  /** `lag`: for how long the oldest change that the peer has not confirmed has been waiting, here or in the outbox. */
  readonly peers: readonly (PeerSummary & { readonly lag: number })[];
}

/** Flags of the command. */
export interface StatusFlags extends DataOptions {
  readonly watch?: boolean;
}

const WATCH_EVERY_MS = 2_000;
/** Cursor home, then everything below it away: less flicker than an empty screen. */
const HOME = '\u001b[H\u001b[J';

/** 3 while something is parked or held, or all is stopped, else 0. With `watch` again and again until stopped; as JSON then one line each. */
export async function status(flags: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site) => {
    if (flags.watch === true) return await watch(site, flags, terminal);
    return show(await readStatus(site), flags, terminal);
  });
}

function show(document: StatusDocument, flags: StatusFlags, terminal: Terminal): ExitCode {
  if (flags.json === true) writeJson(terminal, document, flags.watch === true);
  else {
    const isScreen = flags.watch === true && terminal.isColoured;
    terminal.out(`${isScreen ? HOME : ''}${statusScreen(document, Date.now(), terminal.isColoured)}`);
  }
  return document.parked + document.held > 0 || document.stopped !== null ? 3 : 0;
}

/** What cannot be read now is said, and read again: a screen that is watched outlives the database's restart. */
async function watch(site: Site, flags: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  const signal = terminal.untilStopped();
  let code: ExitCode = 0;
  while (!signal.aborted) {
    try {
      code = show(await readStatus(site), flags, terminal);
    } catch (error) {
      if (!(error instanceof SyncError) || entryOf(error).reaction !== 'retry') throw error;
      terminal.err(`${error.code}: ${error.message}\n`);
    }
    await pause(WATCH_EVERY_MS, signal);
  }
  return code;
}

async function readStatus(site: Site): Promise<StatusDocument> {
  const { depth, oldest } = await queueDepth(site.db);
  const queueAge = oldest === null ? null : Math.max(0, (Date.now() - fromSqlTime(oldest)) / 1000);
  const summaries = await site.status.summaries(peerFacts(site));
  const lagOf = (peer: PeerSummary): number =>
    Math.max(peer.oldest_pending_age ?? 0, site.route(peer.name).send ? (queueAge ?? 0) : 0);
  return {
    site: site.config.site.name,
    version: VERSION,
    daemon: (await isAnyLeaseHeld(site.db)) ? 'seen' : 'not seen',
    baseline: (await site.scanning.feedsMustWait()) ? 'running' : 'done',
    queue: { depth, oldest_age: queueAge },
    refused_edit: (await readRefusedEdit(site.db)) ?? null,
    stopped: (await site.standing.look())?.message ?? null,
    parked: summaries.reduce((sum, peer) => sum + peer.parked, 0),
    held: summaries.reduce((sum, peer) => sum + peer.held, 0),
    peers: summaries.map((peer) => ({ ...peer, lag: lagOf(peer) })),
  };
}
