/** Every hour: what has been kept long enough goes. */
import type { Loop, PassOutcome } from '../../runtime/loop.ts';
import { every } from '../../runtime/schedule.ts';
import { forgetGuarded } from '../../store/guard-events.ts';
import type { Lease } from '../../store/lease.ts';
import { expireLogsOnce } from '../../store/log-retention.ts';
import { expireNonces } from '../../store/nonces.ts';
import { expireTombstones } from '../../store/shadows.ts';
import { leased, loopOf, type LoopContext } from './context.ts';

const EVERY_HOUR = '0 7 * * * *';
const DAY_MS = 86_400_000;

/** Makes the loop, which is not started. */
export function retentionLoop(context: LoopContext): Loop {
  return loopOf(context, {
    name: 'retention',
    log: context.log,
    pass: leased(context, 'retention', (lease, signal) => expireOnce(context, lease, signal)),
    trigger: (wake) => every(EVERY_HOUR, wake),
  });
}

async function expireOnce({ site, log, clock }: LoopContext, lease: Lease, signal: AbortSignal): Promise<PassOutcome> {
  const { db, config } = site;
  const now = clock.nowMs();
  await forgetGuarded(db, config.guard.windowMs, now);
  const tombstones = await expireTombstones(db, now - config.removal.tombstoneDays * DAY_MS);
  if (tombstones > 0) log.info({ tombstones }, 'tombstones expired');
  await site.plugin.sweep();
  await expireNonces(db, now, signal);
  return await expireLogsOnce({ db, clock, lease, limits: () => config.logs }, signal);
}
