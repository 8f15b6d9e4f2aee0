/** What every loop of a daemon works with. */
import type { WorkState } from '../../admin/gather-health.ts';
import { explainMissing } from '../../osclass/missing-host.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/logger.ts';
import { makeLoop, type Loop, type LoopOptions, type PassOutcome } from '../../runtime/loop.ts';
import type { Site } from '../../site/site.ts';
import type { Lease } from '../../store/lease.ts';
import { withLease } from '../../store/with-lease.ts';
import type { IdentityWatch } from './identity-watch.ts';

export interface LoopContext {
  readonly site: Site;
  readonly log: Log;
  readonly clock: Clock;
  /** Written by the drain, read by health. */
  readonly state: WorkState;
  /** Keeps passes from running while the daemon is elsewhere than it was. */
  readonly identity: IdentityWatch;
}

/** Crontab with seconds: how often an idle daemon looks into the queue, whatever the schedule of deliveries. */
export const EVERY_SECOND = '* * * * * *';

/** What a pass returns that had nothing to do, or left it to another daemon. */
export const NOTHING_DONE: PassOutcome = { done: 0, full: false };

/** A loop whose passes, where they meet tables of the site that are gone, say that, and not that something changed. */
export function loopOf({ site }: Pick<LoopContext, 'site'>, options: LoopOptions): Loop {
  const pass = async (signal: AbortSignal): Promise<PassOutcome> => {
    try {
      return await options.pass(signal);
    } catch (error) {
      throw await explainMissing(site.db, site.config.database, error);
    }
  };
  return makeLoop({ ...options, pass });
}

/** A pass that is run under a lease of that name, by whichever daemon of the site has it. */
export function leased(
  { site, identity }: LoopContext,
  name: string,
  pass: (lease: Lease, signal: AbortSignal) => Promise<PassOutcome>,
): (signal: AbortSignal) => Promise<PassOutcome> {
  return identity.afterLastCheck(
    async (signal) => (await withLease(site.leases, name, (lease) => pass(lease, signal))) ?? NOTHING_DONE,
  );
}
