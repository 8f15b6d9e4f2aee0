/**
 * One site, put together: its database, what is known of its tables, its peers, and every kind of work on them. Commands
 * and the daemon use it alike; nothing here repeats by itself.
 */
import type { Kysely } from 'kysely';
import type { ApplyOptions } from '../apply/apply.ts';
import { sweepOnce } from '../apply/item-leftovers.ts';
import type { Retried, RetryOptions } from '../apply/retry-parked.ts';
import type { BaselinePage } from '../capture/baseline.ts';
import type { Drained } from '../capture/drain.ts';
import type { Config } from '../config/config.ts';
import type { Pool } from '../db/pool.ts';
import type { Delivered } from '../deliver/deliver.ts';
import type { FeedOptions, FeedSums } from '../feed/puller.ts';
import type { FeedReader } from '../feed/reader.ts';
import { SyncError } from '../model/errors.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import type { WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import type { HostSnapshot } from '../osclass/host.ts';
import type { PeerClient } from '../peer/client.ts';
import type { HelloCache } from '../peer/hello-cache.ts';
import { fillGapsOfPlugin } from '../plugin/fill-gaps.ts';
import { makePluginPeers, type PluginPeers } from '../plugin/peers.ts';
import type { ActivityLog } from '../store/activity-log.ts';
import { noteInstallation } from '../store/feed-cursor.ts';
import { installationId } from '../store/installation.ts';
import type { Leases } from '../store/lease.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import { requireParkedRoom } from '../apply/parked-quota.ts';
import { makeApplying, type Applying } from './applying.ts';
import { deliverTo } from './deliver.ts';
import { makeDraining } from './draining.ts';
import { feedFrom } from './feed.ts';
import { openFoundation, type Foundation } from './foundation.ts';
import type { HostWatch } from './host-watch.ts';
import { makeOutboxWriter } from './outbox-writer.ts';
import { makePeers, type Peers } from './peers.ts';
import { makeScans, type Scans } from './scans.ts';
import { makeFeedServer } from './feed-server.ts';
import { noteTakenSignature, readTakenSignature } from '../store/taken-signatures.ts';
import type { SiteOptions } from './site-options.ts';
import type { IdentityCheck } from './identity-check.ts';

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
  readonly helloCache: HelloCache;
  readonly connections: Pick<Pool, 'use' | 'renew'>;
  /** Peers that run the PHP plugin. */
  readonly plugin: PluginPeers;
  /** Whether this is where the database was; if not, whatever sends or applies throws `RESTORED_OR_CLONED`. */
  readonly identityCheck: IdentityCheck;
  /** The host as last looked at. */
  snapshot(): HostSnapshot;
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
  readonly scans: Scans;
  /** A page of it, or those of `forMs` milliseconds; undefined: another process is scanning. */
  scanPage(forMs?: number): Promise<BaselinePage | undefined>;
  /** One drain pass; nothing is done while another process drains. */
  drain(signal?: AbortSignal): Promise<Drained>;
  /** One delivery pass; nothing is done while another process delivers to that peer. */
  deliver(route: PeerRoute, signal?: AbortSignal): Promise<Delivered>;
  /** Applies what a peer sent. */
  accept(records: readonly WireRecord[], from: RecordSource, options?: ApplyOptions): Promise<Outcome[]>;
  /** Throws `QUOTA` if as much of the peer is parked as may be: nothing more is to be taken from it now. */
  requireParkedRoom(peer: string): Promise<void>;
  retryParked(retry?: RetryOptions): Promise<Retried>;
  readonly say: Applying['say'];
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
  const base = await openFoundation(config, options);
  const { pool, db, leases, activity, status, identityCheck, view, now } = base;
  const route = (peer: string): PeerRoute => routeTo(now().routes, peer);
  const work = makeSiteWork(base, route);
  const { outbox, plugin, scans, drain, apply, retryParked, say, findRemoved } = work;
  const peers = peersOf(base, plugin);
  return {
    get config() {
      return now().config;
    },
    get origin() {
      return now().origin;
    },
    db,
    leases,
    activity,
    status,
    reader: makeFeedServer({ ...base, outbox, drain, feedsMustWait: scans.feedsMustWait }),
    helloCache: peers.helloCache,
    plugin,
    identityCheck,
    connections: pool,
    snapshot: () => now().snapshot,
    problems: view.problems,
    refresh: view.refresh,
    async reconfigure(next, signal) {
      const putInForce = await view.prepare(next, signal);
      putInForce();
      peers.update(next);
    },
    routes: () => now().routes,
    route,
    client: peers.client,
    isScanPending: scans.isPending,
    scans,
    scanPage: scans.page,
    drain,
    deliver: (to, signal) => deliverTo({ ...base, peers, plugin }, to, signal),
    accept: apply,
    requireParkedRoom: (peer) => requireParkedRoom(db, peer, now().config.quotas),
    retryParked,
    say,
    feed: (peer, feedOptions) => feedFrom({ ...base, peers, apply, findRemoved }, route(peer), feedOptions),
    sweep: () => sweepOnce(db, now().snapshot.catalog),
    close: () => peers.close().then(() => pool.close()),
  };
}

function routeTo(routes: readonly PeerRoute[], peer: string): PeerRoute {
  const found = routes.find((candidate) => candidate.name === peer);
  if (found === undefined) throw new SyncError('PEER_UNKNOWN', `No peer "${peer}" in the config.`);
  return found;
}

/**
 * The work on the site's own database. Its parts need each other: what is applied is told to the plugin peers, which apply
 * what they hear.
 */
function makeSiteWork(base: Foundation, route: Site['route']) {
  const { db, nowMs, appendLog, now } = base;
  const outbox = makeOutboxWriter(
    () => now().routes.map(({ name }) => name),
    (runner, removal) => plugin.removed(runner, removal),
  );
  const { captureDeps, drain } = makeDraining({ ...base, outbox });
  const applying = makeApplying({
    ...base,
    outbox,
    applied: (trx, from, records, outcomes) => plugin.applied(trx, from, { records, outcomes }),
  });
  const { apply, retryParked } = applying;
  const scans = makeScans({
    ...base,
    captureDeps,
    drain,
    capture: () => now().config.capture,
    catalog: () => now().snapshot.catalog,
    fillGaps: () => fillGapsOfPlugin({ db, nowMs, appendLog }, now().snapshot),
  });
  const plugin: PluginPeers = makePluginPeers({
    ...base,
    outbox,
    route,
    drain,
    apply,
    config: () => now().config,
    origin: () => now().origin,
    snapshot: () => now().snapshot,
    feedsMustWait: scans.feedsMustWait,
    retryParked: (ids) => retryParked({ ids }),
  });
  return { ...applying, outbox, drain, scans, plugin };
}

function peersOf({ db, status, nowMs, now }: Foundation, plugin: PluginPeers): Peers {
  return makePeers(
    now().config,
    status,
    nowMs,
    plugin.client,
    {
      ours: () => installationId(db),
      note: (peer, owner) => noteInstallation(db, peer, owner),
    },
    {
      read: (peer) => readTakenSignature(db, peer),
      note: (peer, fingerprint) => noteTakenSignature(db, peer, fingerprint),
    },
  );
}
