/** A running daemon shows that it is there: it keeps the lease `daemon`, which commands look at. */
import type { Lease, Leases } from '../../store/lease.ts';
import { SyncError } from '../../model/errors.ts';
import { hasPassed, type Clock } from '../../runtime/clock.ts';

/** That of one daemon. */
export interface Presence {
  /**
   * Renews the lease if it is time, or takes it. Several daemons of one site share it; any of them alive keeps it. Throws
   * what the database throws.
   */
  show(): Promise<void>;
  /** Gives it back; a database that is away does not matter. */
  leave(): Promise<void>;
}

/** So often it is renewed, and a daemon that waits for it looks. */
export const PRESENCE_EVERY_MS = 10_000;

/** Makes it; nothing is taken before the first show(). */
export function makePresence(leases: Leases, clock: Clock): Presence {
  let lease: Lease | undefined;
  let shownAtMs = 0;
  return {
    async show() {
      if (!hasPassed(PRESENCE_EVERY_MS, shownAtMs, clock.nowMs())) return;
      shownAtMs = clock.nowMs();
      try {
        await lease?.renew();
      } catch (error) {
        if (!(error instanceof SyncError) || error.code !== 'LEASE_LOST') throw error;
        lease = undefined;
      }
      lease ??= await leases.tryAcquire('daemon');
    },
    async leave() {
      await lease?.release().catch(() => undefined);
    },
  };
}
