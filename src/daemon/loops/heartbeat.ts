/** A running daemon shows that it is there: it keeps the lease `daemon`, which commands look at. */
import type { Lease, Leases } from '../../store/lease.ts';
import { SyncError } from '../../model/errors.ts';
import { hasPassed, type Clock } from '../../runtime/clock.ts';

/** The heartbeat of one daemon. */
export interface Heartbeat {
  /**
   * Renews the lease if it is time, or takes it. Several daemons of one site share it; any of them alive keeps it. Throws
   * what the database throws.
   */
  beat(): Promise<void>;
  /** Gives it back; a database that is away does not matter. */
  leave(): Promise<void>;
}

/** Interval at which it is renewed, and at which a daemon that waits for it looks. */
export const HEARTBEAT_EVERY_MS = 10_000;

/** Makes it; nothing is taken before the first show(). */
export function makeHeartbeat(leases: Leases, clock: Clock): Heartbeat {
  let lease: Lease | undefined;
  let beatAtMs = 0;
  return {
    async beat() {
      if (!hasPassed(HEARTBEAT_EVERY_MS, beatAtMs, clock.nowMs())) return;
      beatAtMs = clock.nowMs();
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
