/** Peers that run the PHP plugin, for one site: what src/plugin can do, put together with what the site can. */
import type { Kysely, Transaction } from 'kysely';
import type { AppliedChunk } from '../apply/applier.ts';
import { busyOf } from '../apply/conclude.ts';
import type { Origination, Outcome } from '../apply/outcome.ts';
import { parkRecords } from '../apply/parked.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import type { OwnTables } from '../db/catalog.ts';
import type { AppendLog, OutboxWriter, Removed } from '../db/ports.ts';
import { hashRemovedEmail, readShadows } from '../db/shadows.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { ERRORS, SyncError } from '../model/errors.ts';
import { maskEmail, type LogEntry } from '../model/log-entry.ts';
import type { FeedPage, RemovalRecord, WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import { compareStamps, formatStamp, nextStamp, type Origin } from '../model/stamp.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import type { Parts } from './parts.ts';
import type { PeerClient } from '../peer/client.ts';
import { makePluginClient, type PluginClient } from '../plugin/client.ts';
import { usersWaiting } from '../outbox/store.ts';
import type { Memory } from '../plugin/memory.ts';
import { givePage } from '../plugin/give-feed.ts';
import { helloOf } from '../plugin/hello.ts';
import { outdatedAt } from '../plugin/outdated.ts';
import { memoryOf, prepareRows, type Prepared } from '../plugin/receive.ts';
import type { PluginRow } from '../plugin/row.ts';
import { noteGone, noteRemoved, readSeen, sweepSeen, writeMemories } from '../plugin/seen-store.ts';
import { sendRecords } from '../plugin/send.ts';
import type { Caller, Named } from '../plugin/serve.ts';
import { takePage } from '../plugin/take-feed.ts';

/** What these peers need of their site. */
export interface PluginSite {
  readonly config: () => Config;
  readonly db: Kysely<unknown>;
  readonly own: OwnTables;
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
  readonly apply: (records: readonly WireRecord[], from: Origination) => Promise<Outcome[]>;
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
    from: Origination,
    chunk: Pick<AppliedChunk, 'records' | 'outcomes'>,
  ): Promise<void>;
  takeRow(row: PluginRow, caller: Caller): Promise<Outcome | undefined>;
  takeRemoval(email: string, caller: Caller): Promise<Named | undefined>;
  giveFeed(after: number, caller: Caller): Promise<{ message: string; rows: readonly unknown[] }>;
  /** Most users of one delivery; undefined for other peers. */
  batchSize(peer: string): number | undefined;
  /** Forgets what is not needed any more. */
  sweep(): Promise<void>;
}

/** Most users that are served in one call: the plugin takes them in one request of its own. */
const MOST_SERVED = 200;
/** Each is a request of its own, and all together should not outlast a lease. */
const MOST_SENT = 25;
/** Two plugins that know each other send a removal back and forth; so long it takes them to find nobody any more. */
const ROUND_MS = 3 * 3_600_000;
/** Nobody knows the priority of a plugin peer; it loses against every site that states one. */
const LAST_PRIORITY = 65_535;
const DAY_MS = 86_400_000;

/** Makes them; no connection is opened before the first call. */
export function makePluginPeers(site: PluginSite): PluginPeers {
  const { config, db, own, nowMs, outbox } = site;
  const names = (): string[] =>
    config()
      .peers.filter((peer) => peer.protocol === 'plugin')
      .map((peer) => peer.name);
  /** Several plugins may repeat each other's removals, any number of times. */
  const isRound = (): boolean => names().length > 1;
  const prepared = new WeakMap<WireRecord, Prepared>();

  const prepare = async (route: PeerRoute, rows: readonly PluginRow[], via: 'stream' | 'feed'): Promise<Prepared[]> => {
    await site.drain();
    const { hosts, zone } = site.parts();
    const ready = await prepareRows(db, route.name, rows, {
      ...{ own, hosts, via, origin: site.origin(), nowMs: nowMs(), randomUid: site.randomUid },
      peer: { site: route.name, priority: LAST_PRIORITY },
      toEpochMs: zone.toEpochMs,
      sends: route.sends,
      tells: route.send,
    });
    for (const one of ready) if (one.record !== undefined) prepared.set(one.record, one);
    return ready;
  };

  const originationOf = ({ route, trace, ip, keyDigest }: Caller): Origination => {
    return { route, via: 'stream', trace, ip, keyDigest, overwrite: false, approved: false };
  };

  const outgoingDeps = () => {
    const { catalog, hosts } = site.parts();
    return { db, own, hosts, nowMs, table: catalog.requireTable('t_user'), related: hosts.related };
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
      const ids = await outdatedAt(trx, own, site.route(peer), changed, site.parts().hosts);
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
          sendRecords({ ...outgoingDeps(), client, stillOurs }, peer.name, records, signal),
        close: () => client.close(),
        // Each call has a connection of its own.
        retire: () => undefined,
      };
    },

    async removed(runner, { email, removalId, told, from }) {
      for (const peer of names()) {
        const outcome = isRound() ? 'told and echoed' : 'heard';
        if (peer === from) await noteGone(runner, own, peer, canonicalEmail(email), outcome, nowMs());
        else await noteRemoved(runner, own, peer, { email, removalId, told: told.includes(peer) }, nowMs());
      }
    },

    async applied(trx, from, { records, outcomes }) {
      if (!names().includes(from.route.name)) await tellAgain(trx, outcomes);
      const memories = new Map<string, Memory>();
      const logs: LogEntry[] = [];
      const follow: (() => Promise<void>)[] = [];
      const peer = from.route.name;
      for (const [index, record] of records.entries()) {
        const one = prepared.get(record);
        const outcome = outcomes[index];
        if (one === undefined || outcome === undefined) continue;
        const { userId, notes } = outcome;
        const notStored = notes.flatMap(({ code, register }) => (code === 'VALUE_UNSTORABLE' ? (register ?? []) : []));
        const isOnItsWay =
          userId !== null && one.news.length > 0 && (await usersWaiting(trx, own, [peer], [userId])).size > 0;
        memories.set(one.row.email, memoryOf(one, new Set(notStored), isOnItsWay));
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
            await noteRemoved(trx, own, peer, { email: one.row.email, removalId: removal, told: true }, nowMs());
          });
        }
        if (one.withoutPassword && outcome.operation === 'insert') logs.push(passwordEntry(from, outcome));
      }
      await writeMemories(trx, own, peer, memories, nowMs());
      for (const act of follow) await act();
      if (from.via !== 'parked' && names().includes(peer)) {
        // The plugin sends nothing twice.
        await parkRecords(trx, own, busyOf(peer, records, outcomes, nowMs()), nowMs());
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
      const { hosts } = site.parts();
      const peer = caller.route.name;
      const holder = (await hosts.holdersOf(db, [email])).get(email);
      const ids = holder === undefined || canonicalEmail(holder.email) !== email ? [] : [holder.id];
      const host = (await hosts.byId(db, ids)).get(ids[0] ?? 0);
      const stored = (await readShadows(db, own, ids)).get(ids[0] ?? 0);
      const seen = (await readSeen(db, own, peer, [email])).get(email);
      const main = stored?.uids[0];
      const isLiving = host !== undefined && stored !== undefined && main !== undefined;
      // A removal that is known here comes back, and comes late: who registered again since is not meant by it.
      const isEcho = seen !== undefined && (seen.memory === null || seen.echoUntilMs > nowMs());
      if (!isLiving || isEcho) {
        await inTransaction(db, async (trx) => {
          if (seen !== undefined) await noteGone(trx, own, peer, email, isRound() ? 'told' : 'heard', nowMs());
          if (!isLiving || !caller.route.send) return;
          const atMs = nowMs() + (isRound() ? ROUND_MS : 0);
          await outbox.enqueue(trx, [{ peer, kind: 'user', ref: host.id }], atMs);
        });
        return undefined;
      }
      const latest = [...stored.shadow.registers.values()].map((state) => state.stamp);
      const last = latest.reduce((a, b) => (compareStamps(a, b) > 0 ? a : b), stored.shadow.born);
      const record: RemovalRecord = {
        kind: 'removal',
        uids: [...stored.uids],
        emailHash: hashRemovedEmail(main, email),
        stamp: formatStamp(nextStamp(nowMs(), last, site.origin())),
      };
      await site.apply([record], originationOf(caller));
      // Also where the guard or the mode of this site keeps the account: the peer has it no more.
      await inTransaction(db, (trx) =>
        noteGone(trx, own, peer, email, isRound() ? 'told and echoed' : 'heard', nowMs()),
      );
      const name = host.registers.get('s_name')?.['s_name'];
      return { id: host.id, email: host.email, name: typeof name === 'string' ? name : '' };
    },

    async giveFeed(after, { route }) {
      if (await site.feedsMustWait()) throw new SyncError('BASELINE_PENDING', undefined, { retryAfterS: 1 });
      await site.drain();
      return await givePage({ ...outgoingDeps(), limit: Math.min(config().feed.limit, MOST_SERVED) }, route, after);
    },

    batchSize: (peer) => (names().includes(peer) ? MOST_SENT : undefined),

    sweep: () => sweepSeen(db, own, names(), nowMs() - config().removal.tombstoneDays * DAY_MS),
  };
}

function passwordEntry(from: Origination, outcome: Outcome): LogEntry {
  return {
    type: 'PROCESS',
    peer: from.route.name,
    key: from.keyDigest,
    ip: from.ip,
    status: 'OK',
    response: `${ERRORS.PASSWORD_MISSING.meaning} ${ERRORS.PASSWORD_MISSING.remedy}`,
    content: {
      operation: 'insert',
      code: 'PASSWORD_MISSING',
      uid: outcome.uid,
      ...(outcome.userId === null ? {} : { userId: outcome.userId }),
      ...(outcome.email === null ? {} : { email: maskEmail(outcome.email) }),
    },
    trace: from.trace,
  };
}
