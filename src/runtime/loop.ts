/**
 * A loop repeats passes of one kind of work. Its states:
 *
 *     idle ── woken ──────────────▶ running            wake() and the trigger wake; many wakes make one pass
 *     running ── full ────────────▶ running            at once: there is more
 *     running ── woken meanwhile ─▶ running            once: the wake may be about something the pass did not see
 *     running ── neither ─────────▶ idle
 *     running ── threw ───────────▶ waiting            1 s, doubling to 60 s; what the far side asked for is a floor
 *     waiting ── time is over ────▶ running            a wake does not shorten the wait: failing work must not be hurried
 *     any ── stop() ──────────────▶ stopped            a pass under way ends first; after a grace its signal aborts
 *
 * There is one place that calls `pass`, so two passes never overlap. A loop never gives up and never throws.
 */
import { setTimeout as sleepFor } from 'node:timers/promises';
import { SyncError, entryOf, remedyOf } from '../model/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Log } from './logger.ts';
import type { Stoppable } from './schedule.ts';

/** What a pass did: how many pieces, and whether it stopped at its bound with more to do. */
export interface PassOutcome {
  readonly done: number;
  readonly full: boolean;
}

export interface LoopOptions {
  /** Kind of work, for the log: `drain`, `deliver`. */
  readonly name: string;
  /** One bounded piece of work. Should end soon once the signal aborts. */
  readonly pass: (signal: AbortSignal) => Promise<PassOutcome>;
  /** Begins to wake the loop from time to time, as with {@link every}; called by start(). */
  readonly trigger?: (wake: () => void) => Stoppable;
  readonly log: Log;
  /** Told of each failure and of the first success after; for status tables. Must not throw. */
  readonly onError?: (error: unknown, failures: number) => void;
  readonly onRecovered?: (failures: number) => void;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: () => number;
  /** Default: a timer. Must reject, or come back, when the signal aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export type LoopState = 'new' | 'idle' | 'running' | 'waiting' | 'stopped';

export interface Loop {
  /** Begins with a pass at once. Does nothing if it has begun, or was stopped. */
  start(): void;
  /** There may be work: a pass begins soon, or follows the one under way. */
  wake(): void;
  /** Starts no more passes and waits for the one under way, whose signal aborts after `graceMs` (default 7 s). */
  stop(graceMs?: number): Promise<void>;
  state(): LoopState;
}

/** Makes a loop; nothing runs before start(). */
export function makeLoop(options: LoopOptions): Loop {
  const { name, pass, log, random = Math.random, sleep = sleepOnTimer } = options;
  const passes = new AbortController();
  const waits = new AbortController();
  const streak = makeStreak(name, log);
  let state: LoopState = 'new';
  let woken = true;
  let ring: (() => void) | undefined;
  let trigger: Stoppable | undefined;
  let running: Promise<void> | undefined;

  const isStopped = (): boolean => waits.signal.aborted;
  const wake = (): void => {
    woken = true;
    ring?.();
  };
  waits.signal.addEventListener('abort', wake);

  const untilWoken = async (): Promise<void> => {
    if (woken) return;
    state = 'idle';
    await new Promise<void>((resolve) => {
      ring = resolve;
    });
    ring = undefined;
  };

  const waitAfter = async (failure: unknown): Promise<void> => {
    state = 'waiting';
    const asked = failure instanceof SyncError ? failure.retryAfterS : undefined;
    try {
      await sleep(backoffMs(streak.failures(), random(), asked), waits.signal);
    } catch {
      // Stopped meanwhile.
    }
    woken = true;
  };

  const passOnce = async (): Promise<void> => {
    state = 'running';
    woken = false;
    try {
      const { done, full } = await pass(passes.signal);
      if (done > 0) log.debug({ loop: name, done, full }, 'pass done');
      const failures = streak.succeeded();
      if (failures > 0) options.onRecovered?.(failures);
      if (full) woken = true;
    } catch (error) {
      if (isStopped()) return;
      streak.failed(error);
      options.onError?.(error, streak.failures());
      await waitAfter(error);
    }
  };

  const run = async (): Promise<void> => {
    for (;;) {
      await untilWoken();
      if (isStopped()) break;
      await passOnce();
      // Lets timers and sockets have their turn while passes follow each other at once.
      await new Promise((resolve) => setImmediate(resolve));
    }
    state = 'stopped';
  };

  return {
    start() {
      if (running !== undefined || isStopped()) return;
      trigger = options.trigger?.(wake);
      running = run();
    },
    wake,
    async stop(graceMs = 7_000) {
      trigger?.stop();
      waits.abort();
      const hurry = setTimeout(() => passes.abort(), graceMs);
      await running;
      clearTimeout(hurry);
      state = 'stopped';
    },
    state: () => state,
  };
}

/** Says each kind of failure once until it works again: as warn, or as error if waiting will not help. */
function makeStreak(name: string, log: Log) {
  let failures = 0;
  const told = new Set<string>();
  return {
    failures: () => failures,
    failed(error: unknown): void {
      failures += 1;
      const code = error instanceof SyncError ? error.code : 'INTERNAL';
      const fields = { loop: name, code, failures, err: error };
      if (told.has(code)) log.debug(fields, 'pass failed again');
      else if (entryOf(error).reaction === 'retry')
        log.warn({ ...fields, ...ownRemedy(error) }, 'pass failed, will be tried again');
      else log.error({ ...fields, remedy: remedyOf(error) }, 'pass failed, a person must act');
      told.add(code);
    },
    /** The failures that this success ends. */
    succeeded(): number {
      const ended = failures;
      if (ended > 0) log.info({ loop: name, failures: ended }, 'pass works again');
      failures = 0;
      told.clear();
      return ended;
    },
  };
}

/** What to do about this very failure, where somebody knows; that of its code is "nothing" for what passes by itself. */
function ownRemedy(error: unknown): { remedy?: string } {
  return error instanceof SyncError && error.remedy !== undefined ? { remedy: error.remedy } : {};
}

async function sleepOnTimer(ms: number, signal: AbortSignal): Promise<void> {
  await sleepFor(ms, undefined, { signal });
}
