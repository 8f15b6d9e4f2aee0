/**
 * One site, put together: its database, what is known of its tables, its peers, and every kind of work on them. Commands
 * and the daemon use it alike; nothing here repeats by itself.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import { v4 } from 'uuid';
import { withQueue } from '../capture/queue-repair.ts';
import { applyRecords, type ApplyOptions } from '../apply/apply.ts';
import { findRemovedElsewhere } from '../apply/removed-elsewhere.ts';
import { sweepOnce } from '../apply/item-leftovers.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { wakeParked, wakeParkedFor } from '../store/parked.ts';
import { retryParkedOnce, type Retried } from '../apply/retry-parked.ts';
import type { ApplyDeps } from '../apply/chunk.ts';
import { adopt } from '../capture/adopt.ts';
import type { BaselinePage } from '../capture/baseline.ts';
import { drainOnce, isNews, NOTHING_DRAINED, type Drained } from '../capture/drain.ts';
import { installOnce } from '../capture/install.ts';
import { isQueueEmpty } from '../store/queue.ts';
import type { Config } from '../config/config.ts';
import { deliverTo } from './deliver.ts';
import { installationId } from '../store/installation.ts';
import { makeLeases, TTL_MS, type Leases } from '../store/lease.ts';
import { lookingAgain } from '../db/with-fresh-host.ts';
import { openPool, type Pool } from '../db/pool.ts';
import { makeUnread } from '../store/undrained.ts';
import { withLease } from '../store/with-lease.ts';
import { requireUid } from '../store/shadows.ts';
import type { FeedOptions, FeedSums } from '../feed/puller.ts';
import { noteInstallation } from '../store/feed-cursor.ts';
import { makeFeedReader, type FeedReader } from '../feed/reader.ts';
import { feedFrom } from './feed.ts';
import { makeHostWatch, type HostWatch } from './host-watch.ts';
import { inForce, type InForce } from './active-config.ts';
import { SyncError } from '../model/errors.ts';
import type { WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import { makeActivityLog, type ActivityLog } from '../store/activity-log.ts';
import { makePeerStatus, type PeerStatus } from '../store/peer-status.ts';
import type { Delivered } from '../deliver/deliver.ts';
import { makeOutboxWriter } from './outbox-writer.ts';
import { readParts, type Parts } from '../osclass/host.ts';
import type { Acquaintance } from '../peer/hello-cache.ts';
import type { PeerClient } from '../peer/client.ts';
import { makePeers } from './peers.ts';
import { makePluginPeers, type PluginPeers } from '../plugin/peers.ts';
import { makeRandomBytes } from '../runtime/random-bytes.ts';
import { newTrace } from '../runtime/trace.ts';
import { makeRenumbered } from './renumbered.ts';
import { makeScanning, type Scanning } from './scanning.ts';
import { fillGapsOfPlugin } from '../plugin/fill-gaps.ts';
import { makeServing } from './serving.ts';
import type { SiteOptions } from './site-options.ts';
import { makeStanding, type Standing } from './standing.ts';

/** A site that can be worked on. */
export interface Site {
  /** The config in force: another one after each {@link reconfigure}. */
  readonly config: Config;
  readonly db: Kysely<unknown>;
  readonly origin: Origin;
  readonly leases: Leases;
  readonly activity: ActivityLog;
  readonly status: PeerStatus;
  readonly reader: FeedReader;
  readonly acquaintance: Acquaintance;
  readonly connections: Pick<Pool, 'use' | 'renew'>;
  /** Peers that run the PHP plugin. */
  readonly plugin: PluginPeers;
  /** Whether this is where the database was; if not, whatever sends or applies throws `RESTORED_OR_CLONED`. */
  readonly standing: Standing;
  /** The host as last looked at. */
  parts(): Parts;
  /** What is wrong with it, as last looked at by {@link refresh}. */
  readonly problems: HostWatch['problems'];
  /** Looks at the host again. */
  refresh(): Promise<void>;
  /**
   * Puts another config in force, all of it at once. Work under way ends with what it began with, but whatever it sends
   * out goes to the peers of the new one. Throws, and leaves the old one in force, where the host cannot be looked at or
   * triggers cannot be made. Entries for peers that are gone stay, and go out should they come back. To be followed by
   * {@link refresh}: other columns may be looked after than before.
   */
  reconfigure(next: Config, signal?: AbortSignal): Promise<void>;
  routes(): readonly PeerRoute[];
  /** Throws `PEER_UNKNOWN`. */
  route(peer: string): PeerRoute;
  client(peer: string): PeerClient;
  /** True while a baseline or re-scan has pages left. */
  isScanPending(): Promise<boolean>;
  readonly scanning: Scanning;
  /** A page of it, or those of `forMs` milliseconds; undefined: another process is at it. */
  scanPage(forMs?: number): Promise<BaselinePage | undefined>;
  /** One drain pass; nothing is done while another process drains. */
  drain(signal?: AbortSignal): Promise<Drained>;
  /** One delivery pass; nothing is done while another process delivers to that peer. */
  deliver(route: PeerRoute, signal?: AbortSignal): Promise<Delivered>;
  /** Applies what a peer sent. */
  accept(records: readonly WireRecord[], from: RecordSource, options?: ApplyOptions): Promise<Outcome[]>;
  /** `approved`: what the guard held goes through. */
  retryParked(options?: { ids?: readonly number[]; approved?: boolean; signal?: AbortSignal }): Promise<Retried>;
  feed(peer: string, options: FeedOptions): Promise<FeedSums>;
  /** Deletes what removals had to leave in tables without transactions. */
  sweep(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Connects and looks at the host. Throws `DB_UNAVAILABLE`, `DB_ACCESS_DENIED`, `HOST_TABLE_MISSING` and the like; then
 * nothing stays open.
 */
export async function openSite(config: Config, options: SiteOptions): Promise<Site> {
  const { clock, random = Math.random, onStatement, meter, leaseMs = TTL_MS } = options;
  // Who takes over work finds nothing locked by who stopped in the middle of it.
  const silenceS = Math.ceil(leaseMs / 3000);
  const pool = openPool(config.database, { silenceS, ...(onStatement === undefined ? {} : { onStatement }) });
  const { db } = pool;
  let now: InForce;
  try {
    now = inForce(config, await readParts(db, config));
  } catch (error) {
    await pool.close();
    throw error;
  }
  const process = v4();
  const leases = makeLeases({ db, holder: process, ttlMs: leaseMs });
  const standing = makeStanding({ db, process, config: () => now.config });
  const activity = makeActivityLog({ db, clock });
  const status = makePeerStatus({ db, clock });
  const names = (): string[] => now.routes.map((route) => route.name);
  const routes = (): readonly PeerRoute[] => now.routes;
  const nowMs = (): number => clock.nowMs();
  const randomUid = (): Uid => requireUid(v4());
  const outbox = makeOutboxWriter(names, (runner, removal) => plugin.removed(runner, removal));
  const unread = makeUnread(config.capture.mode);
  const appendLog = activity.append;

  const applyDeps = (): ApplyDeps => {
    const {
      config: { guard, removal, relatedTables },
      origin,
      parts,
    } = now;
    return {
      ...parts,
      db,
      outbox,
      origin,
      nowMs,
      randomUid,
      randomBytes: makeRandomBytes(),
      appendLog,
      guard,
      routes,
      unread,
      usersWaiting: outbox.usersWaiting,
      removal: { ...removal, related: relatedTables },
      adopt: (user) => adopt(user, { origin, nowMs, toEpochMs: parts.zone.toEpochMs }),
      registeredMs: parts.zone.toEpochMs,
      locales: async () => parts.locales,
      applied: (trx, from, records, outcomes) => plugin.applied(trx, from, { records, outcomes }),
      measured: meter?.applied,
    };
  };
  const renumbered = makeRenumbered(config.capture.mode);
  const captureDeps = () => {
    const {
      origin,
      parts: { hosts, zone },
    } = now;
    return { db, outbox, origin, nowMs, randomUid, hosts, routes, renumbered, toEpochMs: zone.toEpochMs };
  };

  const watch = makeHostWatch(db);
  const looks = { begun: 0, inForce: 0 };
  const refresh = async (): Promise<void> => {
    const of = now.config;
    const look = (looks.begun += 1);
    const parts = await readParts(db, of);
    // Another config has come into force meanwhile.
    if (now.config !== of) return await refresh();
    // A look that began later was faster, and saw what is newer.
    if (look < looks.inForce) return;
    looks.inForce = look;
    now = { ...now, parts };
    await watch.look(parts, of);
  };
  const again = lookingAgain(refresh);
  /** All that reads users to send them, or writes what was sent, goes through here. */
  const looking = async <T>(work: () => Promise<T>): Promise<T> => {
    await standing.require();
    return await again(work);
  };
  const apply = (records: readonly WireRecord[], from: RecordSource, how: ApplyOptions): Promise<Outcome[]> =>
    looking(() => applyRecords(applyDeps(), records, from, how));

  const drain = async (): Promise<Drained> => {
    if (await withQueue(db, now.parts.catalog, () => isQueueEmpty(db))) return NOTHING_DRAINED;
    const drained =
      (await looking(() => withLease(leases, 'drain', (lease) => drainOnce(captureDeps(), lease)))) ?? NOTHING_DRAINED;
    meter?.drained(drained);
    await wakeParked(db, drained.changed);
    if (isNews(drained)) await wakeParkedFor(db, 'USER_BUSY');
    return drained;
  };

  const scanning = makeScanning({
    db,
    nowMs,
    captureDeps,
    leases,
    drain,
    looking,
    capture: () => now.config.capture,
    catalog: () => now.parts.catalog,
    fillGaps: () => fillGapsOfPlugin({ db, nowMs, appendLog }, now.parts),
  });

  const route = (peer: string): PeerRoute => {
    const found = now.routes.find((candidate) => candidate.name === peer);
    if (found === undefined) throw new SyncError('PEER_UNKNOWN', `No peer "${peer}" in the config.`);
    return found;
  };

  const plugin = makePluginPeers({
    db,
    nowMs,
    randomUid,
    outbox,
    appendLog,
    route,
    drain,
    config: () => now.config,
    origin: () => now.origin,
    parts: () => now.parts,
    feedsMustWait: scanning.feedsMustWait,
    apply: (records, from) => apply(records, from, {}),
    retryParked: (ids) => looking(() => retryParkedOnce(applyDeps(), { trace: newTrace(), ids })),
  });
  const peers = makePeers(config, status, nowMs, plugin.client, {
    ours: () => installationId(db),
    note: (peer, owner) => noteInstallation(db, peer, owner),
  });
  const { client, acquaintance } = peers;

  const delivering = {
    db,
    leases,
    status,
    nowMs,
    random,
    appendLog,
    peers,
    plugin,
    meter,
    unread,
    looking,
    now: () => now,
  };

  const reader = makeFeedReader({
    db,
    nowMs,
    appendLog,
    outbox,
    routes,
    unread,
    get origin() {
      return now.origin;
    },
    parts: () => now.parts,
    limit: () => now.config.feed.limit,
    feedsMustWait: scanning.feedsMustWait,
    drain: () => drain().then(() => undefined),
  });

  return {
    get config() {
      return now.config;
    },
    get origin() {
      return now.origin;
    },
    db,
    leases,
    activity,
    status,
    reader: makeServing({ db, status, looking }, reader),
    acquaintance,
    plugin,
    standing,
    connections: pool,
    parts: () => now.parts,
    problems: watch.problems,
    refresh,
    async reconfigure(next, signal) {
      const parts = await readParts(db, next);
      if (!isDeepStrictEqual(next.relatedTables, now.config.relatedTables)) {
        const { related } = parts.hosts;
        const { mode } = next.capture;
        await installOnce(db, parts.catalog, { related, mode, ...(signal === undefined ? {} : { signal }) });
      }
      now = inForce(next, parts);
      peers.update(next);
    },
    routes,
    route,
    client,
    isScanPending: scanning.isPending,
    scanning,
    scanPage: scanning.page,
    drain,
    deliver: (to, signal) => deliverTo(delivering, to, signal),
    accept: (records, from, how = {}) => apply(records, from, how),
    retryParked: (retry = {}) => looking(() => retryParkedOnce(applyDeps(), { trace: newTrace(), ...retry })),
    feed: (peer, feedOptions) =>
      feedFrom(
        {
          db,
          leases,
          nowMs,
          random,
          appendLog,
          peers,
          apply,
          limit: () => now.config.feed.limit,
          pluginUrl: (name) => now.config.peers.find((one) => one.name === name && one.protocol === 'plugin')?.url,
          isZoneKnown: () => now.parts.zone.known,
          findRemoved: (records) => findRemovedElsewhere(applyDeps(), records),
        },
        route(peer),
        now.keyDigest,
        feedOptions,
      ),
    sweep: () => sweepOnce(db, now.parts.catalog),
    close: () => peers.close().then(() => pool.close()),
  };
}
