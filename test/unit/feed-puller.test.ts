import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Kysely } from 'kysely';
import { runFeed, type FeedOptions, type FeedPullerDeps } from '../../src/feed/puller.ts';
import { SyncError } from '../../src/model/errors.ts';
import type { FeedPage } from '../../src/model/record.ts';
import type { PeerRoute } from '../../src/model/route.ts';

const route = { name: 'homes' } as PeerRoute;
const page: FeedPage = {
  status: 'OK',
  message: 'Progress: 100.00%',
  users: [],
  total: 0,
  remaining: 0,
  retrieved: 0,
  limit: 10,
  after: 0,
  next: 0,
  done: true,
};
// A dry run from the beginning touches no database.
const dry: FeedOptions = { restart: true, once: false, dryRun: true, overwrite: false };

/** A minute of failures, without waiting for it: each request takes five seconds of this clock, each pause a millisecond. */
const start = (
  fetch: (atS: number) => Promise<FeedPage>,
  renew: () => void = () => undefined,
  options: FeedOptions = dry,
) => {
  let nowMs = 0;
  const lease = {
    name: 'feed:homes',
    renewEveryMs: 10_000,
    fence: async () => undefined,
    renew: async () => renew(),
    release: async () => undefined,
  };
  const deps: FeedPullerDeps = {
    db: {} as Kysely<unknown>,
    leases: { tryAcquire: async () => lease },
    nowMs: () => nowMs,
    random: () => 0.5,
    newTrace: () => 'trace',
    appendLog: async () => undefined,
    keyDigest: '00000000',
    limit: () => 10,
    ownerOf: async () => 'native one',
    fetchEnd: async () => undefined,
    fetch: () => fetch((nowMs += 5_000) / 1000),
    apply: async () => [],
    removedThere: async () => null,
    backoffMs: () => 1,
  };
  return runFeed(deps, route, options);
};
const slow = (): Promise<FeedPage> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(page), 29_000);
  });
const away = new SyncError('PEER_UNREACHABLE');

describe('a feed', () => {
  it('goes on trying for a minute before it gives up', async () => {
    const tries: number[] = [];
    const feed = start((atS) => {
      tries.push(atS);
      return Promise.reject(away);
    });
    await expect(feed).rejects.toBe(away);
    // The minute begins with the first failure.
    expect(tries.at(-1)).toBe(65);
    expect(tries).toHaveLength(13);
  });

  it('goes through when the peer is back within the minute', async () => {
    const { complete } = await start((atS) => (atS < 45 ? Promise.reject(away) : Promise.resolve(page)));
    expect(complete).toBe(true);
  });

  it('does not wait for a peer that asks for more time than is left', async () => {
    const busy = new SyncError('PEER_FAILED', undefined, { retryAfterS: 90 });
    await expect(start(() => Promise.reject(busy))).rejects.toBe(busy);
  });

  it('keeps its lease while a request takes longer than the lease lasts', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const renew = vi.fn<() => void>();
    // A dry run takes no lease; any other wants a database once the page is there, and there is none.
    const feed = start(slow, renew, { ...dry, dryRun: false }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(await feed).toBeInstanceOf(Error);
    expect(renew).toHaveBeenCalledTimes(2);
  });
});
