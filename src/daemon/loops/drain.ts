/** The drain: markers are processed every second, or all users are looked at; then deliveries are woken if they are due. */
import { isNews } from '../../capture/drain.ts';
import { SyncError } from '../../model/errors.ts';
import type { Loop, PassOutcome } from '../../runtime/loop.ts';
import { every } from '../../runtime/schedule.ts';
import { EVERY_SECOND, loopOf, type LoopContext } from './context.ts';
import { makeHeartbeat } from './heartbeat.ts';
import { makeHostHealth } from './host-health.ts';

/** What the drain wakes. */
export interface DrainWakes {
  /** There may be records here that can go through now. */
  parked(): void;
  /** Deliveries to peers for which something is due. */
  deliveries(): Promise<void>;
}

export interface DrainLoop {
  readonly loop: Loop;
  /** The next pass that leaves nothing in the queue wakes the deliveries. */
  streamIsDue(): void;
  /** The next look at the host is a whole one. */
  renew(): void;
  /** After the loop was stopped: another daemon need not wait for this one. */
  leave(): Promise<void>;
}

/** A pass of a scan that is to be over soon. In scan mode a pass is one page, and a rest. */
const SCAN_FOR_MS = 500;

/** Makes the loop, which is not started. Its passes write to the state of the work. */
export function makeDrainLoop(context: LoopContext, wakes: DrainWakes): DrainLoop {
  const { site, log, clock, state, identity } = context;
  const isScanMode = site.config.capture.mode === 'scan';
  const heartbeat = makeHeartbeat(site.leases, clock);
  const host = makeHostHealth(context);
  let isStreamDue = false;

  const drainOrScan = async (signal: AbortSignal): Promise<PassOutcome> => {
    if (isScanMode) await site.scans.requestIfDue();
    const scanned = (await site.isScanPending()) ? await scanPass(signal) : undefined;
    if (scanned !== undefined && !isScanMode) return scanned;
    const drained = await site.drain(signal);
    const { done, full } = drained;
    host.tellVanished(drained.vanished);
    if (isNews(drained)) wakes.parked();
    await (done === 0 || host.isOverdue() ? host.look(signal) : host.lookAtRights());
    if (!full && isStreamDue) {
      isStreamDue = false;
      await wakes.deliveries();
    }
    return { done, full: full || scanned?.full === true };
  };

  const scanPass = async (signal: AbortSignal): Promise<PassOutcome> => {
    if (!isScanMode) state.triggers = 'mending';
    const startedMs = performance.now();
    const page = await site.scanPage(isScanMode ? 0 : SCAN_FOR_MS);
    if (page === undefined) return { done: 0, full: false };
    if (page.changed > 0) log.info({ users: page.changed }, 'scan found changed users');
    host.tellVanished(page.vanished);
    if (!page.full && isScanMode) log.debug({}, 'scan of all users finished');
    if (!page.full && !isScanMode) {
      state.triggers = 'ok';
      log.info({}, 'scan of all users finished');
    }
    if (isScanMode) await site.scans.rest(performance.now() - startedMs, signal);
    return { done: page.done, full: true };
  };

  const loop = loopOf(context, {
    name: 'drain',
    log,
    async pass(signal) {
      try {
        const outcome = await identity.afterCheck(drainOrScan)(signal);
        await heartbeat.beat();
        return outcome;
      } catch (error) {
        host.suspect(error);
        throw error;
      }
    },
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
  return {
    loop,
    streamIsDue: () => void (isStreamDue = true),
    renew: host.renew,
    leave: heartbeat.leave,
  };
}
