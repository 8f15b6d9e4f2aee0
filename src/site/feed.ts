/** Feeds of one site: connects src/feed with the stores, peers and config of the site. */
import type { Kysely, Transaction } from 'kysely';
import type { AppliedChunk, ApplyOptions } from '../apply/apply.ts';
import { busyOf } from '../apply/outcomes.ts';
import { requireParkedRoom } from '../apply/parked-quota.ts';
import type { RemovedElsewhere } from '../apply/removed-elsewhere.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import type { Config } from '../config/config.ts';
import { parkRecords } from '../store/parked.ts';
import type { Leases } from '../store/lease.ts';
import type { AppendLog } from '../store/ports.ts';
import type { Fetch } from '../feed/around.ts';
import { runFeed, type FeedOptions, type FeedPullerDeps, type FeedSums, type RemovedThere } from '../feed/puller.ts';
import { SyncError } from '../model/errors.ts';
import { nativeOwner, pluginOwner } from '../model/feed-owner.ts';
import { maskEmail, type LogEntry } from '../model/log-entry.ts';
import { PROOFS, ROWS, type RemovalRecord, type WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { ActiveConfig } from './active-config.ts';
import type { Peers } from './peers.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { newTrace } from '../runtime/trace.ts';

/** What feeds need of their site. */
export interface FeedingSite {
  readonly db: Kysely<unknown>;
  readonly leases: Leases;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly appendLog: AppendLog;
  readonly peers: Pick<Peers, 'client' | 'noted' | 'helloCache' | 'keyDigest'>;
  readonly now: () => ActiveConfig;
  readonly apply: (records: readonly WireRecord[], from: RecordSource, options: ApplyOptions) => Promise<Outcome[]>;
  /** The accounts here that removals of a peer mean. */
  readonly findRemoved: (records: readonly RemovalRecord[]) => Promise<RemovedElsewhere[]>;
}

/** Two: while the server works for one, the daemon does for the other. */
const CHUNKS_AT_ONCE = 2;

/** Runs a feed to its end; see {@link runFeed}. */
export async function feedFrom(site: FeedingSite, route: PeerRoute, options: FeedOptions): Promise<FeedSums> {
  const { db, leases, nowMs, random, appendLog, peers, now } = site;
  const keyDigest = (peer: string): string => peers.keyDigest(peer);
  const fetching =
    (more: { only?: 'ids' }): Fetch =>
    async (name, after, most, { dryRun, ...call }) => {
      // A dry run writes nothing, so its greeting is not noted either.
      const { features } = dryRun
        ? await peers.client(name).hello(call)
        : await peers.helloCache.hello(name, call.signal);
      const times = now().snapshot.zone.known ? ('utc' as const) : ('local' as const);
      const query = {
        after,
        limit: most,
        times,
        rows: features?.includes(ROWS) === true,
        ...proofsAsked(features),
        ...more,
      };
      return dryRun ? peers.client(name).feed(query, call) : peers.noted(name, (one) => one.feed(query, call));
    };
  return await runFeed(
    {
      db,
      leases,
      nowMs,
      random,
      newTrace,
      appendLog,
      get keyDigest() {
        return keyDigest(route.name);
      },
      backoffMs,
      limit: () => now().config.feed.limit,
      ownerOf: async (name, { dryRun, ...call }) => {
        const url = pluginUrl(now().config, name);
        if (url !== undefined) return pluginOwner(url);
        const { signal } = call;
        return nativeOwner(
          dryRun ? await peers.client(name).hello(call) : await peers.helloCache.hello(name, signal, { fresh: true }),
        );
      },
      fetch: fetching({}),
      // The plugin itself says how many users a page has.
      fetchEnd: async (name, ...call) =>
        pluginUrl(now().config, name) !== undefined ? undefined : fetching({ only: 'ids' })(name, ...call),
      apply: async (from, records, { fence, dryRun, trace, overwrite, signal }) => {
        // A page does not come again by itself, so the feed waits before it.
        if (!dryRun) await requireParkedRoom(db, from.name, now().config.quotas);
        return await site.apply(
          records,
          {
            route: from,
            via: 'feed',
            trace,
            ip: null,
            keyDigest: keyDigest(from.name),
            overwrite,
            startedByPerson: true,
          },
          {
            dryRun,
            ...(signal === undefined ? {} : { signal }),
            ...(dryRun ? {} : { within: within(site, from, fence), chunksAtOnce: CHUNKS_AT_ONCE }),
          },
        );
      },
      removedThere: (from, call) =>
        pluginUrl(now().config, from.name) !== undefined
          ? Promise.resolve(null)
          : removedThere(site, from, keyDigest(from.name), call),
    },
    route,
    options,
  );
}

/** Versions without births and proofs refuse to be asked for them. */
function proofsAsked(features: readonly string[] | undefined): { proofs?: true } {
  return features?.includes(PROOFS) === true ? { proofs: true } : {};
}

/** URL of a peer that runs the PHP plugin; undefined for others. */
function pluginUrl({ peers }: Config, peer: string): string | undefined {
  return peers.find(({ name, protocol }) => name === peer && protocol === 'plugin')?.url;
}

/** Removals asked for in one call. */
const REMOVALS_AT_ONCE = 1000;

/** Asks the peer for the removals it remembers, and leaves a log record of each account that they mean and that is here. */
async function removedThere(
  { db, peers, appendLog, findRemoved }: FeedingSite,
  { name: peer }: PeerRoute,
  key: string,
  { dryRun, ...call }: Parameters<FeedPullerDeps['removedThere']>[1],
): Promise<RemovedThere[] | null> {
  const { trace } = call;
  const found: RemovedElsewhere[] = [];
  for (let after = 0; ;) {
    try {
      const { features } = dryRun
        ? await peers.client(peer).hello(call)
        : await peers.helloCache.hello(peer, call.signal);
      const common = { after, limit: REMOVALS_AT_ONCE, times: 'utc', only: 'removed' } as const;
      const query = { ...common, ...proofsAsked(features) };
      const { removed = [], next, done } = await peers.client(peer).feed(query, call);
      found.push(...(await findRemoved(removed)));
      if (done || next <= after) break;
      after = next;
    } catch (error) {
      if (error instanceof SyncError && error.code === 'REQUEST_INVALID') return null;
      throw error;
    }
  }
  const told = found.map(({ userId, email, removed: { ms, site } }) => {
    return { user_id: userId, email: maskEmail(email), removed: new Date(ms).toISOString(), by: site };
  });
  const entries = found.map(({ uid }, index): LogEntry => {
    const { user_id: userId, ...more } = told[index] as RemovedThere;
    const content = { operation: 'feed', code: 'USER_REMOVED', uid, userId, ...more };
    return { type: 'FEED', peer, key, ip: null, status: 'OK', response: describe(peer, more), content, trace };
  });
  if (!dryRun && entries.length > 0) await appendLog(db, entries);
  return told;
}

function describe(peer: string, { removed, by }: Omit<RemovedThere, 'user_id'>): string {
  return `${peer} remembers that ${by} removed this account at ${removed}. It is here again, as after the restore of an older backup, and is removed again with its next change here; ${peer} does not take it back.`;
}

/** A record of a feed that cannot be applied now is kept here: the page does not come again by itself. */
function within({ nowMs }: FeedingSite, from: PeerRoute, fence: (trx: Transaction<unknown>) => Promise<void>) {
  return async (trx: Transaction<unknown>, { records, outcomes }: AppliedChunk): Promise<void> => {
    await parkRecords(trx, busyOf(from.name, records, outcomes, nowMs()), nowMs());
    await fence(trx);
  };
}
