/** Sending now, when a person asks: drain and delivery, once or until all that was changed before has been sent. */
import { setTimeout as wait } from 'node:timers/promises';
import { fromSqlTime } from '../db/time.ts';
import { entryOf, SyncError } from '../model/errors.ts';
import type { Site } from '../site/site.ts';
import { firstDueSince, youngestWaiting } from '../store/outbox-waiting.ts';
import { isDrainedTo, lastMarker } from '../store/queue.ts';

/** What came of the deliveries to one peer. */
export interface Deliveries {
  /** Entries that it confirmed. */
  readonly sent: number;
  /** Why it could get no more; null: nothing is due any more. */
  readonly problem: SyncError | null;
}

/**
 * One drain, and deliveries to every peer until nothing is due or it cannot be reached; what it could not take waits for the loop.
 * Returns how many markers and entries. Throws what waiting does not repair.
 */
export async function streamOnce(site: Site, signal?: AbortSignal): Promise<{ drained: number; sent: number }> {
  if (site.config.capture.mode === 'scan') await site.scans.now(signal);
  const drained = await drainAll(site, signal);
  const peers = site.routes().filter((route) => route.send);
  const all = await Promise.all(peers.map((route) => deliverAll(site, route.name, signal)));
  for (const { problem } of all) if (problem !== null && entryOf(problem).reaction !== 'retry') throw problem;
  return { drained, sent: all.reduce((sum, { sent }) => sum + sent, 0) };
}

/** What was sent of what was there to be sent. */
export interface Streamed {
  /** Markers processed. */
  readonly drained: number;
  readonly peers: ReadonlyMap<string, Deliveries>;
  /** Something waits that did when it began, though no peer has a problem. */
  readonly late: boolean;
}

/** Time for accounts that are locked by the sites just now, and for a daemon that is already sending. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 200;

/**
 * Drains and delivers until nothing waits any more of what is there now, for 30 s at most. An account that is being changed all
 * the time, here or at the peer, is put off for a second or two, and whatever a daemon is sending just now is left to it: both
 * are waited for. Comes back early when the signal aborts.
 */
export async function streamAll(site: Site, names: readonly string[], signal: AbortSignal): Promise<Streamed> {
  const { db } = site;
  const untilMs = Date.now() + PATIENCE_MS;
  const last = await lastMarker(db);
  const peers = new Map(names.map((name): [string, Deliveries] => [name, { sent: 0, problem: null }]));
  let drained = 0;
  let youngest: ReadonlyMap<string, string> | undefined;
  for (;;) {
    drained += await drainAll(site, signal);
    if (youngest === undefined && (await isDrainedTo(db, last))) youngest = await youngestWaiting(db);
    const well = [...peers].filter(([, { problem }]) => problem === null);
    const came = well.map(async ([name, before]) => {
      const { sent, problem } = await deliverAll(site, name, signal);
      peers.set(name, { sent: before.sent + sent, problem });
    });
    await Promise.all(came);
    const dueMs = youngest === undefined ? Date.now() : await firstDue(site, peers, youngest);
    if (dueMs === undefined || signal.aborted) return { drained, peers, late: false };
    if (Math.max(dueMs, Date.now()) > untilMs) return { drained, peers, late: true };
    await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** When the first entry is due, in milliseconds since 1970, of those that waited then for peers without a problem. */
async function firstDue(
  { db }: Site,
  peers: Streamed['peers'],
  youngest: ReadonlyMap<string, string>,
): Promise<number | undefined> {
  const due: number[] = [];
  for (const [peer, changedAt] of youngest) {
    if (peers.get(peer)?.problem !== null) continue;
    const first = await firstDueSince(db, peer, changedAt);
    if (first !== null) due.push(fromSqlTime(first));
  }
  return due.length === 0 ? undefined : Math.min(...due);
}

async function drainAll(site: Site, signal?: AbortSignal): Promise<number> {
  const isOver = (): boolean => signal?.aborted === true;
  let drained = 0;
  for (let full = true; full && !isOver();) {
    const pass = await site.drain(signal);
    drained += pass.done;
    full = pass.full;
  }
  return drained;
}

/** Delivers until nothing is due. What has to be repaired on this site throws; failures of a peer are reported with it. */
async function deliverAll(site: Site, peer: string, signal?: AbortSignal): Promise<Deliveries> {
  const isOver = (): boolean => signal?.aborted === true;
  let sent = 0;
  try {
    for (let full = true; full && !isOver();) {
      const pass = await site.deliver(site.route(peer), signal);
      sent += pass.done;
      full = pass.full && pass.done > 0;
    }
    return { sent, problem: null };
  } catch (error) {
    if (isOver()) return { sent, problem: null };
    if (!(error instanceof SyncError) || error.code.startsWith('DB_')) throw error;
    return { sent, problem: error };
  }
}
