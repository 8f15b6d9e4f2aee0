/** Feeds of one site: what src/feed can do, put together with what the site can. */
import type { Kysely, Transaction } from 'kysely';
import type { AppliedChunk, ApplyOptions } from '../apply/applier.ts';
import { busyOf } from '../apply/conclude.ts';
import type { Origination, Outcome } from '../apply/outcome.ts';
import { parkRecords } from '../apply/parked.ts';
import type { OwnTables } from '../db/catalog.ts';
import type { Leases } from '../db/lease.ts';
import type { AppendLog } from '../db/ports.ts';
import type { Fetch } from '../feed/around.ts';
import { runFeed, type FeedOptions, type FeedSums } from '../feed/puller.ts';
import { nativeOwner, pluginOwner } from '../model/feed-owner.ts';
import { ROWS, type WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Peers } from './peers.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { newTrace } from '../runtime/trace.ts';

/** What feeds need of their site. */
export interface FeedingSite {
  readonly db: Kysely<unknown>;
  readonly own: OwnTables;
  readonly leases: Leases;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly appendLog: AppendLog;
  readonly peers: Pick<Peers, 'client' | 'noted' | 'acquaintance'>;
  /** Most users asked for in one call. */
  readonly limit: () => number;
  /** URL of a peer that runs the PHP plugin; undefined for others. */
  readonly pluginUrl: (peer: string) => string | undefined;
  /** False: this site states no zone. */
  readonly isZoneKnown: () => boolean;
  readonly apply: (records: readonly WireRecord[], from: Origination, options: ApplyOptions) => Promise<Outcome[]>;
}

/** Two: while the server works for one, the daemon does for the other. */
const CHUNKS_AT_ONCE = 2;

/** Runs a feed to its end; see {@link runFeed}. `keyDigest`: start of the digest of our own key. */
export async function feedFrom(
  site: FeedingSite,
  route: PeerRoute,
  keyDigest: string,
  options: FeedOptions,
): Promise<FeedSums> {
  const { db, own, leases, nowMs, random, appendLog, peers, limit } = site;
  const fetching =
    (more: { only?: 'ids' }): Fetch =>
    async (name, after, most, { dryRun, ...call }) => {
      // A dry run writes nothing, so its greeting is not noted either.
      const { features } = dryRun
        ? await peers.client(name).hello(call)
        : await peers.acquaintance.know(name, call.signal);
      const times = site.isZoneKnown() ? ('utc' as const) : ('local' as const);
      const query = { after, limit: most, times, rows: features?.includes(ROWS) === true, ...more };
      return dryRun ? peers.client(name).feed(query, call) : peers.noted(name, (one) => one.feed(query, call));
    };
  return await runFeed(
    {
      ...{ db, own, leases, nowMs, random, newTrace, appendLog, keyDigest, backoffMs, limit },
      ownerOf: async (name, { dryRun, ...call }) => {
        const url = site.pluginUrl(name);
        if (url !== undefined) return pluginOwner(url);
        const { signal } = call;
        return nativeOwner(
          dryRun ? await peers.client(name).hello(call) : await peers.acquaintance.know(name, signal, { anew: true }),
        );
      },
      fetch: fetching({}),
      // The plugin itself says how many users a page has.
      fetchEnd: async (name, ...call) =>
        site.pluginUrl(name) !== undefined ? undefined : fetching({ only: 'ids' })(name, ...call),
      apply: (from, records, { fence, dryRun, trace, overwrite, signal }) =>
        site.apply(
          records,
          { route: from, via: 'feed', trace, ip: null, keyDigest, overwrite, approved: false },
          {
            dryRun,
            ...(signal === undefined ? {} : { signal }),
            ...(dryRun ? {} : { within: within(site, from, fence), chunksAtOnce: CHUNKS_AT_ONCE }),
          },
        ),
    },
    route,
    options,
  );
}

/** A record of a feed that cannot be applied now is kept here: the page does not come again by itself. */
function within({ own, nowMs }: FeedingSite, from: PeerRoute, fence: (trx: Transaction<unknown>) => Promise<void>) {
  return async (trx: Transaction<unknown>, { records, outcomes }: AppliedChunk): Promise<void> => {
    await parkRecords(trx, own, busyOf(from.name, records, outcomes, nowMs()), nowMs());
    await fence(trx);
  };
}
