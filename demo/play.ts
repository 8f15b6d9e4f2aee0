/** Plays the story: one change after the other, each shown with the times at which it was seen. */
import { setTimeout as wait } from 'node:timers/promises';
import { makeRandom } from '../test/support/osclass/random.ts';
import { perform, type Arrival, type Stage } from './change.ts';
import { changeLine, SLOW_AFTER_MS } from './change-line.ts';
import { inSeconds, percentile } from './figures.ts';
import type { Screen } from './screen.ts';
import type { SiteName } from './sites.ts';
import type { Chapter } from './story.ts';

/** What came of it. */
export interface Played {
  readonly changes: number;
  /** From commit to seen, for each change and each other site. */
  readonly timesMs: readonly number[];
  /** Changes that were missing somewhere, or that were where they must not be. */
  readonly failures: readonly string[];
}

/** How to play. */
export interface PlayOptions extends Pick<Stage, 'hosts' | 'watchers' | 'settle' | 'signal'> {
  readonly screen: Screen;
  /**
   * Longest pause before a change. Without pauses each would come just after the daemons sent the one before, and all
   * would wait equally long.
   */
  readonly pauseMs: number;
}

/** Plays chapters. Throws only what the demo itself did wrong; what the sites did wrong is in `failures`. */
export async function play(chapters: readonly Chapter[], options: PlayOptions): Promise<Played> {
  const { screen, signal, pauseMs } = options;
  const random = makeRandom('pauses');
  const timesMs: number[] = [];
  const failures: string[] = [];
  let number = 0;
  for (const [index, { title, changes }] of chapters.entries()) {
    if (index > 0) screen.line();
    screen.line(`  ${screen.paint('bold', title)}`);
    for (const change of changes) {
      await wait(random.int(pauseMs), undefined, { signal });
      number += 1;
      const arrivals = new Map<SiteName, Arrival>();
      const line = (): string => changeLine({ ...change, number }, arrivals, screen);
      const onArrival: Stage['onArrival'] = (at, arrival) => {
        arrivals.set(at, arrival);
        screen.sketch(line());
        if (arrival.kind === 'seen') timesMs.push(arrival.ms);
        if (arrival.kind === 'missing') failures.push(`"${change.what}" on ${change.on} was not seen on ${at}`);
        if (arrival.kind === 'leaked') failures.push(`"${change.what}" on ${change.on} did not stay there`);
      };
      screen.sketch(line());
      await perform(change, { ...options, onArrival });
      screen.line(line());
    }
  }
  return { changes: number, timesMs, failures };
}

/** `54 arrivals: median 0.55 s, p99 1.02 s, slowest 1.05 s`, and how many were slow. */
export function summaryOf({ timesMs }: Played): string {
  if (timesMs.length === 0) return 'nothing arrived';
  const [median, p99, slowest] = [0.5, 0.99, 1].map((share) => inSeconds(percentile(timesMs, share)));
  const slow = timesMs.filter((ms) => ms > SLOW_AFTER_MS).length;
  const slowText = slow === 0 ? 'none' : String(slow);
  return `${timesMs.length} arrivals: median ${median}, p99 ${p99}, slowest ${slowest}; ${slowText} over ${inSeconds(SLOW_AFTER_MS)}`;
}
