/** Noticing the changes of one site: what src/capture can do, put together with what the site can. */
import type { Kysely } from 'kysely';
import type { CaptureDeps } from '../capture/deps.ts';
import { drainOnce, isNews, NOTHING_DRAINED, type Drained } from '../capture/drain.ts';
import { withQueue } from '../capture/queue-repair.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Uid } from '../model/uid.ts';
import type { Leases } from '../store/lease.ts';
import { wakeParked, wakeParkedFor } from '../store/parked.ts';
import type { OutboxWriter, ReadValidation } from '../store/ports.ts';
import { isQueueEmpty } from '../store/queue.ts';
import { withLease } from '../store/with-lease.ts';
import type { ActiveConfig } from './active-config.ts';
import { makeRenumberWaiting } from './renumber-waiting.ts';

/** What it needs of the site. */
export interface DrainingSite {
  readonly db: Kysely<unknown>;
  readonly leases: Leases;
  readonly nowMs: () => number;
  readonly randomUid: () => Uid;
  readonly outbox: OutboxWriter;
  readonly validation: ReadValidation;
  readonly now: () => ActiveConfig;
  /** Runs a pass; once more where the host turns out to be other than it was last seen. */
  readonly withFreshHost: <T>(pass: () => Promise<T>) => Promise<T>;
  readonly meter: Meter | undefined;
}

/** Drains of one site. */
export interface Draining {
  /** What drains and scans need, as the site is now. */
  captureDeps(): CaptureDeps;
  /** One drain pass; nothing is done while another process drains. */
  drain(): Promise<Drained>;
}

/** Puts them together. `capture.mode` never changes while the daemon runs. */
export function makeDraining(site: DrainingSite): Draining {
  const { db, leases, nowMs, randomUid, outbox, validation, now, withFreshHost, meter } = site;
  const renumberWaiting = makeRenumberWaiting(now().config.capture.mode);
  const captureDeps = (): CaptureDeps => {
    const { origin, snapshot } = now();
    const { hosts, zone } = snapshot;
    const routes = () => now().routes;
    const { toEpochMs } = zone;
    return { db, outbox, origin, nowMs, randomUid, validation, hosts, routes, renumberWaiting, toEpochMs };
  };
  return {
    captureDeps,
    async drain() {
      if (await withQueue(db, now().snapshot.catalog, () => isQueueEmpty(db))) return NOTHING_DRAINED;
      const drained =
        (await withFreshHost(() => withLease(leases, 'drain', (lease) => drainOnce(captureDeps(), lease)))) ??
        NOTHING_DRAINED;
      meter?.drained(drained);
      await wakeParked(db, drained.changed);
      if (isNews(drained)) await wakeParkedFor(db, 'USER_BUSY');
      return drained;
    },
  };
}
