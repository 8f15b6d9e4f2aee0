/** Feeds started by an administrator over HTTP: at most one per peer, in the background. */
import { SyncError } from '../model/errors.ts';
import type { FeedPage } from '../model/record.ts';
import type { FeedOptions, FeedSums } from './puller.ts';

/** A feed under way, or the last one, as `GET /v1/peers/NAME/feed` shows it. */
export interface FeedProgress {
  peer: string;
  running: boolean;
  message: string | null;
  retrieved: number;
  remaining: number;
  total: number;
  last_user_id: number;
  error: { code: string; message: string } | null;
}

/** Starts, shows and stops feeds. */
export interface FeedControl {
  /** Begins a feed and returns; one that is under way goes on instead. */
  start(peer: string, options: Pick<FeedOptions, 'restart' | 'once' | 'dryRun' | 'overwrite'>): FeedProgress;
  progress(peer: string): FeedProgress;
  /** Ends the feed after the page under way. */
  stop(peer: string): Promise<FeedProgress>;
  /** Ends all feeds. */
  stopAll(): Promise<void>;
}

interface Run {
  progress: FeedProgress;
  readonly abort: AbortController;
  ended: Promise<void>;
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

  const begin = (peer: string, options: Parameters<FeedControl['start']>[1]): Run => {
    const abort = new AbortController();
    const state: Run = { progress: { ...none(peer), running: true }, abort, ended: Promise.resolve() };
    const onPage = ({ message, remaining, total, next }: FeedPage): void => {
      state.progress = {
        ...state.progress,
        message,
        remaining,
        total,
        retrieved: total - remaining,
        last_user_id: next,
      };
    };
    const work = async (): Promise<void> => {
      let error: FeedProgress['error'] = null;
      try {
        await run(peer, { ...options, signal: abort.signal, onPage });
      } catch (caught) {
        if (!abort.signal.aborted) error = toProblem(caught);
      }
      state.progress = { ...state.progress, running: false, error };
    };
    state.ended = work();
    return state;
  };

  const stop = async (peer: string): Promise<FeedProgress> => {
    const current = runs.get(peer);
    if (current === undefined) return none(peer);
    current.abort.abort();
    await current.ended;
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
