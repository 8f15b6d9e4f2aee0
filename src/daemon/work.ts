/** The loops of a running site: each kind of work repeated by one loop, woken by time, by need, or by another loop. */
import { isNews } from '../capture/drain.ts';
import { makeQueueWatch } from '../capture/queue-watch.ts';
import type { Patience } from '../capture/ddl-session.ts';
import { checkTriggersOnce, checkWritable } from '../capture/watch.ts';
import type { PeerConfig } from '../config/config.ts';
import { forgetGuarded } from '../store/guard-events.ts';
import type { Lease } from '../store/lease.ts';
import { serverChanged } from '../store/same-server.ts';
import { expireTombstones } from '../store/shadows.ts';
import { withLease } from '../store/with-lease.ts';
import { SyncError, remedyOf, type ErrorCode } from '../model/errors.ts';
import { expireLogsOnce } from '../store/log-retention.ts';
import { explainMissing } from '../osclass/missing-host.ts';
import { largestSkew } from './clock-skew.ts';
import { watchStanding } from './standing-watch.ts';
import { makeProblemReport } from './problem-report.ts';
import { makePeerLoops } from './peer-loops.ts';
import { makePresence } from './presence.ts';
import { peersWithDue } from '../store/outbox.ts';
import { refeedOnce } from '../site/refeed.ts';
import { hasPassed, type Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/logger.ts';
import { makeLoop, type Loop, type LoopOptions, type PassOutcome } from '../runtime/loop.ts';
import { every, type Stoppable } from '../runtime/schedule.ts';
import type { Site } from '../site/site.ts';
import { runStream } from './run-stream.ts';

/** What others may see of the work, for health. */
export interface WorkState {
  /** `unused`: scan mode. */
  triggers: 'ok' | 'mending' | 'missing' | 'unused';
  /** Accounts that are gone though nobody deleted them. */
  vanished: number;
  /** Why the triggers cannot put markers into the queue, if they cannot. */
  queueFails: ErrorCode | null;
  /** The server takes no writes. */
  readOnly: boolean;
  /** The table of users is not there. */
  hostMissing: boolean;
  /** Our clock minus the database's, in milliseconds. */
  clockSkewMs: number | null;
}

/** The work of one site. */
export interface Work {
  readonly state: WorkState;
  start(): void;
  /** Drains and delivers until everything that can be sent is sent. */
  runStream(signal?: AbortSignal): Promise<{ drained: number; sent: number }>;
  /** There may be records here that can go through now. */
  wakeParked(): void;
  /** After the site's config was edited: a loop for each peer that there is now, none for those that are gone. */
  followConfig(): void;
  stop(): Promise<void>;
}

/** How often an idle daemon looks into the queue, whatever the schedule of deliveries. */
const EVERY_SECOND = '* * * * * *';
const EVERY_MINUTE = '30 * * * * *';
const EVERY_HOUR = '0 7 * * * *';
const DAY_MS = 86_400_000;
/** Columns, locales and the zone of the host are looked at again so often, and triggers at least so often. */
const REFRESH_EVERY_MS = 30_000;
/** Without the rights of its account changes are lost, or the site itself fails: three short statements look for them. */
const RIGHTS_EVERY_MS = 5_000;
/** A pass of a scan that is to be over soon. In scan mode a pass is one page, and a rest. */
const SCAN_FOR_MS = 500;
/** Each try to make a trigger may freeze its table for a second, so after two of them the host has a rest. */
const MENDING: Patience = { tries: 2, pauseMs: 500 };
const REST_MS = 10_000;

/** It is not the triggers then. */
const NO_SERVER: ReadonlySet<ErrorCode> = new Set(['DB_UNAVAILABLE', 'DB_READ_ONLY']);

const NOTHING: PassOutcome = { done: 0, full: false };

const OTHER_SERVER =
  'Nothing if it had everything. If the one before was lost with its last transactions, "account-sync feed PEER --restart" brings back what peers know of them.';

/** Makes the loops; nothing runs before start(). */
export function makeWork(site: Site, log: Log, clock: Clock): Work {
  const isScanMode = site.config.capture.mode === 'scan';
  const state: WorkState = {
    triggers: isScanMode ? 'unused' : 'ok',
    vanished: 0,
    queueFails: null,
    readOnly: false,
    hostMissing: false,
    clockSkewMs: null,
  };
  let isStreamDue = false;
  let refreshedAtMs = Number.NEGATIVE_INFINITY;
  let watchedAtMs = clock.nowMs();
  let restingSinceMs = -Infinity;
  let askedAtMs = -Infinity;

  /** A pass that meets tables of the site that are gone says that, and not that something changed. */
  const loopOf = (options: LoopOptions): Loop => {
    const pass = async (signal: AbortSignal): Promise<PassOutcome> => {
      try {
        return await options.pass(signal);
      } catch (error) {
        throw await explainMissing(site.db, site.config.database, error);
      }
    };
    return makeLoop({ ...options, pass });
  };
  const presence = makePresence(site.leases, clock);
  const home = watchStanding(site, log, clock);
  const queue = makeQueueWatch({
    ...{ db: site.db },
    catalog: () => site.parts().catalog,
    related: () => site.parts().hosts.related,
  });
  let isQueueTold = false;
  const lookAtQueue = async (isThorough: boolean): Promise<void> => {
    if (!isThorough && !hasPassed(RIGHTS_EVERY_MS, askedAtMs, clock.nowMs())) return;
    askedAtMs = clock.nowMs();
    const problem = await queue.look(isThorough);
    state.queueFails = problem?.code ?? null;
    const wasTold = isQueueTold;
    isQueueTold = problem !== undefined;
    if (problem !== undefined && (isThorough || !wasTold)) {
      const remedy = remedyOf(problem);
      log.error({ err: problem, remedy }, 'the queue cannot be written; all users are compared instead');
    }
  };

  const tellProblems = makeProblemReport(site, log);
  const tellVanished = (accounts: number): void => {
    if (accounts > 0) log.error({ accounts }, 'accounts are gone though nobody deleted them');
  };

  const idle = async (signal: AbortSignal): Promise<void> => {
    const isThorough = hasPassed(REFRESH_EVERY_MS, refreshedAtMs, clock.nowMs());
    if (!isScanMode) await lookAtQueue(isThorough);
    if (isThorough) {
      refreshedAtMs = clock.nowMs();
      await site.refresh();
      tellProblems();
      state.clockSkewMs = await largestSkew(site, clock);
      const vanished = await site.scanning.countVanished();
      if (vanished > state.vanished) tellVanished(vanished);
      state.vanished = vanished;
      if (await serverChanged(site.db)) log.warn({ remedy: OTHER_SERVER }, 'the database is on another server');
    }
    watchedAtMs = clock.nowMs();
    if (isScanMode) return await checkWritable(site.db);
    if (!hasPassed(REST_MS, restingSinceMs, watchedAtMs)) return;
    try {
      const checked = await checkTriggersOnce(site.db, site.parts().catalog, {
        signal,
        patience: MENDING,
        related: site.parts().hosts.related,
      });
      if (checked.kind === 'lost')
        log.error({ triggers: checked.triggers }, 'triggers were missing; made again, all users are compared');
      if (checked.kind === 'renewed') log.info({ triggers: checked.triggers }, 'triggers renewed');
      state.triggers = 'ok';
    } catch (error) {
      if (!(error instanceof SyncError) || NO_SERVER.has(error.code)) throw error;
      // What is marked already goes on being drained.
      restingSinceMs = clock.nowMs();
      const isBusy = error.code === 'TABLE_BUSY';
      state.triggers = isBusy ? 'mending' : 'missing';
      log[isBusy ? 'warn' : 'error']({ err: error, remedy: remedyOf(error) }, 'triggers cannot be mended');
    }
  };

  const drainPass = async (signal: AbortSignal): Promise<PassOutcome> => {
    try {
      const outcome = await home.looking(drainOrScan)(signal);
      await presence.show();
      return outcome;
    } catch (error) {
      if (!isScanMode) state.queueFails = queue.suspect(error)?.code ?? state.queueFails;
      throw error;
    }
  };

  const drainOrScan = async (signal: AbortSignal): Promise<PassOutcome> => {
    if (isScanMode) await site.scanning.requestIfDue();
    const scanned = (await site.isScanPending()) ? await scanPass(signal) : undefined;
    if (scanned !== undefined && !isScanMode) return scanned;
    const drained = await site.drain(signal);
    const { done, full } = drained;
    tellVanished(drained.vanished);
    if (isNews(drained)) parked.wake();
    if (done === 0 || hasPassed(REFRESH_EVERY_MS, watchedAtMs, clock.nowMs())) await idle(signal);
    // Some writes of a busy site may pass while others fail because of our triggers.
    else if (!isScanMode) await lookAtQueue(false);
    if (!full && isStreamDue) {
      isStreamDue = false;
      await wakeDeliveries();
    }
    return { done, full: full || scanned?.full === true };
  };

  const scanPass = async (signal: AbortSignal): Promise<PassOutcome> => {
    if (!isScanMode) state.triggers = 'mending';
    const startedMs = performance.now();
    const page = await site.scanPage(isScanMode ? 0 : SCAN_FOR_MS);
    if (page === undefined) return { done: 0, full: false };
    if (page.changed > 0) log.info({ users: page.changed }, 'scan found changed users');
    tellVanished(page.vanished);
    if (!page.full && isScanMode) log.debug({}, 'scan of all users finished');
    if (!page.full && !isScanMode) {
      state.triggers = 'ok';
      log.info({}, 'scan of all users finished');
    }
    if (isScanMode) await site.scanning.rest(performance.now() - startedMs, signal);
    return { done: page.done, full: true };
  };

  const wakeDeliveries = async (): Promise<void> => {
    const peers = site.routes().map(({ name }) => name);
    for (const peer of await peersWithDue(site.db, peers, clock.nowMs())) deliveries.wake(peer);
  };

  const drain = loopOf({
    name: 'drain',
    log,
    pass: drainPass,
    trigger: (wake) => every(EVERY_SECOND, wake),
    onError(error) {
      state.readOnly = error instanceof SyncError && error.code === 'DB_READ_ONLY';
      state.hostMissing = error instanceof SyncError && error.code === 'HOST_TABLE_MISSING';
      // The server that was written to before may be a replica now, and its address, or a proxy, lead to another.
      if (state.readOnly) site.connections.renew();
    },
    onRecovered() {
      state.readOnly = false;
      state.hostMissing = false;
    },
  });
  const deliveryTo = (peer: string): Loop =>
    loopOf({
      name: 'deliver',
      log: log.child({ peer }),
      pass: home.following(async (signal) => {
        const { done, full, kept } = await site.deliver(site.route(peer), signal);
        if (done > 0) log.info({ peer, users: done, kept }, 'delivered');
        return { done, full: full && done > 0 };
      }),
    });
  const refeedOf = (peer: string): Loop =>
    loopOf({
      name: 'refeed',
      log: log.child({ peer }),
      pass: home.following(async (signal) => {
        const config = site.config.peers.find(({ name }) => name === peer);
        return config === undefined ? NOTHING : await refeedOnce(site, config, clock, signal);
      }),
      trigger: (wake) => every(EVERY_SECOND, wake),
    });
  const parkedPass = async (signal: AbortSignal): Promise<PassOutcome> => {
    await site.sweep();
    const { done, full, outcomes } = await site.retryParked({ signal });
    const through = outcomes.filter((outcome) => outcome.result === 'applied').length;
    if (through > 0) log.info({ records: through }, 'parked records went through');
    return { done, full };
  };
  const retentionPass = async (lease: Lease, signal: AbortSignal): Promise<PassOutcome> => {
    const { db, config } = site;
    const now = clock.nowMs();
    await forgetGuarded(db, now - config.guard.windowMs);
    const tombstones = await expireTombstones(db, now - config.removal.tombstoneDays * DAY_MS);
    if (tombstones > 0) log.info({ tombstones }, 'tombstones expired');
    await site.plugin.sweep();
    return await expireLogsOnce({ db, clock, lease, limits: () => config.logs }, signal);
  };
  const leased = (name: string, pass: (lease: Lease, signal: AbortSignal) => Promise<PassOutcome>) =>
    home.following(async (signal) => (await withLease(site.leases, name, (lease) => pass(lease, signal))) ?? NOTHING);
  const deliveries = makePeerLoops(deliveryTo);
  const refeeds = makePeerLoops(refeedOf);
  const parked = loopOf({
    name: 'parked',
    log,
    pass: leased('parked', (_lease, signal) => parkedPass(signal)),
    trigger: (wake) => every(EVERY_MINUTE, wake),
  });
  const retention = loopOf({
    name: 'retention',
    log,
    pass: leased('retention', retentionPass),
    trigger: (wake) => every(EVERY_HOUR, wake),
  });
  const loops = [drain, parked, retention];

  /** The deliveries' schedule, and what wakes them by it. */
  let schedule: { readonly expression: string; readonly trigger: Stoppable } | undefined;
  const followConfig = (): void => {
    refreshedAtMs = Number.NEGATIVE_INFINITY;
    const { peers, site: us, stream } = site.config;
    // Who is called elsewhere or otherwise than before is called at once, however long the last calls had failed.
    const wayTo = ({ url, protocol }: PeerConfig): string => JSON.stringify([protocol, url, us.apiKey]);
    const wanted = (which: readonly PeerConfig[]) => new Map(which.map((peer) => [peer.name, wayTo(peer)]));
    deliveries.follow(wanted(peers.filter((peer) => peer.send)));
    refeeds.follow(wanted(peers.filter((peer) => peer.protocol === 'plugin' && peer.feedWithinMs !== null)));
    if (schedule?.expression === stream.schedule) return;
    schedule?.trigger.stop();
    const trigger = every(stream.schedule, () => {
      isStreamDue = true;
      // That often the drain is woken anyway; twice would double what an idle daemon asks.
      if (stream.schedule !== EVERY_SECOND) drain.wake();
    });
    schedule = { expression: stream.schedule, trigger };
  };

  return {
    state,
    start() {
      followConfig();
      for (const loop of loops) loop.start();
    },
    followConfig,
    runStream: (signal) => runStream(site, signal),
    wakeParked: () => parked.wake(),
    async stop() {
      schedule?.trigger.stop();
      await Promise.all([...loops, deliveries, refeeds].map((one) => one.stop()));
      await presence.leave();
    },
  };
}
