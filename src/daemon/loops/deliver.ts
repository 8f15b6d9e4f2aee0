/** Deliveries: a loop for each peer that we send to. */
import type { Loop } from '../../runtime/loop.ts';
import { loopOf, type LoopContext } from './context.ts';

/** The loop of one peer; woken, and by itself only while more waits. */
export function deliveryLoop(context: LoopContext, peer: string): Loop {
  const { site, log, identity } = context;
  return loopOf(context, {
    name: 'deliver',
    log: log.child({ peer }),
    pass: identity.afterLastCheck(async (signal) => {
      const { done, full, kept } = await site.deliver(site.route(peer), signal);
      if (done > 0) log.info({ peer, users: done, kept }, 'delivered');
      return { done, full: full && done > 0 };
    }),
  });
}
