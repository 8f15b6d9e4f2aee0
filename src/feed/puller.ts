/** Pulling a feed: pages of a peer's users are merged here, one after the other, until there are no more. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import type { Leases } from '../store/lease.ts';
import type { AppendLog } from '../store/ports.ts';
import { inTransaction } from '../db/transaction.ts';
import { whileHeld } from '../store/with-lease.ts';
import { ERRORS, SyncError } from '../model/errors.ts';
import type { FeedOwner } from '../model/feed-owner.ts';
import { CHANGE, type Changes } from '../model/guard.ts';
import type { FeedPage, StreamResult, UserRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import { fetchAround, type Fetch } from './around.ts';
import { moveCursor, readCursor } from '../store/feed-cursor.ts';

/** What applying a page came to, for each record. */
export interface PageOutcome {
  readonly result: StreamResult['result'];
  readonly operation: string;
  /** The user of this site, if there is one. */
  readonly userId: number | null;
  readonly email: string | null;
  /** Registers that were, or would be, taken over. */
  readonly registers: readonly string[];
  /** What of it the guard counts in a stream. */
  readonly guarded?: Changes;
  /** Why it was parked. */
  readonly code?: string;
  readonly message?: string;
}

/** What pulling needs. */
export interface FeedPullerDeps {
  readonly db: Kysely<unknown>;
  readonly leases: Leases;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly newTrace: () => string;
  readonly appendLog: AppendLog;
  /** Start of the digest of our own key, for log records. */
  readonly keyDigest: string;
  /** Most users asked for in one call. */
  readonly limit: () => number;
  /** Whose users the peer brings now; throws PEER_… errors. */
  readonly ownerOf: (
    peer: string,
    options: { trace: string; dryRun: boolean; signal?: AbortSignal },
  ) => Promise<FeedOwner>;
  /** Asks the peer, and unless it is a dry run notes how that went; throws PEER_… errors. */
  readonly fetch: Fetch;
  /** As `fetch`, for a page without users: only where it ends. Undefined: the peer knows no such pages. */
  readonly fetchEnd: (...call: Parameters<Fetch>) => Promise<FeedPage | undefined>;
  /**
   * Merges the records of a page; `fence` runs in each transaction: a page that was asked for long ago may not overwrite
   * what came since.
   */
  readonly apply: (
    route: PeerRoute,
    records: readonly UserRecord[],
    options: {
      trace: string;
      overwrite: boolean;
      dryRun: boolean;
      fence: (trx: Transaction<unknown>) => Promise<void>;
      signal?: AbortSignal;
    },
  ) => Promise<readonly PageOutcome[]>;
  /** See {@link RemovedThere}; null: the peer cannot say. Throws PEER_… errors. */
  readonly removedThere: (
    route: PeerRoute,
    options: { trace: string; dryRun: boolean; signal?: AbortSignal },
  ) => Promise<readonly RemovedThere[] | null>;
  readonly backoffMs: (failures: number, random: number, retryAfterS?: number) => number;
}

/** An account that is here, and that the peer remembers as removed: as after the restore of an older backup. */
export interface RemovedThere {
  readonly user_id: number;
  /** Masked. */
  readonly email: string;
  /** ISO 8601, UTC. */
  readonly removed: string;
  /** Name of the site that removed it. */
  readonly by: string;
}

/** How a feed is to be done. */
export interface FeedOptions {
  /** From the beginning instead of where the last one ended. */
  readonly restart: boolean;
  /** One page only. */
  readonly once: boolean;
  /** Says what would be done; writes nothing. */
  readonly dryRun: boolean;
  /** The peer's values win whatever the stamps. */
  readonly overwrite: boolean;
  readonly signal?: AbortSignal;
  /** After each page. */
  readonly onPage?: (page: FeedPage, sums: FeedSums, outcomes: readonly PageOutcome[]) => void;
  /** Before another try after a failure. */
  readonly onRetry?: (error: unknown, waitMs: number) => void;
}

/** What a feed did so far. */
export interface FeedSums {
  pages: number;
  users: number;
  inserted: number;
  updated: number;
  unchanged: number;
  parked: number;
  /** Those of them whose address nobody proved there, and an account here has. */
  unproven: number;
  /** Accounts that got, or would get, another password or address. */
  passwords: number;
  addresses: number;
  /** Progress in the plugin's words. */
  message: string;
  /** True if the peer has no more. */
  complete: boolean;
  /** Found at the end of a feed; null: not looked for, or the peer cannot say. */
  removed_there: readonly RemovedThere[] | null;
}

/** Of a feed that has not begun. */
export const NOTHING_FED: FeedSums = {
  pages: 0,
  users: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  parked: 0,
  unproven: 0,
  passwords: 0,
  addresses: 0,
  message: '',
  complete: false,
  removed_there: null,
};

/** A feed gives up after failing for so long; it goes on from there next time. */
const GIVE_UP_AFTER_MS = 60_000;

/**
 * Runs a feed to its end. Throws `LEASE_LOST` if another process feeds from that peer now, and what the peer or the
 * database threw last when nothing worked for a minute. Pages that were applied stay applied.
 */
export async function runFeed(deps: FeedPullerDeps, route: PeerRoute, options: FeedOptions): Promise<FeedSums> {
  const { db } = deps;
  // A dry run writes nothing, not even that, and may go on beside a feed.
  const lease = options.dryRun ? undefined : await deps.leases.tryAcquire(`feed:${route.name}`);
  if (lease === undefined && !options.dryRun) {
    throw new SyncError('LEASE_LOST', `Another process is feeding from ${route.name} now.`);
  }
  const sums: FeedSums = { ...NOTHING_FED };
  let failingSince: number | undefined;
  let failures = 0;
  const ask = (after: number): Promise<Fetched> => fetchPage(deps, route, after, options);
  // While a page is stored, the peer makes the next one.
  let ahead: { readonly after: number; readonly asked: Promise<Fetched> } | undefined;
  const askAhead = (after: number): void => {
    const asked = ask(after);
    // A failure is reported where the page is awaited; a page that is never awaited must not raise an unhandled rejection.
    asked.catch(() => undefined);
    ahead = { after, asked };
  };
  const pull = async (): Promise<FeedSums> => {
    let from: { readonly owner: FeedOwner; readonly cursor: number } | undefined;
    for (;;) {
      options.signal?.throwIfAborted();
      try {
        // Who was away long enough for another process to take over asks the peer for nothing more.
        if (failures > 0) await lease?.renew();
        // A peer that was away may be another when it is back.
        if (from === undefined || failures > 0) {
          const owner = await askOwner(deps, route, options);
          if (from?.owner !== owner) {
            const isNew = from !== undefined || options.restart;
            from = { owner, cursor: isNew ? 0 : await readCursor(db, route.name, owner) };
          }
        }
        const { owner, cursor } = from;
        const fetched = await (ahead?.after === cursor ? ahead.asked : ask(cursor));
        ahead = undefined;
        const { page } = fetched;
        if (!page.done && !options.once) askAhead(page.next);
        const fence = async (trx: Transaction<unknown>): Promise<void> => lease?.fence(trx);
        const outcomes = await storePage(deps, route, from, fetched, options, fence);
        addToSums(sums, outcomes);
        sums.pages += 1;
        sums.message = page.message;
        from = { owner, cursor: page.next };
        options.onPage?.(page, sums, outcomes);
        sums.complete = page.done;
        // If that fails, the next try gets a page without users and asks again, within the same minute.
        if (page.done) sums.removed_there = await askForRemoved(deps, route, options);
        [failingSince, failures] = [undefined, 0];
        if (page.done || options.once) return sums;
      } catch (error) {
        ahead = undefined;
        if (options.signal?.aborted === true || !isPassing(error)) throw error;
        failingSince ??= deps.nowMs();
        failures += 1;
        const leftMs = failingSince + GIVE_UP_AFTER_MS - deps.nowMs();
        const { retryAfterS } = error as SyncError;
        if (leftMs <= 0 || (retryAfterS ?? 0) * 1000 > leftMs) throw error;
        const pause = Math.min(deps.backoffMs(failures, deps.random(), retryAfterS), leftMs);
        options.onRetry?.(error, pause);
        await wait(pause, undefined, options.signal === undefined ? {} : { signal: options.signal });
      }
    }
  };
  // A request, or a wait after a failure, may last longer than a lease.
  return await (lease === undefined ? pull() : whileHeld(lease, pull));
}

function askForRemoved(
  deps: FeedPullerDeps,
  route: PeerRoute,
  { dryRun, signal }: FeedOptions,
): Promise<readonly RemovedThere[] | null> {
  return deps.removedThere(route, { trace: deps.newTrace(), dryRun, ...(signal === undefined ? {} : { signal }) });
}

/** A page as the peer gave it. */
interface Fetched {
  readonly page: FeedPage;
  readonly trace: string;
  /** Set where the page is of one user who does not get through, and is not in it. */
  readonly leftOut?: SyncError;
}

async function askOwner(deps: FeedPullerDeps, route: PeerRoute, { dryRun, signal }: FeedOptions): Promise<FeedOwner> {
  const trace = deps.newTrace();
  return await logged(deps, route, { trace, dryRun }, {}, () =>
    deps.ownerOf(route.name, { trace, dryRun, ...(signal === undefined ? {} : { signal }) }),
  );
}

async function fetchPage(
  deps: FeedPullerDeps,
  route: PeerRoute,
  after: number,
  { dryRun, signal }: FeedOptions,
): Promise<Fetched> {
  const trace = deps.newTrace();
  return await logged(deps, route, { trace, dryRun }, { after }, async () => {
    const call = { trace, dryRun, ...(signal === undefined ? {} : { signal }) };
    const found = await fetchAround(deps, route.name, after, deps.limit(), call);
    const { page } = found;
    if (!page.done && page.next <= after) throw new SyncError('PEER_BAD_ANSWER', 'The feed does not move on.');
    return { ...found, trace };
  });
}

/** Asks the peer; that it failed goes into the log, but for a dry run. */
async function logged<T>(
  deps: FeedPullerDeps,
  route: PeerRoute,
  { trace, dryRun }: { readonly trace: string; readonly dryRun: boolean },
  content: Record<string, unknown>,
  ask: () => Promise<T>,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!dryRun && error instanceof SyncError) {
      const what = { code: error.code, ...content };
      await deps.appendLog(deps.db, [feedEntry(deps, route, trace, error.message, 'ERR', what)]);
    }
    throw error;
  }
}

/** The cursor moves once everything before it is stored, so a feed resumes anywhere; what comes again changes nothing. */
async function storePage(
  deps: FeedPullerDeps,
  route: PeerRoute,
  { owner, cursor: after }: { readonly owner: FeedOwner; readonly cursor: number },
  { page, trace, leftOut }: Fetched,
  { dryRun, overwrite, signal }: FeedOptions,
  fence: (trx: Transaction<unknown>) => Promise<void>,
): Promise<readonly PageOutcome[]> {
  const { db, nowMs } = deps;
  const { message, retrieved, limit, next } = page;
  const finish = async (trx: Transaction<unknown>): Promise<void> => {
    const reached = { cursor: next, owner, done: page.done, progress: message, records: page.users.length };
    await moveCursor(trx, route.name, reached, nowMs());
    await fence(trx);
    const content = { retrieved, limit, after, next };
    await deps.appendLog(trx, [
      leftOut === undefined
        ? feedEntry(deps, route, trace, message, '200', content)
        : feedEntry(deps, route, trace, leftOut.message, 'ERR', { ...content, code: leftOut.code }),
    ]);
  };
  const how = { trace, overwrite, dryRun, fence, ...(signal === undefined ? {} : { signal }) };
  const outcomes = page.users.length === 0 ? [] : await deps.apply(route, page.users, how);
  if (!dryRun) await inTransaction(db, finish);
  return leftOut === undefined ? outcomes : [...outcomes, parkedOutcome(leftOut)];
}

function parkedOutcome({ code, message }: SyncError): PageOutcome {
  return { result: 'parked', operation: 'none', userId: null, email: null, registers: [], code, message };
}

function addToSums(sums: FeedSums, outcomes: readonly PageOutcome[]): void {
  for (const { result, operation, code, guarded = 0 } of outcomes) {
    sums.users += 1;
    if ((guarded & CHANGE.password) !== 0) sums.passwords += 1;
    if ((guarded & CHANGE.address) !== 0) sums.addresses += 1;
    if (code === 'EMAIL_UNPROVEN') sums.unproven += 1;
    if (result === 'parked' || result === 'retry') sums.parked += 1;
    else if (operation === 'insert') sums.inserted += 1;
    else if (result === 'applied') sums.updated += 1;
    else sums.unchanged += 1;
  }
}

function feedEntry(
  deps: FeedPullerDeps,
  route: PeerRoute,
  trace: string,
  response: string,
  status: string,
  content: Record<string, unknown>,
): Parameters<AppendLog>[1][number] {
  const full = { operation: 'feed', ...content };
  return { type: 'FEED', peer: route.name, key: deps.keyDigest, ip: null, status, response, content: full, trace };
}

function isPassing(error: unknown): boolean {
  return error instanceof SyncError && ERRORS[error.code].reaction === 'retry' && error.code !== 'LEASE_LOST';
}
