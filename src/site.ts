/**
 * One site, put together: its database, what is known of its tables, its peers, and every kind of work on them. Commands
 * and the daemon use it alike; nothing here repeats by itself.
 */
import { randomBytes } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { v4 } from 'uuid';
import { applyRecords, type AppliedChunk } from './apply/applier.ts';
import { busyOf } from './apply/conclude.ts';
import { sweepOnce } from './apply/leftovers.ts';
import type { Origination, Outcome } from './apply/outcome.ts';
import { parkRecords, wakeParked, wakeParkedFor } from './apply/parked.ts';
import { retryParkedOnce, type Retried } from './apply/retry-parked.ts';
import type { ApplyDeps } from './apply/together.ts';
import { adopt } from './capture/adopt.ts';
import { baselineOnce, isScanPending, watchRegisters, type BaselinePage } from './capture/baseline.ts';
import { drainOnce, type Drained } from './capture/drain.ts';
import { isQueueEmpty } from './capture/queue.ts';
import type { Config } from './config/config.ts';
import { ownTables, type OwnTables } from './db/catalog.ts';
import { guardAllowance } from './db/guard-events.ts';
import { makeLeases, type Leases } from './db/lease.ts';
import { lookingAgain } from './db/looking-again.ts';
import { openPool, type PoolUse } from './db/pool.ts';
import type { OutboxWriter } from './db/ports.ts';
import { withLease } from './db/with-lease.ts';
import { requireUid } from './db/shadows.ts';
import { runFeed, type FeedOptions, type FeedSums } from './feed/puller.ts';
import { makeFeedReader, type FeedReader } from './feed/reader.ts';
import { SyncError } from './model/errors.ts';
import { isAsStrict } from './model/guard.ts';
import type { UserRecord, WireRecord } from './model/record.ts';
import type { PeerRoute } from './model/route.ts';
import type { Origin } from './model/stamp.ts';
import type { Uid } from './model/uid.ts';
import type { Meter } from './meter.ts';
import { makeActivityLog, type ActivityLog } from './ops/activity-log.ts';
import { makePeerStatus, type PeerStatus } from './ops/peer-status.ts';
import { makeZone } from './osclass/timezone.ts';
import { deliverOnce, type Delivered } from './outbox/deliver.ts';
import { dropUsers, enqueue, usersWaiting } from './outbox/store.ts';
import { hasNewLocale, hasOtherColumns, readParts, routesOf, type Parts } from './parts.ts';
import type { Acquaintance } from './peer/acquaintance.ts';
import { keyDigestOf } from './peer/authentication.ts';
import type { PeerClient } from './peer/client.ts';
import { makePeers } from './peers.ts';
import { makePluginPeers, type PluginPeers } from './plugin-peers.ts';
import { backoffMs } from './runtime/backoff.ts';
import type { Clock } from './runtime/clock.ts';
import { newTrace } from './runtime/trace.ts';

/** A site that can be worked on. */
export interface Site {
  readonly config: Config;
  readonly db: Kysely<unknown>;
  readonly own: OwnTables;
  readonly origin: Origin;
  readonly leases: Leases;
  readonly activity: ActivityLog;
  readonly status: PeerStatus;
  readonly reader: FeedReader;
  readonly acquaintance: Acquaintance;
  poolUse(): PoolUse;
  /** Peers that run the PHP plugin. */
  readonly plugin: PluginPeers;
  /** The host as last looked at. */
  parts(): Parts;
  /** Looks at the host again. */
  refresh(): Promise<void>;
  routes(): readonly PeerRoute[];
  /** Throws `PEER_UNKNOWN`. */
  route(peer: string): PeerRoute;
  client(peer: string): PeerClient;
  /** True while a baseline or re-scan has pages left. */
  isScanPending(): Promise<boolean>;
  /** One page of it; undefined: another process is at it. */
  scanPage(): Promise<BaselinePage | undefined>;
  /** One drain pass; nothing is done while another process drains. */
  drain(signal?: AbortSignal): Promise<Drained>;
  /** One delivery pass; nothing is done while another process delivers to that peer. */
  deliver(route: PeerRoute, signal?: AbortSignal): Promise<Delivered>;
  /** Applies what a peer streamed. */
  accept(records: readonly WireRecord[], from: Origination, signal?: AbortSignal): Promise<Outcome[]>;
  /** `approved`: what the guard held goes through. */
  retryParked(options?: { ids?: readonly number[]; approved?: boolean; signal?: AbortSignal }): Promise<Retried>;
  feed(peer: string, options: FeedOptions): Promise<FeedSums>;
  /** Deletes what removals had to leave in tables without transactions. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

/** What a site is opened with besides its config. */
export interface SiteOptions {
  readonly clock: Clock;
  /** 0 ≤ n < 1. */
  readonly random?: (() => number) | undefined;
  /** Is told of the work, for metrics. */
  readonly meter?: Meter | undefined;
  /** Called after every SQL statement, and awaited; tests stop the process there. */
  readonly onStatement?: ((statement: string) => void | Promise<void>) | undefined;
}

/**
 * Connects and looks at the host. Throws `DB_UNAVAILABLE`, `DB_ACCESS_DENIED`, `HOST_TABLE_MISSING` and the like; then
 * nothing stays open.
 */
export async function openSite(config: Config, options: SiteOptions): Promise<Site> {
  const { clock, random = Math.random, onStatement, meter } = options;
  const pool = openPool(config.database, onStatement === undefined ? {} : { onStatement });
  const { db } = pool;
  let parts: Parts;
  try {
    parts = await readParts(db, config);
  } catch (error) {
    await pool.close();
    throw error;
  }
  const own = ownTables(config.database.tablePrefix);
  const origin: Origin = { site: config.site.name, priority: config.site.priority };
  const routes = routesOf(config);
  const keyDigest = keyDigestOf(config.site.apiKey);
  const leases = makeLeases({ db, own, holder: v4() });
  const activity = makeActivityLog({ db, own, clock });
  const status = makePeerStatus({ db, own, clock });
  const peers = routes.map((route) => route.name);
  const nowMs = (): number => clock.nowMs();
  const randomUid = (): Uid => requireUid(v4());
  const outbox: OutboxWriter = {
    enqueue: (runner, entries, at) => enqueue(runner, own, entries, at),
    usersWaiting: (runner, userIds) => usersWaiting(runner, own, peers, userIds),
    dropUsers: (runner, userIds) => dropUsers(runner, own, peers, userIds),
    removed: (runner, removal) => plugin.removed(runner, removal),
  };
  const appendLog = activity.append;

  const applyDeps = (): ApplyDeps => ({
    ...parts,
    db,
    own,
    outbox,
    origin,
    nowMs,
    randomUid,
    appendLog,
    randomBytes,
    guard: config.guard,
    removal: { ...config.removal, related: config.relatedTables },
    routes: () => routes,
    usersWaiting: outbox.usersWaiting,
    adopt: (user) => adopt(user, { origin, nowMs, toEpochMs: parts.zone.toEpochMs }),
    locales: async () => parts.locales,
    applied: (trx, from, records, outcomes) => plugin.applied(trx, from, { records, outcomes }),
    measured: meter?.applied,
  });
  const captureDeps = () => ({
    ...{ db, own, outbox, origin, nowMs, randomUid },
    hosts: parts.hosts,
    routes: () => routes,
    toEpochMs: parts.zone.toEpochMs,
  });

  /** What waits was last woken for; at the start nobody knows. */
  let woken: Parts | undefined;
  const refresh = async (): Promise<void> => {
    parts = await readParts(db, config);
    await watchRegisters(db, own, [...parts.hosts.columns.keys()]);
    if (hasNewLocale(woken, parts)) await wakeParkedFor(db, own, 'LOCALE_UNKNOWN');
    if (hasOtherColumns(woken, parts)) await wakeParkedFor(db, own, 'VALUE_UNSTORABLE');
    woken = parts;
  };
  const looking = lookingAgain(refresh);

  const drain = async (): Promise<Drained> => {
    const nothing: Drained = { done: 0, full: false, changed: [] };
    if (await isQueueEmpty(db, own)) return nothing;
    const drained =
      (await looking(() => withLease(leases, 'drain', (lease) => drainOnce(captureDeps(), lease)))) ?? nothing;
    meter?.drained(drained);
    await wakeParked(db, own, drained.changed);
    return drained;
  };

  const route = (peer: string): PeerRoute => {
    const found = routes.find((candidate) => candidate.name === peer);
    if (found === undefined) throw new SyncError('PEER_UNKNOWN', `No peer "${peer}" in the config.`);
    return found;
  };

  const plugin = makePluginPeers({
    ...{ config, db, own, origin, nowMs, randomUid, outbox, appendLog, route, drain },
    parts: () => parts,
    isScanPending: () => isScanPending(db, own),
    apply: (records, from) => looking(() => applyRecords(applyDeps(), records, from)),
  });
  const { client, noted, acquaintance, close: closePeers } = makePeers(config, status, nowMs, plugin.client);

  const reader = makeFeedReader({
    ...{ db, own, origin, nowMs, appendLog },
    parts: () => parts,
    limit: () => config.feed.limit,
    isScanPending: () => isScanPending(db, own),
    drain: () => drain().then(() => undefined),
  });

  return {
    config,
    db,
    own,
    origin,
    leases,
    activity,
    status,
    reader: { page: (...call) => looking(() => reader.page(...call)) },
    acquaintance,
    plugin,
    poolUse: pool.use,
    parts: () => parts,
    refresh,
    routes: () => routes,
    route,
    client,
    isScanPending: () => isScanPending(db, own),
    scanPage: () => looking(() => withLease(leases, 'drain', (lease) => baselineOnce(captureDeps(), lease))),
    drain,
    async deliver(to, signal) {
      const pass = (): Promise<Delivered> =>
        deliverOnce(
          {
            ...{ db, own, origin, nowMs, newTrace, appendLog, keyDigest },
            zoneFor: async (peer, stop) =>
              (await acquaintance.know(peer, stop)).timezone ? parts.zone : makeZone(null),
            ...{ hosts: parts.hosts, backoffMs: (attempts) => backoffMs(attempts, random()) },
            batchSize: () => plugin.batchSize(to.name) ?? config.stream.batchSize,
            allowance: async (peer, stop) => {
              const { guard: theirs } = await acquaintance.know(peer, stop);
              if (theirs !== undefined && isAsStrict(theirs, config.guard)) return undefined;
              const users = parts.catalog.requireTable('t_user').name;
              return guardAllowance(db, own, config.guard, peer, 'out', users, nowMs());
            },
            send: (peer, records, call) => noted(peer, (one) => one.stream(records, call)),
            onAnswered: (peer, answered) => meter?.answered(peer, answered),
          },
          to,
          signal,
        );
      const delivered = await withLease(leases, `deliver:${to.name}`, () => looking(pass));
      if (delivered !== undefined && delivered.done > 0) await status.recordSynced(db, to.name, 'to');
      return delivered ?? { done: 0, full: false, kept: 0 };
    },
    accept: (records, from, signal) =>
      looking(() => applyRecords(applyDeps(), records, from, signal === undefined ? {} : { signal })),
    retryParked: (retry = {}) => looking(() => retryParkedOnce(applyDeps(), { trace: newTrace(), ...retry })),
    feed: (peer, feedOptions) =>
      runFeed(
        {
          ...{ db, own, leases, nowMs, random, newTrace, appendLog, keyDigest, backoffMs },
          limit: () => config.feed.limit,
          fetch: (name, after, limit, { dryRun, ...call }) => {
            const query = { after, limit, times: parts.zone.known ? ('utc' as const) : ('local' as const) };
            return dryRun ? client(name).feed(query, call) : noted(name, (one) => one.feed(query, call));
          },
          apply: (from, records, { finish, dryRun, trace, overwrite, signal }) =>
            looking(() =>
              applyRecords(
                applyDeps(),
                records,
                { route: from, via: 'feed', trace, ip: null, keyDigest, overwrite, approved: false },
                {
                  dryRun,
                  ...(signal === undefined ? {} : { signal }),
                  ...(dryRun ? {} : { within: withinFeed(from, records, finish) }),
                },
              ),
            ),
        },
        route(peer),
        feedOptions,
      ),
    sweep: () => sweepOnce(db, own, parts.catalog),
    async close() {
      await closePeers();
      await pool.close();
    },
  };

  /** A record of a feed that cannot be applied now is kept here: the page does not come again by itself. */
  function withinFeed(
    from: PeerRoute,
    all: readonly UserRecord[],
    finish: (trx: Transaction<unknown>) => Promise<void>,
  ) {
    return async (trx: Transaction<unknown>, { records, outcomes, done }: AppliedChunk): Promise<void> => {
      await parkRecords(trx, own, busyOf(from.name, records, outcomes, nowMs()), nowMs());
      if (done === all.length) await finish(trx);
    };
  }
}
