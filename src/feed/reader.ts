/** Serving a feed: one page of our active and enabled users, with stamps and totals. */
import type { Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import type { AppendLog, OutboxWriter, ReadValidation, Routes } from '../store/ports.ts';
import { restampUsers } from '../store/restamp.ts';
import { readShadows } from '../store/shadows.ts';
import type { Undrained } from '../store/undrained.ts';
import { SyncError } from '../model/errors.ts';
import { formatProgress } from '../model/progress.ts';
import { roughBytes, type FeedPage, type UserRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import { countEligible } from '../osclass/eligible.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import { encodeUser } from '../osclass/records.ts';
import { makeZone, type Zone } from '../osclass/timezone.ts';
import { hasPassed } from '../runtime/clock.ts';
import { readRemovals } from './removals.ts';

/** What serving needs. */
export interface FeedReaderDeps {
  readonly db: Kysely<unknown>;

  /** The host as last looked at. */
  readonly snapshot: () => { readonly catalog: Catalog; readonly hosts: HostUsers; readonly zone: Zone };
  readonly origin: Origin;
  readonly nowMs: () => number;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly routes: Routes;
  readonly appendLog: AppendLog;
  /** Most users in one page. */
  readonly limit: () => number;
  /** True while users may lack a shadow that no stream brings later. */
  readonly feedsMustWait: () => Promise<boolean>;
  readonly undrained: Pick<Undrained, 'changingHands'>;
  readonly validation: ReadValidation;
  /** Processes markers, so that what changed just now is in the page. */
  readonly drain: () => Promise<void>;
}

/** Who asks, for the log. */
export interface FeedCaller {
  readonly trace: string;
  readonly ip: string;
  readonly keyDigest: string;
}

/** One page of a feed that a peer asks for. */
export interface FeedQuery {
  /** Users with a greater id. */
  readonly after: number;
  /** Most users wanted; the page may have fewer. */
  readonly limit: number;
  /** How the caller wants times: as UTC, or as stored here. Absent: UTC if our site states a zone. */
  readonly times?: 'utc' | 'local';
  /** Say of each row whether it is there. */
  readonly rows?: boolean;
  /** Say births and proofs. */
  readonly proofs?: boolean;
  /** No users: only where the page ends, or the removals that we remember. */
  readonly only?: 'ids' | 'removed';
}

/** Serves pages. */
export interface FeedReader {
  page(route: PeerRoute, query: FeedQuery, call: FeedCaller): Promise<FeedPage>;
}

/** Counting all users for every page would cost more than the page: the total may be this old. */
const TOTAL_FOR_MS = 30_000;

/** About so many bytes of users are in one page, before it is compressed; one that has more goes alone. */
const MOST_BYTES = 4_000_000;

/** How many of them fit into a page. */
function fitting(records: readonly (UserRecord | undefined)[]): number {
  let bytes = 0;
  const beyond = records.findIndex((record) => {
    bytes += record === undefined ? 0 : roughBytes(record);
    return bytes > MOST_BYTES;
  });
  return beyond === -1 ? records.length : Math.max(1, beyond);
}

interface Count {
  readonly total: number;
  readonly atMs: number;
  /** Where the last page ended, and what remained after it. */
  readonly cursor: number;
  readonly remaining: number;
}

/** Serves feeds to peers; remembers each peer's count from page to page. */
export function makeFeedReader(deps: FeedReaderDeps): FeedReader {
  const { db, nowMs } = deps;
  const counts = new Map<string, Count>();

  const eligibleAfter = (after: number): Promise<number> =>
    countEligible(db, deps.snapshot().catalog.requireTable('t_user'), after);

  const countFrom = async (
    peer: string,
    after: number,
  ): Promise<{ total: number; remaining: number; atMs: number }> => {
    const known = after === 0 ? undefined : counts.get(peer);
    if (known !== undefined && known.cursor === after && !hasPassed(TOTAL_FOR_MS, known.atMs, nowMs())) return known;
    const total = await eligibleAfter(0);
    return { total, remaining: after === 0 ? total : await eligibleAfter(after), atMs: nowMs() };
  };

  const recordsOf = async (
    route: PeerRoute,
    users: readonly HostUser[],
    zone: Zone,
    { rows = false, proofs = false }: FeedQuery,
  ): Promise<(UserRecord | undefined)[]> => {
    const { hosts } = deps.snapshot();
    const userIds = users.map((user) => user.id);
    const shadows = await restampUsers(deps, await readShadows(db, userIds));
    // Under their new ids nothing is known of them yet, and no stream brings who has only another id.
    const unknown = userIds.filter((userId) => !shadows.has(userId));
    const renumbered = await deps.undrained.changingHands(db, unknown);
    if (renumbered.size > 0) throw new SyncError('BASELINE_PENDING', undefined, { retryAfterS: 1 });
    const proving = proofs ? { origin: deps.origin, nowMs: nowMs(), validation: await deps.validation(db) } : undefined;
    const form = { saysRows: rows, proving };
    return users.map((user) => {
      const stored = shadows.get(user.id);
      return stored === undefined ? undefined : encodeUser(user, stored, route.sends, hosts, zone, form)?.record;
    });
  };

  return {
    async page(route, query, call) {
      const { after, limit: wanted, times, only } = query;
      // A user without a shadow would be left out, and the cursor of the peer would move past it.
      if (await deps.feedsMustWait()) throw new SyncError('BASELINE_PENDING', undefined, { retryAfterS: 1 });
      await deps.drain();
      const { hosts, zone: ours } = deps.snapshot();
      const zone = times === 'local' ? makeZone(null) : ours;
      const limit = Math.max(1, Math.min(wanted, deps.limit()));
      if (only === 'removed')
        return await readRemovals(db, route.name, { after, limit, nowMs: nowMs(), proofs: query.proofs === true });
      // One more than asked for tells whether there is a next page.
      const found = await hosts.after(db, after, limit + 1, { eligible: true });
      const eligible = found.slice(0, limit);
      const records = only === undefined ? await recordsOf(route, eligible, zone, query) : [];
      const users = only === undefined ? eligible.slice(0, fitting(records)) : eligible;
      const before = await countFrom(route.name, after);
      const done = users.length === found.length;
      const remaining = done ? 0 : Math.max(1, before.remaining - users.length);
      const next = users.at(-1)?.id ?? after;
      counts.set(route.name, { total: before.total, atMs: before.atMs, cursor: next, remaining });
      const figures = { total: before.total, remaining, retrieved: users.length, limit, after };
      const message = formatProgress(figures);
      await deps.appendLog(db, [
        {
          type: 'STREAM',
          peer: route.name,
          key: call.keyDigest,
          ip: call.ip,
          status: '200',
          response: message,
          content: { operation: 'feed', ...figures, next },
          trace: call.trace,
        },
      ]);
      const sent = records.slice(0, users.length).filter((record) => record !== undefined);
      return { status: 'OK', message, users: sent, ...figures, next, done };
    },
  };
}
