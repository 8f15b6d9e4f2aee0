/** A feed that somebody follows from its beginning to its end: what the command line shows while the daemon does the work. */
import { SyncError, remedyOf } from '../model/errors.ts';
import type { FeedChoice, FeedControl } from './control.ts';
import { plannedUsers, type PlannedUser } from './planned.ts';
import type { FeedSums } from './puller.ts';

/** What happened, in order. After `end`, `stopped` or `failed` nothing comes. */
export type FeedEvent =
  | { readonly event: 'begun' | 'stopped' }
  | {
      readonly event: 'page';
      readonly page: { readonly total: number; readonly remaining: number };
      readonly sums: FeedSums;
      /** Only of a dry run. */
      readonly planned: readonly PlannedUser[];
    }
  | { readonly event: 'retry'; readonly message: string; readonly wait_ms: number }
  | { readonly event: 'end'; readonly sums: FeedSums }
  | { readonly event: 'failed'; readonly code: string; readonly message: string; readonly remedy: string };

/**
 * Begins a feed and gives its events. It ends with the feed; a feed that nobody follows any more (`signal`) is stopped. Throws
 * `LEASE_LOST` at once if this daemon feeds from the peer already.
 */
export function followFeed(
  feeds: FeedControl,
  peer: string,
  options: FeedChoice,
  signal: AbortSignal,
): AsyncGenerator<FeedEvent> {
  const waiting: FeedEvent[] = [{ event: 'begun' }];
  let wake = (): void => undefined;
  const tell = (event: FeedEvent): void => {
    waiting.push(event);
    wake();
  };
  const feed = feeds.follow(peer, options, {
    // What is told is of now: the sums of a feed go on.
    onPage: ({ total, remaining }, sums, outcomes) =>
      tell({
        event: 'page',
        page: { total, remaining },
        sums: { ...sums },
        planned: options.dryRun ? plannedUsers(outcomes) : [],
      }),
    onRetry: (error, waitMs) => tell({ event: 'retry', message: messageOf(error), wait_ms: waitMs }),
  });
  const stop = (): void => void feeds.stop(peer);
  signal.addEventListener('abort', stop);
  let isOver = false;
  const over = (last: FeedEvent): void => {
    signal.removeEventListener('abort', stop);
    isOver = true;
    tell(last);
  };
  feed.then(
    (sums) => over(sums === 'stopped' ? { event: 'stopped' } : { event: 'end', sums }),
    (error: unknown) => over(failureOf(error)),
  );
  async function* events(): AsyncGenerator<FeedEvent> {
    for (;;) {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
      if (isOver) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return events();
}

function messageOf(error: unknown): string {
  return error instanceof SyncError ? error.message : 'Something failed that should not.';
}

function failureOf(error: unknown): FeedEvent {
  const code = error instanceof SyncError ? error.code : 'INTERNAL';
  return { event: 'failed', code, message: messageOf(error), remedy: remedyOf(error) };
}
