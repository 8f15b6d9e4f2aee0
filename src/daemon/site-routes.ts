/** The functions behind the routes of the HTTP server, for a site that is open. */
import { toStreamResult } from '../model/outcome.ts';
import { noteCallBack } from '../store/call-backs.ts';
import type { FeedControl } from '../feed/control.ts';
import { followFeed } from '../feed/follow.ts';
import { SyncError } from '../model/errors.ts';
import { installationId } from '../store/installation.ts';
import { noteInstallation } from '../store/feed-cursor.ts';
import { nativeOwner } from '../model/feed-owner.ts';
import {
  PROOFS,
  PROTOCOL,
  ROWS,
  SIGNATURES,
  type Hello,
  type StreamAnswer,
  type StreamRequest,
} from '../model/record.ts';
import { fingerprintOf, publicHalf } from '../model/signing-key.ts';
import { peerFacts } from '../admin/peer-facts.ts';
import { listParked } from '../admin/parked.ts';
import { listPending } from '../admin/pending.ts';
import type { PeerFacts } from '../store/peer-status.ts';
import { countWaiting } from '../store/outbox.ts';
import { approvePeer } from '../admin/approve.ts';
import { linkAccounts, unlinkAccounts } from '../admin/link.ts';
import { dropParkedEntry, retryParked } from '../admin/parked-actions.ts';
import { makeCallBacks } from '../peer/call-back.ts';
import type { PeerQuotas } from '../peer/quotas.ts';
import { newTrace } from '../runtime/trace.ts';
import { servePluginCall, type Caller } from '../plugin/http-handler.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Call, PluginAnswer, ServerDeps } from '../server/deps.ts';
import type { Site } from '../site/site.ts';
import type { Loops } from './loops.ts';
import { readValidates } from '../osclass/validation.ts';
import { VERSION } from '../version.ts';

/** The part of {@link ServerDeps} that needs an open site. */
export type SiteDeps = Required<
  Pick<
    ServerDeps,
    | 'hello'
    | 'serveFeed'
    | 'acceptStream'
    | 'servePlugin'
    | 'queryLogs'
    | 'listPeers'
    | 'peerDetail'
    | 'feedControl'
    | 'runStream'
    | 'pending'
    | 'parked'
    | 'approve'
    | 'link'
    | 'unlink'
  >
>;

/** Whoever asks to be called back waits for it. */
const CALL_BACK_MS = 10_000;

/** What a daemon has beside its site. */
interface Beside {
  readonly feeds: FeedControl;
  readonly clock: Clock;
  readonly quotas: PeerQuotas;
}

/** Wires an open site to the routes. */
export function wireSite(site: Site, loops: Loops, beside: Beside): SiteDeps {
  const { feeds, clock } = beside;
  const { db, activity, status } = site;
  const facts = (): PeerFacts[] => peerFacts(site);
  const factsOf = (name: string): PeerFacts => {
    site.route(name);
    return facts().find((peer) => peer.name === name) as PeerFacts;
  };
  const here = site.identityCheck.require;
  const userTable = () => site.snapshot().catalog.requireTable('t_user').name;

  return {
    hello: makeHello(site, clock, factsOf),
    serveFeed: async (peer, query, call) => {
      await here();
      const route = site.route(peer);
      if (!route.send) throw new SyncError('NOT_ACCEPTED', `This site sends nothing to ${peer} (send: false).`);
      return site.reader.page(route, query, call);
    },
    acceptStream: async (peer, body, call) => {
      await here();
      return await acceptStream(site, loops, beside, peer, body, call);
    },
    servePlugin: async (peer, form, call) => {
      await here();
      return await servePlugin(site, loops, beside, form, { ...call, route: site.route(peer) });
    },
    queryLogs: (query) => activity.query(query),
    listPeers: () => status.summaries(facts()),
    peerDetail: async (name) => {
      const [summary] = await status.summaries([factsOf(name)]);
      const { logs } = await activity.query({ peer: name, limit: 20 });
      return { ...(summary as NonNullable<typeof summary>), logs };
    },
    feedControl: {
      start: async (name, options) => {
        await here();
        requireReceive(site, name);
        return feeds.start(name, options);
      },
      follow: async (name, asked, options, signal) => {
        const { name: ours } = site.config.site;
        if (asked !== ours) throw new SyncError('REQUEST_INVALID', `follow: this is ${ours}`);
        await here();
        requireReceive(site, name);
        return followFeed(feeds, name, options, signal);
      },
      progress: async (name) => feeds.progress(site.route(name).name),
      stop: async (name) => feeds.stop(site.route(name).name),
    },
    runStream: async () => {
      await here();
      const { drained, sent } = await loops.runStream();
      return { drained, sent, pending: await countWaiting(db) };
    },
    pending: (query) => listPending({ db, userTable, nowMs: () => clock.nowMs() }, query),
    parked: {
      list: (query) => listParked({ db, userTable }, query),
      retry: async (parkedId, by) => {
        await here();
        return await retryParked(site, parkedId, clock.nowMs(), by);
      },
      drop: (parkedId, by) => dropParkedEntry(site, parkedId, by),
    },
    approve: (name, by, approval) => approvePeer(site, name, clock.nowMs(), by, approval),
    link: async (pair, by) => {
      await here();
      return await linkAccounts(site, pair, by);
    },
    unlink: async (pair, by) => {
      await here();
      return await unlinkAccounts(site, pair, by);
    },
  };
}

function requireReceive(site: Site, peer: string): void {
  if (!site.route(peer).receive) {
    throw new SyncError('NOT_ACCEPTED', `This site takes nothing from ${peer} (receive: false).`);
  }
}

/** What this site says of itself; see src/peer/call-back.ts for what it may be asked besides. */
function makeHello(site: Site, clock: Clock, factsOf: (peer: string) => PeerFacts): SiteDeps['hello'] {
  const { db, status } = site;
  const calls = makeCallBacks(
    (name, headers) =>
      site.client(name).hello({ trace: newTrace(), callBack: headers, signal: AbortSignal.timeout(CALL_BACK_MS) }),
    () => clock.nowMs(),
  );
  return async (peer, { callBack, calledBack, installation } = {}): Promise<Hello> => {
    await site.identityCheck.require();
    if (calledBack !== undefined) await noteCallBack(db, calledBack, peer);
    const config = site.config.peers.find(({ name, protocol }) => name === peer && protocol === 'native');
    if (installation !== undefined && config !== undefined) {
      await noteInstallation(db, peer, nativeOwner({ installation, site: peer }));
    }
    const called = callBack === undefined || config === undefined ? undefined : await calls.callBack(config, callBack);
    const route = site.route(peer);
    const { columns, sendColumns } = factsOf(peer);
    const [failingSinceMs] = await status.failingSince([peer]);
    const { signingKey } = site.config.site;
    return {
      status: 'OK',
      site: site.config.site.name,
      peer,
      protocols: [PROTOCOL],
      version: VERSION,
      time: new Date(clock.nowMs()).toISOString(),
      timezone: site.snapshot().zone.known,
      receive: route.receive,
      send: route.send,
      columns: { accept: [...columns], send: [...sendColumns] },
      installation: await installationId(db),
      features: [ROWS, SIGNATURES, PROOFS],
      validates: await readValidates(db, site.snapshot().catalog),
      public_key: signingKey === null ? null : fingerprintOf(publicHalf(signingKey)),
      known_keys: (config?.publicKeys ?? []).map(fingerprintOf),
      failing_since:
        failingSinceMs === null || failingSinceMs === undefined ? null : new Date(failingSinceMs).toISOString(),
      ...(called === undefined ? {} : { called_back: called }),
    };
  };
}

/** A call from a peer that runs the PHP plugin. */
function servePlugin(
  site: Site,
  loops: Loops,
  { quotas }: Beside,
  form: Uint8Array,
  from: Caller,
): Promise<PluginAnswer> {
  /** One row, or one removal: whatever would not be taken is not begun. */
  const take = async <T>(peer: string, work: () => Promise<T>): Promise<T> => {
    const leave = quotas.enter(peer);
    try {
      quotas.takeRecords(peer, 1);
      await site.requireParkedRoom(peer);
      return await work();
    } finally {
      leave();
    }
  };
  return servePluginCall(
    {
      async receiveRow(row, caller) {
        const { result } = await take(caller.route.name, () => site.plugin.receiveRow(row, caller));
        const isNews = result === 'applied';
        const records = result === 'retry' ? 0 : 1;
        await site.status.recordSynced(site.db, caller.route.name, 'from', { records, isNews });
        if (isNews) loops.wakeParked();
        return result;
      },
      async receiveRemoval(email, caller) {
        const removed = await take(caller.route.name, () => site.plugin.receiveRemoval(email, caller));
        const isNews = removed !== undefined;
        await site.status.recordSynced(site.db, caller.route.name, 'from', { records: isNews ? 1 : 0, isNews });
        return removed;
      },
      async serveFeed(after, caller) {
        const page = await site.plugin.serveFeed(after, caller);
        await site.status.recordSynced(site.db, caller.route.name, 'to', { records: page.rows.length, isNews: false });
        return page;
      },
      appendLog: (entries) => site.activity.append(site.db, entries),
    },
    form,
    from,
  );
}

async function acceptStream(
  site: Site,
  loops: Loops,
  { quotas }: Beside,
  peer: string,
  body: StreamRequest,
  { trace, ip, keyDigest }: Call,
): Promise<StreamAnswer> {
  const route = site.route(peer);
  if (!route.receive) throw new SyncError('NOT_ACCEPTED', `This site takes nothing from ${peer} (receive: false).`);
  if (body.site !== peer) {
    const message = `The records say that they are from ${body.site}, and come from whom this site knows as ${peer}.`;
    throw new SyncError('FORBIDDEN', message);
  }
  quotas.takeRecords(peer, body.records.length);
  await site.requireParkedRoom(peer);
  const outcomes = await site.accept(body.records, {
    route,
    via: 'stream',
    trace,
    ip,
    keyDigest,
    overwrite: false,
  });
  const results = outcomes.map(toStreamResult);
  const counts: Record<string, number> = {};
  for (const { result } of results) counts[result] = (counts[result] ?? 0) + 1;
  await site.activity.append(site.db, [
    {
      type: 'FEED',
      peer,
      key: keyDigest,
      ip,
      status: '200',
      response: `Received ${body.records.length} users: ${Object.entries(counts)
        .map(([result, count]) => `${count} ${result}`)
        .join(', ')}`,
      content: { operation: 'stream', records: body.records.length, ...counts },
      trace,
    },
  ]);
  const isNews = counts['applied'] !== undefined;
  const records = results.length - (counts['retry'] ?? 0);
  await site.status.recordSynced(site.db, peer, 'from', { records, isNews });
  if (isNews) loops.wakeParked();
  return { status: 'OK', results };
}
