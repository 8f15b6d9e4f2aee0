/** Starting in order and stopping in reverse, within a bounded time. */
import type { Log } from './logger.ts';

/** All releases together must end within this time. */
const STOP_WITHIN_MS = 10_000;

/** `late`: the time was over before all releases had ended, or one of them failed. */
export type StopOutcome = 'clean' | 'late';

export interface Lifecycle {
  /** Aborts when stopping begins. */
  readonly signal: AbortSignal;
  /** True from the moment stopping begins. */
  isStopping(): boolean;
  /**
   * What is to be released at the end; last added, first released. Each begins when the one before has ended, so things
   * that can stop side by side (all loops) belong into one. Added while stopping: released at once.
   */
  add(name: string, release: () => void | Promise<void>): void;
  /** Releases everything; a second call returns the outcome of the first. Never throws. */
  stop(reason: string): Promise<StopOutcome>;
  /** Resolves when stopped. */
  readonly stopped: Promise<StopOutcome>;
}

/** Makes a lifecycle that stops within `stopWithinMs`. */
export function makeLifecycle(options: { log: Log; stopWithinMs?: number }): Lifecycle {
  const { log, stopWithinMs = STOP_WITHIN_MS } = options;
  const stopping = new AbortController();
  const releases: { name: string; release: () => void | Promise<void> }[] = [];
  const { promise: stopped, resolve } = Promise.withResolvers<StopOutcome>();
  let ended: Promise<StopOutcome> | undefined;
  let current: string | undefined;

  const releaseOne = async (name: string, release: () => void | Promise<void>): Promise<boolean> => {
    current = name;
    try {
      await release();
      return true;
    } catch (error) {
      log.error({ part: name, err: error }, 'release failed');
      return false;
    }
  };

  const releaseAll = async (): Promise<StopOutcome> => {
    let outcome: StopOutcome = 'clean';
    for (let last = releases.pop(); last !== undefined; last = releases.pop()) {
      if (!(await releaseOne(last.name, last.release))) outcome = 'late';
    }
    return outcome;
  };

  const stopOnce = async (reason: string): Promise<StopOutcome> => {
    log.info({ reason }, 'stopping');
    stopping.abort();
    const deadline = Promise.withResolvers<StopOutcome>();
    const timer = setTimeout(() => {
      log.error({ part: current, waiting: releases.map(({ name }) => name) }, 'not stopped in time');
      deadline.resolve('late');
    }, stopWithinMs);
    const outcome = await Promise.race([releaseAll(), deadline.promise]);
    clearTimeout(timer);
    log.info({ outcome }, 'stopped');
    resolve(outcome);
    return outcome;
  };

  return {
    signal: stopping.signal,
    isStopping: () => stopping.signal.aborted,
    add(name, release) {
      if (ended === undefined) releases.push({ name, release });
      else void releaseOne(name, release);
    },
    stop(reason) {
      ended ??= stopOnce(reason);
      return ended;
    },
    stopped,
  };
}

/** The part of `process` that signals come from. */
export interface SignalSource {
  on(signal: NodeJS.Signals, handler: () => void): unknown;
  off(signal: NodeJS.Signals, handler: () => void): unknown;
}

/**
 * SIGTERM and SIGINT: the first stops in order, the second calls `exitNow` at once. Returns what takes the handlers
 * away again.
 */
export function stopOnSignals(lifecycle: Lifecycle, source: SignalSource, exitNow: (code: number) => void): () => void {
  const handle = (signal: NodeJS.Signals, exitCode: number) => () => {
    if (lifecycle.isStopping()) exitNow(exitCode);
    else void lifecycle.stop(signal);
  };
  // 128 + number of the signal, as shells report it.
  const handlers = [
    ['SIGTERM', handle('SIGTERM', 143)],
    ['SIGINT', handle('SIGINT', 130)],
  ] as const;
  for (const [signal, handler] of handlers) source.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
  };
}
