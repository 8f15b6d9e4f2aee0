/** What everything that a site can do stands on: its database, who else works on it, and what it goes by. */
import type { Kysely } from 'kysely';
import { v4 } from 'uuid';
import type { Config } from '../config/config.ts';
import { openPool, type Pool } from '../db/pool.ts';
import { retryOnHostChange } from '../db/with-fresh-host.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Uid } from '../model/uid.ts';
import { readValidates } from '../osclass/validation.ts';
import { makeActivityLog, type ActivityLog } from '../store/activity-log.ts';
import { noteValidation } from '../store/first-sight.ts';
import { makeLeases, TTL_MS, type Leases } from '../store/lease.ts';
import { makePeerStatus, type PeerStatus } from '../store/peer-status.ts';
import type { AppendLog, ReadValidation } from '../store/ports.ts';
import { requireUid } from '../store/shadows.ts';
import { makeUndrained, type Undrained } from '../store/undrained.ts';
import type { ActiveConfig } from './active-config.ts';
import { openHostView, type HostView } from './host-view.ts';
import type { SiteOptions } from './site-options.ts';
import { makeIdentityCheck, type IdentityCheck } from './identity-check.ts';

/** The foundation of one site. */
export interface Foundation {
  readonly pool: Pool;
  readonly db: Kysely<unknown>;
  readonly leases: Leases;
  readonly activity: ActivityLog;
  readonly appendLog: AppendLog;
  readonly status: PeerStatus;
  readonly undrained: Undrained;
  readonly identityCheck: IdentityCheck;
  readonly view: HostView;
  readonly now: () => ActiveConfig;
  /**
   * All that reads users to send them, or writes what was sent, goes through here. Throws `RESTORED_OR_CLONED` where that may
   * not be; runs the work once more where the host turns out to be other than it was last seen.
   */
  readonly withFreshHost: <T>(work: () => Promise<T>) => Promise<T>;
  readonly nowMs: () => number;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly randomUid: () => Uid;
  readonly validation: ReadValidation;
  readonly meter: Meter | undefined;
}

/** Connects and looks at the host. Where it throws, nothing stays open. */
export async function openFoundation(config: Config, options: SiteOptions): Promise<Foundation> {
  const { clock, random = Math.random, onStatement, meter, leaseMs = TTL_MS } = options;
  // Who takes over work finds nothing locked by who stopped in the middle of it.
  const silenceS = Math.ceil(leaseMs / 3000);
  const pool = openPool(config.database, { silenceS, ...(onStatement === undefined ? {} : { onStatement }) });
  const { db } = pool;
  const view = await openHostView(db, config).catch(async (error: unknown) => {
    await pool.close();
    throw error;
  });
  const process = v4();
  const identityCheck = makeIdentityCheck({ db, process, config: () => view.now().config });
  const again = retryOnHostChange(view.refresh);
  const activity = makeActivityLog({ db, clock });
  return {
    pool,
    db,
    leases: makeLeases({ db, holder: process, ttlMs: leaseMs }),
    activity,
    appendLog: activity.append,
    status: makePeerStatus({ db, clock }),
    undrained: makeUndrained(config.capture.mode),
    identityCheck,
    view,
    now: view.now,
    async withFreshHost(work) {
      await identityCheck.require();
      return await again(work);
    },
    nowMs: () => clock.nowMs(),
    random,
    randomUid: () => requireUid(v4()),
    async validation(runner) {
      const validates = await readValidates(runner, view.now().snapshot.catalog);
      return await noteValidation(runner, validates, clock.nowMs());
    },
    meter,
  };
}
