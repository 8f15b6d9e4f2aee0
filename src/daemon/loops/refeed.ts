/** Rolling re-feeds: a loop for each plugin peer that has a `feed_within`. */
import { refeedOnce } from '../../plugin/refeed.ts';
import type { Loop } from '../../runtime/loop.ts';
import { every } from '../../runtime/schedule.ts';
import { EVERY_SECOND, loopOf, NOTHING_DONE, type LoopContext } from './context.ts';

/** The loop of one peer; it looks every second whether a page is due. */
export function refeedLoop(context: LoopContext, peer: string): Loop {
  const { site, log, clock, identity } = context;
  return loopOf(context, {
    name: 'refeed',
    log: log.child({ peer }),
    pass: identity.afterLastCheck(async (signal) => {
      const config = site.config.peers.find(({ name }) => name === peer);
      return config === undefined ? NOTHING_DONE : await refeedOnce(site, config, clock, signal);
    }),
    trigger: (wake) => every(EVERY_SECOND, wake),
  });
}
