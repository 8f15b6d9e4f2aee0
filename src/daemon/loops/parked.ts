/** Parked records are tried again: every minute, and whenever something changed that they may have waited for. */
import type { Loop } from '../../runtime/loop.ts';
import { every } from '../../runtime/schedule.ts';
import { leased, loopOf, type LoopContext } from './context.ts';

const EVERY_MINUTE = '30 * * * * *';

/** Makes the loop, which is not started. */
export function parkedLoop(context: LoopContext): Loop {
  const { site, log } = context;
  return loopOf(context, {
    name: 'parked',
    log,
    pass: leased(context, 'parked', async (_lease, signal) => {
      await site.sweep();
      const { done, full, outcomes } = await site.retryParked({ signal });
      const through = outcomes.filter((outcome) => outcome.result === 'applied').length;
      if (through > 0) log.info({ records: through }, 'parked records went through');
      return { done, full };
    }),
    trigger: (wake) => every(EVERY_MINUTE, wake),
  });
}
