import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Lease } from '../../src/store/lease.ts';
import { whileHeld, withLease } from '../../src/store/with-lease.ts';
import { SyncError } from '../../src/model/errors.ts';

let told: string[] = [];
const lease = (renew: () => Promise<void> = async () => undefined): Lease => ({
  name: 'drain',
  renewEveryMs: 10_000,
  fence: async () => undefined,
  renew: async () => {
    told.push('renewed');
    await renew();
  },
  release: async () => void told.push('released'),
});

beforeEach(() => {
  told = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a lease is prolonged for as long as the work goes on, then given back', async () => {
  const work = Promise.withResolvers<string>();
  const done = whileHeld(lease(), () => work.promise);
  await vi.advanceTimersByTimeAsync(35_000);
  expect(told).toEqual(['renewed', 'renewed', 'renewed']);
  work.resolve('done');
  expect(await done).toBe('done');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told.slice(3)).toEqual(['released']);
});

it('one that cannot be prolonged ends no work by itself: the next fence does', async () => {
  const work = Promise.withResolvers<string>();
  const done = whileHeld(
    lease(() => Promise.reject(new SyncError('LEASE_LOST'))),
    () => work.promise,
  );
  await vi.advanceTimersByTimeAsync(25_000);
  work.resolve('done');
  expect(await done).toBe('done');
});

it('work that fails gives its lease back too', async () => {
  const leases = { tryAcquire: async () => lease() };
  const failing = withLease(leases, 'drain', () => Promise.reject(new SyncError('DB_UNAVAILABLE')));
  await expect(failing).rejects.toMatchObject({ code: 'DB_UNAVAILABLE' });
  expect(told).toEqual(['released']);
});
