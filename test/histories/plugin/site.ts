/**
 * A site with a daemon whose peers are a site with the PHP plugin and another daemon: put together as src/site/site.ts
 * does it, over a database in memory, without leases and HTTP.
 */
import { v5 } from 'uuid';
import { applyRecords, type ApplyOptions } from '../../../src/apply/apply.ts';
import { type RecordSource, type Outcome, toStreamResult } from '../../../src/model/outcome.ts';
import { parkRecords, renumberParked, wakeParked } from '../../../src/store/parked.ts';
import { busyOf } from '../../../src/apply/outcomes.ts';
import { retryParkedOnce } from '../../../src/apply/retry-parked.ts';
import type { ApplyDeps } from '../../../src/apply/chunk.ts';
import { adopt } from '../../../src/capture/adopt.ts';
import { baselineOnce } from '../../../src/capture/baseline.ts';
import { drainOnce } from '../../../src/capture/drain.ts';
import type { CaptureDeps } from '../../../src/capture/deps.ts';
import type { Config, PeerConfig } from '../../../src/config/config.ts';
import type { Column } from '../../../src/db/catalog.ts';
import type { Lease } from '../../../src/store/lease.ts';
import type { OutboxWriter } from '../../../src/store/ports.ts';
import { restampUsers } from '../../../src/store/restamp.ts';
import { readShadows, requireUid } from '../../../src/store/shadows.ts';
import { makeUndrained } from '../../../src/store/undrained.ts';
import { SyncError } from '../../../src/model/errors.ts';
import type { StreamAnswer, UserRecord, WireRecord } from '../../../src/model/record.ts';
import { makeSelection } from '../../../src/model/policy.ts';
import type { Validation } from '../../../src/model/proof.ts';
import type { PeerRoute } from '../../../src/model/route.ts';
import { encodeUser } from '../../../src/osclass/records.ts';
import type { Zone } from '../../../src/osclass/timezone.ts';
import { deliverOnce } from '../../../src/deliver/deliver.ts';
import { dropUsers, enqueue, renumberEntries, usersWaiting } from '../../../src/store/outbox.ts';
import { servePluginCall } from '../../../src/plugin/http-handler.ts';
import { makePluginPeers } from '../../../src/plugin/peers.ts';
import { asConnection, Memory } from '../memory/database.ts';
import { CATALOG, HOSTS, LOCALES, LOCATIONS } from '../memory/host.ts';
import type { PhpAnswer } from './php.ts';
import { NO_GUARD } from '../../support/guard.ts';

/** What such a site can be told to do. */
export interface DaemonSite {
  readonly name: string;
  readonly memory: Memory;
  baseline(): Promise<void>;
  drain(): Promise<number>;
  /** One delivery pass to every peer. */
  deliver(sendTo: (peer: string, records: readonly WireRecord[]) => Promise<StreamAnswer>): Promise<number>;
  /** What `POST /v1/stream` does. */
  accept(from: string, records: readonly WireRecord[]): Promise<StreamAnswer>;
  /** Users as a feed serves them to another daemon, and merging such. */
  page(to: string): Promise<UserRecord[]>;
  merge(from: string, records: readonly UserRecord[]): Promise<void>;
  /** A call of the plugin. */
  servePlugin(form: string): Promise<PhpAnswer>;
  /** A whole feed from the plugin. */
  feedFromPlugin(peer: string, overwrite: boolean): Promise<void>;
  retryParked(): Promise<readonly Outcome[]>;
}

/** What it is made of. */
export interface DaemonPlan {
  readonly name: string;
  readonly priority: number;
  readonly natives: readonly string[];
  /** Name of the plugin peer, its address, and the key it identifies itself with; it is relayed. */
  readonly plugin?: { readonly name: string; readonly url: string; readonly apiKey: string };
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

/** As a site has it whose accounts have a secret, and a user name. */
const WITH_SECRET = {
  ...CATALOG,
  requireTable: (base: string) => {
    const table = CATALOG.requireTable(base);
    const more = ['s_secret', 's_username'].map((name): [string, Column] => [
      name,
      { ...(table.column('s_name') as Column), name: name as Column['name'], maxChars: 100 },
    ]);
    const columns = new Map([...table.columns, ...more]);
    return { ...table, columns, column: (name: string) => columns.get(name) };
  },
} as typeof CATALOG;

/** Local time is UTC. */
const UTC_ZONE: Zone = {
  known: false,
  toUtc: (local) => local,
  toLocal: (utc) => utc,
  toEpochMs: (local) => {
    const ms = Date.parse(`${local.replace(' ', 'T')}Z`);
    return Number.isNaN(ms) ? undefined : ms;
  },
};

/** Opens it over a database. `nowMs`: its clock. */
export function openDaemonSite(plan: DaemonPlan, memory: Memory, nowMs: () => number): DaemonSite {
  const db = asConnection(memory);
  const { name, natives, plugin } = plan;
  const peers = [...natives, ...(plugin === undefined ? [] : [plugin.name])];
  const origin = { site: name, priority: plan.priority };
  const everything = makeSelection('all', []);
  const routes: readonly PeerRoute[] = peers.map((peer) => ({
    name: peer,
    send: true,
    receive: true,
    // Its people register on sites that validate addresses.
    emailTrust: peer === plugin?.name ? 'verified' : 'auto',
    relay: true,
    removalMode: 'delete',
    sends: everything,
    accepts: everything,
    sanitize: 'none',
  }));
  const route = (peer: string): PeerRoute => {
    const found = routes.find((one) => one.name === peer);
    if (found === undefined) throw new SyncError('PEER_UNKNOWN', peer);
    return found;
  };
  const outbox: OutboxWriter = {
    enqueue: (runner, entries, at) => enqueue(runner, entries, at),
    usersWaiting: (runner, userIds) => usersWaiting(runner, peers, userIds),
    dropUsers: (runner, userIds) => dropUsers(runner, peers, userIds),
    removed: (runner, removal) => pluginPeers.removed(runner, removal),
    renumber: (runner, moves, at) => renumberEntries(runner, moves, at),
  };
  const randomUid = (): ReturnType<typeof requireUid> => requireUid(v5(`${name} ${memory.next()}`, NAMESPACE));
  const clock = { nowMs, toEpochMs: UTC_ZONE.toEpochMs };
  const renumberWaiting: CaptureDeps['renumberWaiting'] = (trx, moves) => renumberParked(trx, moves);
  const validation = (): Promise<Validation> =>
    Promise.resolve({ sinceMs: 0, didAtFirstSight: true, isFirstSight: false });
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
    zone: UTC_ZONE,
    appendLog,
    randomBytes: (size) => new Uint8Array(size),
    guard: NO_GUARD,
    quotas: { parkedRows: Infinity, parkedBytes: Infinity },
    removal: { itemsOfBlocked: 'keep', related: [] },
    usersWaiting: outbox.usersWaiting,
    undrained: UNDRAINED,
    adopt: (user) => adopt(user, { origin, ...clock }),
    locales: () => Promise.resolve(new Set(LOCALES)),
    registeredMs: UTC_ZONE.toEpochMs,
    applied: (trx, from, records, outcomes) => pluginPeers.applied(trx, from, { records, outcomes }),
  };
  const from = (peer: string, via: RecordSource['via'], overwrite = false): RecordSource => ({
    route: route(peer),
    via,
    trace: '',
    ip: null,
    keyDigest: null,
    overwrite,
  });
  const drain = async (): Promise<number> => {
    const { done, changed } = await drainOnce(common, LEASE);
    await wakeParked(db, changed);
    return done;
  };
  const apply = (records: readonly WireRecord[], of: RecordSource, how: ApplyOptions = {}): Promise<Outcome[]> =>
    applyRecords(applyDeps, records, of, how);
  const config = {
    site: { name },
    feed: { limit: 200 },
    removal: { tombstoneDays: 90 },
    peers:
      plugin === undefined
        ? []
        : [{ name: plugin.name, url: plugin.url, protocol: 'plugin', sendKey: `key-of-${name}` }],
  } as unknown as Config;
  const pluginPeers = makePluginPeers({
    db,
    nowMs,
    randomUid,
    outbox,
    appendLog,
    route,
    drain,
    apply,
    config: () => config,
    origin: () => origin,
    snapshot: () => ({
      catalog: WITH_SECRET,
      hosts: HOSTS,
      zone: UTC_ZONE,
      locations: LOCATIONS,
      locales: new Set(LOCALES),
    }),
    feedsMustWait: () => Promise.resolve(false),
    validation,
    retryParked: (ids) => retryParkedOnce(applyDeps, { trace: '', ids }),
  });
  const within = (peer: string): ApplyOptions => ({
    within: async (trx, { records, outcomes }) => {
      await parkRecords(trx, busyOf(peer, records, outcomes, nowMs()), nowMs());
    },
  });

  return {
    name,
    memory,
    async baseline() {
      await baselineOnce(common, LEASE);
    },
    drain,
    async deliver(sendTo) {
      let sent = 0;
      for (const to of routes) {
        const client =
          to.name === plugin?.name ? pluginPeers.client(config.peers[0] as PeerConfig, () => '') : undefined;
        const send = async (records: readonly WireRecord[]): Promise<StreamAnswer> => {
          const answer =
            client === undefined
              ? await sendTo(to.name, records)
              : await client.stream(records, { trace: '', stillOurs: LEASE.fence });
          sent += answer.results.filter(({ result }) => result !== 'retry').length;
          return answer;
        };
        await deliverOnce(
          {
            db,
            hosts: HOSTS,
            origin,
            nowMs,
            appendLog,
            routes: () => routes,
            undrained: UNDRAINED,
            validation,
            lease: LEASE,
            keyDigest: '',
            newTrace: () => '',
            batchSize: () => 25,
            requestsAtOnce: () => 1,
            onAnswered: () => undefined,
            formFor: () => Promise.resolve({ zone: UTC_ZONE, saysRows: true, saysProofs: true, isByAddress: false }),
            guard: NO_GUARD,
            userTable: CATALOG.requireTable('t_user').name,
            backoffMs: (attempts) => Math.min(1_000 * 2 ** attempts, 60_000),
            probe: () => Promise.reject(new SyncError('PEER_UNREACHABLE')),
            send: (_peer, records) => send(records),
          },
          to,
        ).catch((error: unknown) => {
          if (!(error instanceof SyncError)) throw error;
        });
      }
      return sent;
    },
    async accept(peer, records) {
      const outcomes = await apply(records, from(peer, 'stream'));
      return { status: 'OK', results: outcomes.map(toStreamResult) };
    },
    async page(to) {
      await drain();
      const users = await HOSTS.after(db, 0, 1000, { eligible: true });
      const ids = users.map((user) => user.id);
      const shadows = await restampUsers(common, await readShadows(db, ids));
      return users.flatMap((user) => {
        const stored = shadows.get(user.id);
        const encoded = stored === undefined ? undefined : encodeUser(user, stored, route(to).sends, HOSTS, UTC_ZONE);
        return encoded === undefined ? [] : [encoded.record];
      });
    },
    async merge(peer, records) {
      await drain();
      await apply(records, from(peer, 'feed'), within(peer));
    },
    async servePlugin(form) {
      const { receiveRow, receiveRemoval, serveFeed } = pluginPeers;
      const response = await servePluginCall(
        {
          receiveRow: async (row, caller) => (await receiveRow(row, caller)).result,
          receiveRemoval,
          serveFeed,
          appendLog,
        },
        Buffer.from(form),
        { route: route(plugin?.name ?? ''), keyDigest: '', trace: '', ip: '' },
      );
      return { http: response.httpStatus, body: JSON.stringify(response.body) };
    },
    async feedFromPlugin(peer, overwrite) {
      const client = pluginPeers.client(config.peers[0] as PeerConfig, () => '');
      if (client === undefined) return;
      for (let after = 0, done = false; !done;) {
        const page = await client.feed({ after, limit: 200, times: 'local' }, { trace: '' });
        await apply(page.users, from(peer, 'feed', overwrite), within(peer));
        ({ done, next: after } = page);
      }
    },
    async retryParked() {
      return (await retryParkedOnce(applyDeps, { trace: '' })).outcomes;
    },
  };
}
