/** Feeds started by an administrator over HTTP: at most one per peer, in the background. */
import { SyncError } from '../model/errors.ts';
import type { FeedProgress } from '../model/response-schemas.ts';
import type { FeedOptions, FeedSums } from './puller.ts';

/** How a feed is to be done. */
export type FeedChoice = Pick<FeedOptions, 'restart' | 'once' | 'dryRun' | 'overwrite'>;
/** Who is told as it goes. */
type FeedWatch = Pick<FeedOptions, 'onPage' | 'onRetry'>;

/** Starts, shows and stops feeds. */
export interface FeedControl {
  /** Begins a feed and returns; one that is under way goes on instead. */
  start(peer: string, options: FeedChoice): FeedProgress;
  /**
   * Begins a feed and tells of it until its end; `stopped` if somebody ended it. Throws what the feed throws, and `LEASE_LOST`
   * at once if one is under way.
   */
  follow(peer: string, options: FeedChoice, watch: FeedWatch): Promise<FeedSums | 'stopped'>;
  progress(peer: string): FeedProgress;
  /** Ends the feed after the page under way. */
  stop(peer: string): Promise<FeedProgress>;
  /** Ends all feeds. */
  stopAll(): Promise<void>;
}

interface Run {
  progress: FeedProgress;
  readonly abort: AbortController;
  ended: Promise<FeedSums | 'stopped'>;
}

/** @param run does a feed; see puller.ts */
export function makeFeedControl(run: (peer: string, options: FeedOptions) => Promise<FeedSums>): FeedControl {
  const runs = new Map<string, Run>();
  const none = (peer: string): FeedProgress => ({
    peer,
    running: false,
    message: null,
    retrieved: 0,
    remaining: 0,
    total: 0,
    last_user_id: 0,
    error: null,
  });

  const begin = (peer: string, options: FeedChoice, watch: FeedWatch = {}): Run => {
    const abort = new AbortController();
    const state: Run = { progress: { ...none(peer), running: true }, abort, ended: Promise.resolve('stopped') };
    const onPage: FeedOptions['onPage'] = (page, sums, outcomes) => {
      const { message, remaining, total, next } = page;
      const retrieved = total - remaining;
      state.progress = { ...state.progress, message, remaining, total, retrieved, last_user_id: next };
      watch.onPage?.(page, sums, outcomes);
    };
    const work = async (): Promise<FeedSums | 'stopped'> => {
      let error: FeedProgress['error'] = null;
      try {
        const { onRetry } = watch;
        return await run(peer, {
          ...options,
          signal: abort.signal,
          onPage,
          ...(onRetry === undefined ? {} : { onRetry }),
        });
      } catch (caught) {
        if (abort.signal.aborted) return 'stopped';
        error = toProblem(caught);
        throw caught;
      } finally {
        state.progress = { ...state.progress, running: false, error };
      }
    };
    state.ended = work();
    // A failure is reported to followers and in the progress; here it must not raise an unhandled rejection.
    state.ended.catch(() => undefined);
    return state;
  };

  const stop = async (peer: string): Promise<FeedProgress> => {
    const current = runs.get(peer);
    if (current === undefined) return none(peer);
    current.abort.abort();
    await current.ended.catch(() => undefined);
    return current.progress;
  };

  return {
    start(peer, options) {
      const current = runs.get(peer);
      if (current?.progress.running === true) return current.progress;
      const fresh = begin(peer, options);
      runs.set(peer, fresh);
      return fresh.progress;
    },
    async follow(peer, options, watch) {
      if (runs.get(peer)?.progress.running === true) {
        throw new SyncError('LEASE_LOST', `Another process is feeding from ${peer} now.`);
      }
      const fresh = begin(peer, options, watch);
      runs.set(peer, fresh);
      return fresh.ended;
    },
    progress: (peer) => runs.get(peer)?.progress ?? none(peer),
    stop,
    async stopAll() {
      await Promise.all([...runs.keys()].map(stop));
    },
  };
}

function toProblem(error: unknown): { code: string; message: string } {
  return error instanceof SyncError
    ? { code: error.code, message: error.message }
    : { code: 'INTERNAL', message: 'Something failed that should not.' };
}
