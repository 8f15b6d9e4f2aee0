/** Work under a lease: one worker at a time, taking turns rather than waiting long. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Lease, Leases } from './lease.ts';

const POLL_MS = 50;
const WAIT_MS = 2_000;

/**
 * Runs `work` under the lease, prolongs it meanwhile however long that takes, and gives it back, whatever came of the
 * work. A lease that is lost all the same shows at the next fence.
 */
export async function whileHeld<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
  const renewing = setInterval(() => void lease.renew().catch(() => undefined), lease.renewEveryMs);
  try {
    return await work();
  } finally {
    clearInterval(renewing);
    await lease.release().catch(() => undefined);
  }
}

/**
 * Runs `work` under the lease of that name; see {@link whileHeld}. Undefined if someone else keeps the lease for two
 * seconds: then they are doing the work.
 */
export async function withLease<T>(
  leases: Leases,
  name: string,
  work: (lease: Lease) => Promise<T>,
): Promise<T | undefined> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const lease = await leases.tryAcquire(name);
    if (lease !== undefined) return await whileHeld(lease, () => work(lease));
    if (performance.now() > until) return undefined;
    await wait(POLL_MS);
  }
}
