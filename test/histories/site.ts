/**
 * One site of a history: the daemon's own drain, delivery, applying and feeding, over a database in memory. Put together
 * as src/site/site.ts does it, but for leases and HTTP.
 */
import { v5 } from 'uuid';
import { applyRecords } from '../../src/apply/apply.ts';
import { busyOf } from '../../src/apply/outcomes.ts';
import { type RecordSource, type Outcome, toStreamResult } from '../../src/model/outcome.ts';
import { parkRecords, renumberParked, unparkForgotten, wakeParked } from '../../src/store/parked.ts';
import { retryParkedOnce } from '../../src/apply/retry-parked.ts';
import type { ApplyDeps } from '../../src/apply/chunk.ts';
import { adopt } from '../../src/capture/adopt.ts';
import { baselineOnce } from '../../src/capture/baseline.ts';
import type { CaptureDeps } from '../../src/capture/deps.ts';
import { drainOnce } from '../../src/capture/drain.ts';
import type { Lease } from '../../src/store/lease.ts';
import { noteFirstSight, noteValidation } from '../../src/store/first-sight.ts';
import type { OutboxWriter } from '../../src/store/ports.ts';
import { restampUsers } from '../../src/store/restamp.ts';
import { readShadows, requireUid } from '../../src/store/shadows.ts';
import { SyncError } from '../../src/model/errors.ts';
import type { StreamAnswer, UserRecord, WireRecord } from '../../src/model/record.ts';
import { makeSelection } from '../../src/model/policy.ts';
import type { Validation } from '../../src/model/proof.ts';
import type { PeerRoute } from '../../src/model/route.ts';
import { encodeUser } from '../../src/osclass/records.ts';
import { deliverOnce } from '../../src/deliver/deliver.ts';
import { makeUndrained } from '../../src/store/undrained.ts';
import { dropUsers, enqueue, renumberEntries, usersWaiting } from '../../src/store/outbox.ts';
import { asConnection, Memory } from './memory/database.ts';
import { CATALOG, HOSTS, LOCALES, LOCATIONS, REGISTERED_MS, ZONE } from './memory/host.ts';
import { NO_GUARD } from '../support/guard.ts';

/** A site. */
export interface HistorySite {
  readonly name: string;
  readonly memory: Memory;
  /** Gives every user a shadow. `zoneMs`: what a wrong time zone adds to dates. */
  baseline(zoneMs?: number): Promise<void>;
  /** One drain pass. Returns how many markers it processed. */
  drain(): Promise<number>;
  /** One delivery pass to a peer. Returns how many records were sent. */
  deliver(to: string, send: (records: readonly WireRecord[]) => Promise<StreamAnswer>): Promise<number>;
  /** What `POST /v1/stream` does. */
  accept(from: string, records: readonly WireRecord[]): Promise<StreamAnswer>;
  /** Users as a feed serves them. */
  page(to: string): Promise<UserRecord[]>;
  /** Merges such a page. */
  feed(from: string, records: readonly UserRecord[]): Promise<void>;
  /** Hears that a peer is another installation than it was. */
  noteInstalledAgain(peer: string): Promise<void>;
  /** Tries parked records again. Returns what became of them. */
  retryParked(): Promise<readonly Outcome[]>;
}

/** What a site is made of. */
export interface SitePlan {
  readonly name: string;
  readonly priority: number;
  readonly peers: readonly string[];
  readonly relay: boolean;
  /** Most records in one request. */
  readonly batch: number;
}

const LEASE: Lease = {
  name: 'drain',
  renewEveryMs: 10_000,
  fence: () => Promise.resolve(),
  renew: () => Promise.resolve(),
  release: () => Promise.resolve(),
};
const UNDRAINED = makeUndrained('triggers');
const NAMESPACE = '3a0f8d52-8f3e-4c53-9a55-0d6a3c4f6b10';

/** Opens a site with an empty database. `nowMs`: its own clock. */
export function openHistorySite(plan: SitePlan, nowMs: () => number): HistorySite {
  const memory = new Memory(nowMs);
  const db = asConnection(memory);
  const { name, peers } = plan;
  const origin = { site: name, priority: plan.priority };
  const everything = makeSelection('all', []);
  const routes: readonly PeerRoute[] = peers.map((peer) => ({
    name: peer,
    send: true,
    receive: true,
    emailTrust: 'auto',
    relay: plan.relay,
    removalMode: 'delete',
    sends: everything,
    accepts: everything,
    sanitize: 'none',
  }));
  const routeOf = (peer: string): PeerRoute => routes.find((route) => route.name === peer) as PeerRoute;
  const outbox: OutboxWriter = {
    enqueue: (runner, entries, at) => enqueue(runner, entries, at),
    usersWaiting: (runner, userIds) => usersWaiting(runner, peers, userIds),
    dropUsers: (runner, userIds) => dropUsers(runner, peers, userIds),
    renumber: (runner, moves, at) => renumberEntries(runner, moves, at),
  };
  const randomUid = (): ReturnType<typeof requireUid> => requireUid(v5(`${name} ${memory.next()}`, NAMESPACE));
  const clock = { nowMs, toEpochMs: ZONE.toEpochMs };
  const renumberWaiting: CaptureDeps['renumberWaiting'] = (trx, moves) => renumberParked(trx, moves);
  const validation = (): Promise<Validation> => noteValidation(db, memory.validates, nowMs());
  const common = {
    db,
    validation,
    hosts: HOSTS,
    outbox,
    renumberWaiting,
    origin,
    ...clock,
    randomUid,
    routes: () => routes,
  };
  const appendLog = (): Promise<void> => Promise.resolve();
  const applyDeps: ApplyDeps = {
    ...common,
    catalog: CATALOG,
    locations: LOCATIONS,
    zone: ZONE,
    appendLog,
    randomBytes: (size) => new Uint8Array(size),
    guard: NO_GUARD,
    quotas: { parkedRows: Infinity, parkedBytes: Infinity },
    removal: { itemsOfBlocked: 'keep', related: [] },
    usersWaiting: outbox.usersWaiting,
    undrained: UNDRAINED,
    adopt: (user) => adopt(user, { origin, ...clock }),
    registeredMs: REGISTERED_MS,
    locales: () => Promise.resolve(new Set(LOCALES)),
  };
  const from = (peer: string, via: RecordSource['via']): RecordSource => ({
    route: routeOf(peer),
    via,
    trace: '',
    ip: null,
    keyDigest: null,
    overwrite: false,
  });

  return {
    name,
    memory,
    async baseline(zoneMs = 0) {
      await noteFirstSight(db, memory.validates);
      const toEpochMs = (local: string): number => (ZONE.toEpochMs(local) ?? 0) + zoneMs;
      await baselineOnce({ ...common, toEpochMs }, LEASE);
    },
    async drain() {
      const { done, changed } = await drainOnce(common, LEASE);
      await wakeParked(db, changed);
      return done;
    },
    async deliver(to, send) {
      let sent = 0;
      await deliverOnce(
        {
          db,
          hosts: HOSTS,
          validation,
          origin,
          nowMs,
          appendLog,
          routes: () => routes,
          undrained: UNDRAINED,
          lease: LEASE,
          keyDigest: '',
          newTrace: () => '',
          batchSize: () => plan.batch,
          requestsAtOnce: () => 1,
          onAnswered: () => undefined,
          probe: () => Promise.reject(new SyncError('PEER_UNREACHABLE')),
          formFor: () => Promise.resolve({ zone: ZONE, saysRows: true, saysProofs: true, isByAddress: false }),
          guard: NO_GUARD,
          userTable: CATALOG.requireTable('t_user').name,
          backoffMs: (attempts) => Math.min(1_000 * 2 ** attempts, 60_000),
          send: (_peer, records) => {
            sent += records.length;
            return send(records);
          },
        },
        routeOf(to),
      );
      return sent;
    },
    async accept(peer, records) {
      const outcomes = await applyRecords(applyDeps, records, from(peer, 'stream'));
      return { status: 'OK', results: outcomes.map(toStreamResult) };
    },
    async page(to) {
      const users = await HOSTS.after(db, 0, 1000, { eligible: true });
      const ids = users.map((user) => user.id);
      const shadows = await restampUsers(common, await readShadows(db, ids));
      const proving = { origin, nowMs: nowMs(), validation: await validation() };
      return users.flatMap((user) => {
        const stored = shadows.get(user.id);
        const encoded =
          stored === undefined
            ? undefined
            : encodeUser(user, stored, routeOf(to).sends, HOSTS, ZONE, { saysRows: true, proving });
        return encoded === undefined ? [] : [encoded.record];
      });
    },
    async feed(peer, records) {
      await applyRecords(applyDeps, records, from(peer, 'feed'), {
        within: async (trx, { records: chunk, outcomes }) => {
          await parkRecords(trx, busyOf(peer, chunk, outcomes, nowMs()), nowMs());
        },
      });
    },
    noteInstalledAgain: (peer) => unparkForgotten(db, peer),
    async retryParked() {
      return (await retryParkedOnce(applyDeps, { trace: '' })).outcomes;
    },
  };
}
