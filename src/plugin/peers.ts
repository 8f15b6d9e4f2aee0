/** Peers that run the PHP plugin, for one site: connects the parts of src/plugin with the site. */
import type { Kysely, Transaction } from 'kysely';
import type { AppliedChunk } from '../apply/apply.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import type { WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import { canonicalEmail, uidsOfEmail, type Uid } from '../model/uid.ts';
import type { HostSnapshot } from '../osclass/host.ts';
import type { PeerClient } from '../peer/client.ts';
import type { KeyDigest } from '../peer/key-digest.ts';
import { makeRandomBytes } from '../runtime/random-bytes.ts';
import { newTrace } from '../runtime/trace.ts';
import { dropParked, parkedIdsOf, readParked } from '../store/parked.ts';
import { countUnguarded, sweepSeen } from '../store/plugin-seen.ts';
import type { AppendLog, OutboxWriter, ReadValidation, RemovedUser } from '../store/ports.ts';
import { rememberApplied } from './applied-rows.ts';
import { makePluginClient } from './client.ts';
import { configuredPeers, type ConfiguredPeers } from './configured-peers.ts';
import type { Caller, Named } from './http-handler.ts';
import { makeIntake } from './intake.ts';
import { noteRemoval } from './note-removal.ts';
import { makePluginPeerClient } from './peer-client.ts';
import { decideRemovals, removeFor, type RemovalSite } from './removals.ts';
import type { PluginRow } from './row.ts';
import { servePage } from './serve-page.ts';
import { tellOutdated } from './stale-peers.ts';
import { wakeTold } from './untold.ts';

/** What these peers need of their site. */
export interface PluginSite {
  readonly config: () => Config;
  readonly db: Kysely<unknown>;
  readonly origin: () => Origin;
  readonly nowMs: () => number;
  readonly randomUid: () => Uid;
  readonly outbox: OutboxWriter;
  readonly appendLog: AppendLog;
  readonly snapshot: () => HostSnapshot;
  readonly route: (peer: string) => PeerRoute;
  /** Processes markers, so that every user has a shadow and what was changed here is stamped before what comes. */
  readonly drain: () => Promise<unknown>;
  readonly feedsMustWait: () => Promise<boolean>;
  readonly validation: ReadValidation;
  readonly apply: (records: readonly WireRecord[], from: RecordSource) => Promise<Outcome[]>;
  /** Tries parked records again, now. */
  readonly retryParked: (ids: readonly number[]) => Promise<unknown>;
}

/** What came of a row in a call. */
export interface RowOutcome {
  /** `repeated`: the peer said it before, and something later since. */
  readonly result: Outcome['result'] | 'repeated';
}

/** The plugin peers of a site. */
export interface PluginPeers {
  /** A client that speaks the plugin's protocol behind the shape of ours; undefined for other peers. */
  client(peer: PeerConfig, keyDigest: KeyDigest): PeerClient | undefined;
  /** See {@link OutboxWriter}. */
  removed(runner: Runner, removal: RemovedUser): Promise<void>;
  /** Remembers what the peer said, in the transaction that applied it. */
  applied(trx: Transaction<unknown>, from: RecordSource, chunk: AppliedChunk): Promise<void>;
  receiveRow(row: PluginRow, caller: Caller): Promise<RowOutcome>;
  receiveRemoval(email: string, caller: Caller): Promise<Named | undefined>;
  serveFeed(after: number, caller: Caller): Promise<{ message: string; rows: readonly unknown[] }>;
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
const DAY_MS = 86_400_000;

/** Makes them; no connection is opened before the first call. */
export function makePluginPeers(site: PluginSite): PluginPeers {
  const { config, db, nowMs, outbox } = site;
  const configured = configuredPeers(site);
  const { names, routes, isRound, times } = configured;
  const { prepare, preparedOf } = makeIntake({ ...site, times });
  const randomBytes = makeRandomBytes();
  const outgoing = (peer: string) => {
    const { catalog, hosts } = site.snapshot();
    const table = catalog.requireTable('t_user');
    const { emailTrust } = site.route(peer);
    const told = { origin: site.origin(), validation: site.validation, emailTrust };
    return { db, hosts, nowMs, table, related: hosts.related, randomBytes, times: times(peer), ...told };
  };

  return {
    client({ name, protocol, url, sendKey }, keyDigest) {
      if (protocol !== 'plugin') return undefined;
      return makePluginPeerClient(name, makePluginClient({ url, apiKey: sendKey }), {
        keyDigest: keyDigest(sendKey),
        nowMs,
        outgoing: () => outgoing(name),
        prepare: (rows) => prepare(site.route(name), rows, 'feed'),
      });
    },

    removed: (runner, removal) => noteRemoval(runner, names(), removal, { isRound: isRound(), nowMs }),

    async applied(trx, from, chunk) {
      if (!names().includes(from.route.name)) {
        const { hosts } = site.snapshot();
        await tellOutdated(trx, routes(), chunk.outcomes, { hosts, times, outbox, nowMs });
      }
      await rememberApplied(trx, { nowMs, outbox, appendLog: site.appendLog, routes, preparedOf }, from, chunk);
    },

    async receiveRow(row, caller) {
      const [one] = await prepare(caller.route, [row], 'stream');
      if (one?.isRepeated === true) return { result: 'repeated' };
      const [outcome] = one?.record === undefined ? [] : await site.apply([one.record], sourceOf(caller));
      return { result: outcome?.result ?? 'unchanged' };
    },

    async receiveRemoval(email, caller) {
      await site.drain();
      return await removeFor(removalSite(site, configured), email, caller, sourceOf(caller));
    },

    async serveFeed(after, { route }) {
      if (await site.feedsMustWait()) throw new SyncError('BASELINE_PENDING', undefined, { retryAfterS: 1 });
      await site.drain();
      const limit = Math.min(config().feed.limit, MOST_SERVED);
      return await servePage({ ...outgoing(route.name), outbox, limit }, route, after);
    },

    unguarded: (peer) => countUnguarded(db, peer),

    batchSize: (peer) => (names().includes(peer) ? MOST_SENT : undefined),

    async sweep() {
      await sweepSeen(db, names(), nowMs() - config().removal.tombstoneDays * DAY_MS);
      for (const route of routes()) {
        const from = sourceOf({ route, trace: newTrace(), ip: null, keyDigest: null });
        if (route.send) await wakeTold(outgoing(route.name), route.name);
        await decideRemovals(removalSite(site, configured), from);
      }
    },
  };
}

/** What comes in a call of a peer, and not from a feed. */
function sourceOf({
  route,
  trace,
  ip,
  keyDigest,
}: Pick<RecordSource, 'route' | 'trace' | 'ip' | 'keyDigest'>): RecordSource {
  return { route, via: 'stream', trace, ip, keyDigest, overwrite: false };
}

/** What taking a removal needs, as the site is now. */
function removalSite(site: PluginSite, { times, isRound, address }: ConfiguredPeers): RemovalSite {
  const { db, nowMs, outbox, apply } = site;
  return {
    db,
    hosts: site.snapshot().hosts,
    times,
    origin: site.origin(),
    nowMs,
    outbox,
    apply,
    isRound: isRound(),
    async dropWaiting(peer, uid) {
      for (const parked of await parkedIdsOf(db, peer, uid)) await dropParked(db, parked);
    },
    async dropWaitingFor(peer, email, user) {
      const uids = new Set([...uidsOfEmail(email), ...(user === null ? [] : [user])]);
      const ids = await Promise.all([...uids].map((uid) => parkedIdsOf(db, peer, uid)));
      for (const { id: parked, record } of await readParked(db, { ids: ids.flat() })) {
        // Who had the address before may have another by now.
        if (record.kind === 'user' && canonicalEmail(record.email) === email) await dropParked(db, parked);
      }
    },
    async retryWaiting(peer, uid) {
      const ids = await parkedIdsOf(db, peer, uid);
      if (ids.length > 0) await site.retryParked(ids);
    },
    asking: (peer) => makePluginClient({ ...address(peer), totalTimeoutMs: ASKING_MS }),
  };
}
