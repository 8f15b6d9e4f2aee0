/** Deliveries of one site: connects src/deliver with the stores, peers and config of the site. */
import type { Kysely } from 'kysely';
import type { Lease, Leases } from '../store/lease.ts';
import type { AppendLog, ReadValidation } from '../store/ports.ts';
import type { Undrained } from '../store/undrained.ts';
import { withLease } from '../store/with-lease.ts';
import type { ActiveConfig } from './active-config.ts';
import type { Meter } from '../metrics/meter.ts';
import { PROOFS, ROWS } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import { makeZone } from '../osclass/timezone.ts';
import type { Answered } from '../deliver/batch.ts';
import { deliverOnce, type Delivered } from '../deliver/deliver.ts';
import type { Peers } from './peers.ts';
import type { PluginPeers } from '../plugin/peers.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { newTrace } from '../runtime/trace.ts';

/** What deliveries need of their site. */
export interface DeliveringSite {
  readonly db: Kysely<unknown>;
  readonly leases: Leases;
  readonly status: PeerStatus;
  readonly nowMs: () => number;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly appendLog: AppendLog;
  readonly peers: Pick<Peers, 'noted' | 'helloCache' | 'keyDigest'>;
  readonly plugin: Pick<PluginPeers, 'batchSize'>;
  readonly now: () => ActiveConfig;
  /** Runs a pass; once more where the host turns out to be other than it was last seen. */
  readonly withFreshHost: <T>(pass: () => Promise<T>) => Promise<T>;
  readonly meter: Meter | undefined;
  readonly undrained: Undrained;
  readonly validation: ReadValidation;
}

/** Two keep a daemon at work on the other side; more would only wait for it. */
const REQUESTS_AT_ONCE = 2;

/** One delivery pass; see {@link deliverOnce}. Nothing is done while another process delivers to that peer. */
export async function deliverTo(site: DeliveringSite, to: PeerRoute, signal?: AbortSignal): Promise<Delivered> {
  const { status, leases, withFreshHost, db } = site;
  let records = 0;
  const count = (confirmed: number): void => {
    records += confirmed;
  };
  try {
    const delivered = await withLease(leases, `deliver:${to.name}`, (lease) =>
      withFreshHost(() => pass(site, to, { lease, signal, count })),
    );
    return delivered ?? { done: 0, full: false, kept: 0 };
  } finally {
    // What was confirmed before a failure counts too.
    if (records > 0) await status.recordSynced(db, to.name, 'to', { records, isNews: true });
  }
}

/** Whose work a pass is, and who counts what the peer confirmed. */
interface Pass {
  readonly lease: Lease;
  readonly signal: AbortSignal | undefined;
  readonly count: (confirmed: number) => void;
}

function pass(site: DeliveringSite, to: PeerRoute, { lease, signal, count }: Pass): Promise<Delivered> {
  const { db, nowMs, appendLog, peers, plugin, undrained, validation } = site;
  const { helloCache } = peers;
  const {
    config: { guard, stream },
    snapshot,
    origin,
    routes,
  } = site.now();
  return deliverOnce(
    {
      db,
      origin,
      nowMs,
      newTrace,
      appendLog,
      // It may be another in the course of a pass.
      get keyDigest() {
        return peers.keyDigest(to.name);
      },
      undrained,
      validation,
      lease,
      hosts: snapshot.hosts,
      routes: () => routes,
      formFor: async (peer, stop) => {
        const { timezone, features } = await helloCache.hello(peer, stop);
        return {
          zone: timezone ? snapshot.zone : makeZone(null),
          saysRows: features?.includes(ROWS) === true,
          saysProofs: features?.includes(PROOFS) === true,
          isByAddress: plugin.batchSize(peer) !== undefined,
        };
      },
      backoffMs: (attempts) => backoffMs(attempts, site.random()),
      batchSize: () => plugin.batchSize(to.name) ?? stream.batchSize,
      requestsAtOnce: () => (plugin.batchSize(to.name) === undefined ? REQUESTS_AT_ONCE : 1),
      guard,
      userTable: snapshot.catalog.requireTable('t_user').name,
      send: (peer, records, call) => peers.noted(peer, (one) => one.stream(records, call)),
      probe: (peer, call) => peers.noted(peer, (one) => one.probe(call)),
      onAnswered: (peer, answered) => {
        count(answered.filter(({ result }) => isTaken(result, plugin.batchSize(to.name) !== undefined)).length);
        site.meter?.answered(peer, answered);
      },
    },
    to,
    signal,
  );
}

/** True if the peer took the record. A plugin peer is not sent what it has. */
function isTaken(result: Answered['result'], isPlugin: boolean): boolean {
  return result === 'applied' || (!isPlugin && (result === 'unchanged' || result === 'parked'));
}
