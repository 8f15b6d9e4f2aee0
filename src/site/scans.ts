/** Looking at every user of a site: the first time, after triggers were lost, or, in scan mode, again and again. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { findDeletionsOnce, isFindingDeletions, requestScan } from '../capture/find-deletions.ts';
import {
  isBaselinePending,
  isBeforeBaseline,
  isScanPending,
  scanPages,
  type BaselinePage,
} from '../capture/baseline.ts';
import type { CaptureDeps } from '../capture/deps.ts';
import { countVanished, countRememberedVanished } from '../store/vanished.ts';
import type { CaptureConfig } from '../config/config.ts';
import type { Catalog } from '../db/catalog.ts';
import type { Lease, Leases } from '../store/lease.ts';
import { readClock } from '../db/server-facts.ts';
import { readState } from '../store/state.ts';
import { withLease } from '../store/with-lease.ts';
import { hasPassed } from '../runtime/clock.ts';

/** What it needs of the site. */
export interface ScansDeps {
  /** `mode` never changes while the daemon runs. */
  readonly capture: () => CaptureConfig;
  readonly db: Kysely<unknown>;
  readonly nowMs: () => number;
  readonly catalog: () => Catalog;
  readonly captureDeps: () => CaptureDeps;
  readonly leases: Leases;
  /** Gives accounts that another engine made here what Osclass fills at every registration. */
  readonly fillGaps: () => Promise<unknown>;
  readonly drain: () => Promise<{ readonly full: boolean }>;
  /** Looks at the host again if its tables turn out to have changed. */
  readonly withFreshHost: <T>(work: () => Promise<T>) => Promise<T>;
}

/** The scans of one site. */
export interface Scans {
  /** True while any scan has pages left. */
  isPending(): Promise<boolean>;
  /** True while a feed would leave users out that no stream brings later. */
  feedsMustWait(): Promise<boolean>;
  /**
   * The next page of whatever is to be scanned, or, of users, as many as take `forMs` milliseconds; undefined: another
   * process is scanning.
   */
  page(forMs?: number): Promise<BaselinePage | undefined>;
  /** Scan mode: begins a scan now, unless one is under way. */
  request(): Promise<void>;
  /** Scan mode: begins one if the last ended long enough ago. Asks the database only when that may be so. */
  requestIfDue(): Promise<void>;
  /** Scan mode: looks at everybody once, so that what changed until now is known. */
  now(signal?: AbortSignal): Promise<void>;
  /** Scan mode: what is done all day long leaves most of the time to the host. */
  rest(tookMs: number, signal: AbortSignal): Promise<void>;
  /** Accounts that are gone though nobody deleted them. */
  countVanished(): Promise<number>;
}

/** The daemon rests this many times as long as a page took: a fifth of the time at most it reads. */
const RESTS = 4;
/** How often to look whether another process has let go of the scan. */
const BESIDE_MS = 100;

/** Puts the scans together. */
export function makeScans(deps: ScansDeps): Scans {
  const { capture, db, nowMs, leases, catalog, captureDeps, drain, withFreshHost, fillGaps } = deps;
  const isScanMode = capture().mode === 'scan';
  let asked = { atMs: -Infinity, forMs: 0 };
  const withDrainLease = (work: (lease: Lease) => Promise<BaselinePage>): Promise<BaselinePage | undefined> =>
    withFreshHost(() => withLease(leases, 'drain', work));
  const searchAbsent = async (lease: Lease): Promise<BaselinePage> => {
    const { done, deleted, vanished } = await findDeletionsOnce({ ...captureDeps(), isScanMode }, lease);
    return { done, full: true, changed: deleted, vanished };
  };
  const page = async (forMs?: number): Promise<BaselinePage | undefined> => {
    if (await isFindingDeletions(db)) return await withDrainLease(searchAbsent);
    if (await isBeforeBaseline(db)) await fillGaps();
    // A row that replaced a deleted one goes on as that account only as long as it has no shadow of its own.
    if (isScanMode) while ((await drain()).full);
    return await withDrainLease((lease) => scanPages(captureDeps(), lease, forMs));
  };
  return {
    isPending: () => isScanPending(db),
    feedsMustWait: () => (isScanMode ? isBaselinePending(db) : isScanPending(db)),
    page,
    request: () => requestScan(db),
    async now(signal) {
      await requestScan(db);
      while (await isScanPending(db)) {
        if ((await page()) === undefined) await pause(BESIDE_MS, signal);
      }
    },
    rest: (tookMs, signal) => pause(tookMs * RESTS, signal),
    async requestIfDue() {
      if (!hasPassed(asked.forMs, asked.atMs, nowMs())) return;
      const last = await readState(db, 'scanned_at');
      const dueInMs = last === undefined ? 0 : Date.parse(last) + capture().scanEveryMs - (await readClock(db));
      if (dueInMs <= 0) await requestScan(db);
      asked = { atMs: nowMs(), forMs: Math.max(dueInMs, 0) };
    },
    countVanished: () => (isScanMode ? countRememberedVanished(db) : countVanished(db, catalog())),
  };
}

/** Ends early when the signal aborts. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
