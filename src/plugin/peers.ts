/** Peers that run the PHP plugin, for one site: what src/plugin can do, put together with what the site can. */
import type { Kysely, Transaction } from 'kysely';
import type { AppliedChunk } from '../apply/apply.ts';
import { busyOf } from '../apply/outcomes.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { dropParked, parkedIdsOf, parkRecords } from '../store/parked.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import type { AppendLog, OutboxWriter, Removed } from '../store/ports.ts';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { FeedPage, WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import type { Parts } from '../osclass/host.ts';
import type { PeerClient } from '../peer/client.ts';
import { accountIdOf } from './account.ts';
import { makePluginClient, probe, type PluginClient } from './client.ts';
import { usersWaiting } from '../store/outbox.ts';
import type { Memory } from '../model/plugin-memory.ts';
import { givePage } from './serve-page.ts';
import { helloOf } from './hello.ts';
import { outdatedAt } from './stale-peers.ts';
import { memoryOf, prepareRows, type Prepared } from './receive-rows.ts';
import type { PluginRow } from './row.ts';
import {
  countUnguarded,
  noteGone,
  noteRemoved,
  forgetReplaced,
  forgetUndecided,
  noteReplaced,
  readSeen,
  sweepSeen,
  writeAccounts,
  writeMemories,
} from '../store/plugin-seen.ts';
import { sendRecords } from './send-records.ts';
import type { Caller, Named } from './http-handler.ts';
import { takePage } from './pull-page.ts';
import { inOurTimes, peerTimes, type PeerTimes } from './times.ts';
import { makeRandomBytes } from '../runtime/random-bytes.ts';
import { newTrace } from '../runtime/trace.ts';
import { passwordEntry } from './password-log.ts';
import { decideRemovals, removeFor, type RemovalSite } from './removals.ts';

/** What these peers need of their site. */
export interface PluginSite {
  readonly config: () => Config;
  readonly db: Kysely<unknown>;
  readonly origin: () => Origin;
  readonly nowMs: () => number;
  readonly randomUid: () => Uid;
  readonly outbox: OutboxWriter;
  readonly appendLog: AppendLog;
  readonly parts: () => Parts;
  readonly route: (peer: string) => PeerRoute;
  /** Works off markers, so that every user has a shadow and what was changed here is stamped before what comes. */
  readonly drain: () => Promise<unknown>;
  readonly feedsMustWait: () => Promise<boolean>;
  readonly apply: (records: readonly WireRecord[], from: RecordSource) => Promise<Outcome[]>;
  /** Tries parked records again, now. */
  readonly retryParked: (ids: readonly number[]) => Promise<unknown>;
}

/** The plugin peers of a site. */
export interface PluginPeers {
  /** A client that speaks the plugin's protocol behind the shape of ours; undefined for other peers. */
  client(peer: PeerConfig): PeerClient | undefined;
  /** See {@link OutboxWriter}. */
  removed(runner: Runner, removal: Removed): Promise<void>;
  /** Remembers what the peer said, in the transaction that applied it. */
  applied(
    trx: Transaction<unknown>,
    from: RecordSource,
    chunk: Pick<AppliedChunk, 'records' | 'outcomes'>,
  ): Promise<void>;
  takeRow(row: PluginRow, caller: Caller): Promise<Outcome | undefined>;
  takeRemoval(email: string, caller: Caller): Promise<Named | undefined>;
  giveFeed(after: number, caller: Caller): Promise<{ message: string; rows: readonly unknown[] }>;
  /** How many accounts at the peer have no secret though it was sent one. */
  unguarded(peer: string): Promise<number>;
  /** Most users of one delivery; undefined for other peers. */
  batchSize(peer: string): number | undefined;
  /** Forgets what is not needed any more. */
  sweep(): Promise<void>;
}

/** Most users that are served in one call: the plugin takes them in one request of its own. */
const MOST_SERVED = 200;
/** Each is a request of its own, and all together should not outlast a lease. */
const MOST_SENT = 25;
/** The plugin waits for 30 s for the answer to a removal, and is asked about it meanwhile. */
const ASKING_MS = 5_000;
/** Nobody knows the priority of a plugin peer; it loses against every site that states one. */
const LAST_PRIORITY = 65_535;
const DAY_MS = 86_400_000;

/** Makes them; no connection is opened before the first call. */
export function makePluginPeers(site: PluginSite): PluginPeers {
  const { config, db, nowMs, outbox } = site;
  const names = (): string[] =>
    config()
      .peers.filter((peer) => peer.protocol === 'plugin')
      .map((peer) => peer.name);
  /** Several plugins may repeat each other's removals, any number of times. */
  const isRound = (): boolean => names().length > 1;
  const prepared = new WeakMap<WireRecord, Prepared>();
  const randomBytes = makeRandomBytes();
  const timesOf = (peer: string): PeerTimes => peerTimes(config().peers, peer, site.parts().zone);

  const prepare = async (route: PeerRoute, rows: readonly PluginRow[], via: 'stream' | 'feed'): Promise<Prepared[]> => {
    await site.drain();
    const { hosts, zone } = site.parts();
    const times = timesOf(route.name);
    const local = rows.map((row) => inOurTimes(row, hosts, times));
    const ready = await prepareRows(db, route.name, local, {
      hosts,
      via,
      origin: site.origin(),
      nowMs: nowMs(),
      randomUid: site.randomUid,
      peer: { site: route.name, priority: LAST_PRIORITY },
      toEpochMs: zone.toEpochMs,
      times,
      sends: route.sends,
      tells: route.send,
    });
    for (const one of ready) if (one.record !== undefined) prepared.set(one.record, one);
    return ready;
  };

  const parkedOf = (peer: string, uid: Uid): Promise<number[]> => parkedIdsOf(db, peer, uid);
  const removals = (): RemovalSite => ({
    db,
    hosts: site.parts().hosts,
    times: timesOf,
    origin: site.origin(),
    nowMs,
    outbox,
    apply: site.apply,
    isRound: isRound(),
    async dropWaiting(peer, uid) {
      for (const parked of await parkedOf(peer, uid)) await dropParked(db, parked);
    },
    async retryWaiting(peer, uid) {
      const ids = await parkedOf(peer, uid);
      if (ids.length > 0) await site.retryParked(ids);
    },
    asking: (peer) => makePluginClient({ ...urlAndKey(peer), totalTimeoutMs: ASKING_MS }),
  });

  const originationOf = ({
    route,
    trace,
    ip,
    keyDigest,
  }: Pick<RecordSource, 'route' | 'trace' | 'ip' | 'keyDigest'>): RecordSource => {
    return { route, via: 'stream', trace, ip, keyDigest, overwrite: false, approved: false };
  };

  const urlAndKey = (peer: string): { url: string; apiKey: string } => {
    const url = config().peers.find((one) => one.name === peer)?.url ?? '';
    return { url, apiKey: config().site.apiKey };
  };

  const outgoingDeps = (peer: string) => {
    const { catalog, hosts } = site.parts();
    const table = catalog.requireTable('t_user');
    return { db, hosts, nowMs, table, related: hosts.related, randomBytes, times: timesOf(peer) };
  };

  const feedPage = async (
    peer: string,
    client: PluginClient,
    after: number,
    signal?: AbortSignal,
  ): Promise<FeedPage> => {
    const page = await takePage(client, after, signal);
    const ready = await prepare(site.route(peer), page.rows, 'feed');
    const users = ready.flatMap((one) => (one.record === undefined ? [] : [one.record]));
    // Totals are said only in the peer's own language.
    const figures = { total: page.count, remaining: 0, retrieved: page.count, limit: page.count, after };
    return { status: 'OK', message: page.message, users, ...figures, next: page.next, done: page.count === 0 };
  };

  /** Peers that have something else than what now came from one that is no plugin are told, whoever else may tell them. */
  const tellAgain = async (trx: Transaction<unknown>, outcomes: readonly Outcome[]): Promise<void> => {
    const changed = new Map(
      outcomes.flatMap(({ userId, registers, result }) =>
        userId !== null && registers.length > 0 && result !== 'retry' ? [[userId, registers] as const] : [],
      ),
    );
    if (changed.size === 0) return;
    for (const peer of names().filter((name) => site.route(name).send)) {
      const ids = await outdatedAt(trx, site.route(peer), changed, {
        hosts: site.parts().hosts,
        times: timesOf(peer),
      });
      await outbox.enqueue(
        trx,
        ids.map((ref) => ({ peer, kind: 'user', ref })),
        nowMs(),
      );
    }
  };

  return {
    client(peer) {
      if (peer.protocol !== 'plugin') return undefined;
      const client = makePluginClient({ url: peer.url, apiKey: config().site.apiKey });
      return {
        hello: async () => helloOf(peer.name, nowMs()),
        feed: ({ after }, { signal }) => feedPage(peer.name, client, after, signal),
        stream: (records, { signal, stillOurs }) =>
          sendRecords({ ...outgoingDeps(peer.name), client, stillOurs }, peer.name, records, signal),
        probe: ({ signal }) => probe(client, signal),
        weigh: () => Promise.resolve(),
        close: () => client.close(),
        // Each call has a connection of its own.
        retire: () => undefined,
      };
    },

    async removed(runner, { email, removalId, uids, told, from }) {
      for (const peer of names()) {
        const outcome = isRound() ? 'heard and echoed' : 'heard';
        const address = canonicalEmail(email);
        const seen = (await readSeen(runner, peer, [address])).get(address);
        // The account that has the address there is another: it must not hear of this.
        if (seen !== undefined && seen.memory !== null && seen.user !== null && !uids.includes(seen.user)) continue;
        if (peer === from) await noteGone(runner, peer, address, outcome, nowMs());
        else await noteRemoved(runner, peer, { email, removalId, told: told.includes(peer) }, nowMs());
      }
    },

    async applied(trx, from, { records, outcomes }) {
      if (!names().includes(from.route.name)) await tellAgain(trx, outcomes);
      const memories = new Map<string, Memory>();
      const accounts = new Map<string, { user: Uid; accountId: string }>();
      const logs: LogEntry[] = [];
      const follow: (() => Promise<void>)[] = [];
      const peer = from.route.name;
      for (const [index, record] of records.entries()) {
        const one = prepared.get(record);
        const outcome = outcomes[index];
        if (one === undefined || outcome === undefined) continue;
        const { userId, notes } = outcome;
        const { email } = one.row;
        const { user, replaced } = one;
        const notStored = notes.flatMap(({ code, register }) => (code === 'VALUE_UNSTORABLE' ? (register ?? []) : []));
        const isOnItsWay =
          userId !== null && one.news.length > 0 && (await usersWaiting(trx, [peer], [userId])).size > 0;
        if (one.memory !== undefined)
          memories.set(email, memoryOf(one.memory, one.news, new Set(notStored), isOnItsWay));
        if (one.memory !== undefined && user !== undefined) {
          accounts.set(email, { user, accountId: accountIdOf(one.row) });
        }
        if (one.settles.removal) follow.push(() => forgetUndecided(trx, peer, email));
        if (one.settles.replaced) follow.push(() => forgetReplaced(trx, peer, email));
        if (replaced !== undefined) follow.push(() => noteReplaced(trx, peer, email, replaced, nowMs()));
        if (userId !== null && (one.knowsLess || isOnItsWay)) {
          follow.push(async () => {
            // Another plugin may have been told the same by it.
            const told = names().filter((name) => name === peer || site.route(name).send);
            await outbox.enqueue(
              trx,
              told.map((name) => ({ peer: name, kind: 'user', ref: userId })),
              nowMs(),
            );
          });
        }
        const { removal } = one;
        if (removal !== undefined) {
          follow.push(async () => {
            await outbox.enqueue(trx, [{ peer, kind: 'removal', ref: removal, guarded: true }], nowMs());
            await noteRemoved(trx, peer, { email: one.row.email, removalId: removal, told: true }, nowMs());
          });
        }
        if (one.withoutPassword && outcome.operation === 'insert') logs.push(passwordEntry(from, outcome));
      }
      await writeMemories(trx, peer, memories, nowMs());
      await writeAccounts(trx, peer, accounts);
      for (const act of follow) await act();
      if (from.via !== 'parked' && names().includes(peer)) {
        // The plugin sends nothing twice.
        await parkRecords(trx, busyOf(peer, records, outcomes, nowMs()), nowMs());
      }
      if (logs.length > 0) await site.appendLog(trx, logs);
    },

    async takeRow(row, caller) {
      const [one] = await prepare(caller.route, [row], 'stream');
      if (one?.record === undefined) return undefined;
      const [outcome] = await site.apply([one.record], originationOf(caller));
      return outcome;
    },

    async takeRemoval(email, caller) {
      await site.drain();
      return await removeFor(removals(), email, caller, originationOf(caller));
    },

    async giveFeed(after, { route }) {
      if (await site.feedsMustWait()) throw new SyncError('BASELINE_PENDING', undefined, { retryAfterS: 1 });
      await site.drain();
      return await givePage(
        { ...outgoingDeps(route.name), limit: Math.min(config().feed.limit, MOST_SERVED) },
        route,
        after,
      );
    },

    unguarded: (peer) => countUnguarded(db, peer),

    batchSize: (peer) => (names().includes(peer) ? MOST_SENT : undefined),

    async sweep() {
      await sweepSeen(db, names(), nowMs() - config().removal.tombstoneDays * DAY_MS);
      for (const peer of names()) {
        const caller = { route: site.route(peer), trace: newTrace(), ip: null, keyDigest: null };
        await decideRemovals(removals(), originationOf(caller));
      }
    },
  };
}
