/**
 * What a daemon looks at while the queue is empty: whether the queue takes markers, whether columns, zone and clock of the host
 * are as they were, whether accounts vanished, and whether the triggers are there, which it makes again.
 */
import type { Patience } from '../../capture/ddl-session.ts';
import { makeQueueWatch } from '../../capture/queue-health.ts';
import { checkTriggersOnce, checkWritable } from '../../capture/trigger-health.ts';
import { remedyOf, SyncError, type ErrorCode } from '../../model/errors.ts';
import { hasPassed } from '../../runtime/clock.ts';
import { serverChanged } from '../../store/same-server.ts';
import { largestSkew } from '../clock-skew.ts';
import { makeProblemReport } from '../problem-report.ts';
import type { LoopContext } from './context.ts';

/** The looks of one daemon; all write to the state of the work. */
export interface HostHealth {
  /** Everything that is due, each at its own pace. Throws what makes a pass fail. */
  look(signal: AbortSignal): Promise<void>;
  /** While there is work: only the rights, for some writes of a busy site may pass while others fail because of our triggers. */
  lookAtRights(): Promise<void>;
  /** True if there was no look for as long as one may wait while there is work. */
  isOverdue(): boolean;
  /** The next look is a whole one. */
  renew(): void;
  /** Tells of an error of other work: it may say that markers are lost. */
  suspect(error: unknown): void;
  tellVanished(accounts: number): void;
}

/** Columns, locales and the zone of the host are looked at again so often, and triggers at least so often. */
const REFRESH_EVERY_MS = 30_000;
/** Without the rights of its account changes are lost, or the site itself fails: three short statements look for them. */
const RIGHTS_EVERY_MS = 5_000;
/** Each try to make a trigger may freeze its table for a second, so after two of them the host has a rest. */
const REPAIR_PATIENCE: Patience = { tries: 2, pauseMs: 500 };
const REST_MS = 10_000;

/** With these the server is the problem, and nothing is known of the triggers. */
const NO_SERVER: ReadonlySet<ErrorCode> = new Set(['DB_UNAVAILABLE', 'DB_READ_ONLY']);

const OTHER_SERVER =
  'Nothing if it had everything. If the one before was lost with its last transactions, "account-sync feed PEER --restart" brings back what peers know of them.';

/** Makes the looks; the first one is a whole one. */
export function makeHostHealth({ site, log, clock, state }: LoopContext): HostHealth {
  const isScanMode = site.config.capture.mode === 'scan';
  const queue = makeQueueWatch({
    db: site.db,
    catalog: () => site.snapshot().catalog,
    related: () => site.snapshot().hosts.related,
  });
  const tellProblems = makeProblemReport(site, log);
  let refreshedAtMs = Number.NEGATIVE_INFINITY;
  let lookedAtMs = clock.nowMs();
  let restingSinceMs = Number.NEGATIVE_INFINITY;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let isQueueTold = false;

  const tellVanished = (accounts: number): void => {
    if (accounts > 0) log.error({ accounts }, 'accounts are gone though nobody deleted them');
  };

  const lookAtQueue = async (isThorough: boolean): Promise<void> => {
    if (isScanMode) return;
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

  const refresh = async (): Promise<void> => {
    refreshedAtMs = clock.nowMs();
    await site.refresh();
    tellProblems();
    state.clockSkewMs = await largestSkew(site, clock);
    const vanished = await site.scans.countVanished();
    if (vanished > state.vanished) tellVanished(vanished);
    state.vanished = vanished;
    if (await serverChanged(site.db)) log.warn({ remedy: OTHER_SERVER }, 'the database is on another server');
  };

  const lookAtTriggers = async (signal: AbortSignal): Promise<void> => {
    if (isScanMode) return await checkWritable(site.db);
    if (!hasPassed(REST_MS, restingSinceMs, lookedAtMs)) return;
    try {
      const { catalog, hosts } = site.snapshot();
      const checked = await checkTriggersOnce(site.db, catalog, {
        signal,
        patience: REPAIR_PATIENCE,
        related: hosts.related,
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
      log[isBusy ? 'warn' : 'error']({ err: error, remedy: remedyOf(error) }, 'triggers cannot be repaired');
    }
  };

  return {
    async look(signal) {
      const isThorough = hasPassed(REFRESH_EVERY_MS, refreshedAtMs, clock.nowMs());
      await lookAtQueue(isThorough);
      if (isThorough) await refresh();
      lookedAtMs = clock.nowMs();
      await lookAtTriggers(signal);
    },
    lookAtRights: () => lookAtQueue(false),
    isOverdue: () => hasPassed(REFRESH_EVERY_MS, lookedAtMs, clock.nowMs()),
    renew: () => void (refreshedAtMs = Number.NEGATIVE_INFINITY),
    suspect(error) {
      if (!isScanMode) state.queueFails = queue.suspect(error)?.code ?? state.queueFails;
    },
    tellVanished,
  };
}
