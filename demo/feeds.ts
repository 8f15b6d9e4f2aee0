/** Every site pulls the users of the two others, as an administrator would have it do when sites first meet. */
import { setTimeout as wait } from 'node:timers/promises';
import { MultiBar } from 'cli-progress';
import type { FeedPage } from '../src/model/record.ts';
import type { FeedSums } from '../src/feed/puller.ts';
import type { World, WorldSite } from '../test/support/world.ts';
import type { Screen } from './screen.ts';

/** Shows how one feed goes. */
interface Track {
  page(page: FeedPage, sums: FeedSums): void;
  end(): void;
}

/** Shows all feeds. */
interface Board {
  track(to: string, from: string): Track;
  close(): void;
}

const POLL_MS = 20;

/** Starts the daemons and waits until each knows the users of its own site. */
export async function startDaemons(world: World, signal: AbortSignal): Promise<void> {
  await Promise.all(
    world.sites.map(async (site) => {
      const { site: opened } = await site.start();
      while (await opened.isScanPending()) await wait(POLL_MS, undefined, { signal });
    }),
  );
}

/** Site by site, from both others at once. Throws what makes a feed fail. */
export async function feedAll(world: World, screen: Screen, signal: AbortSignal): Promise<void> {
  const board = screen.isLive ? barBoard(screen) : lineBoard(screen);
  try {
    const rows = world.sites.map((to) => {
      const others = world.sites.filter((from) => from !== to);
      return { to, feeds: others.map((from) => ({ from, track: board.track(to.name, from.name) })) };
    });
    for (const { to, feeds } of rows) {
      await Promise.all(feeds.map(({ from, track }) => feedOne(to, from, track, signal)));
    }
  } finally {
    board.close();
  }
}

async function feedOne(to: WorldSite, from: WorldSite, track: Track, signal: AbortSignal): Promise<void> {
  const { site } = await to.open();
  const onPage = (page: FeedPage, sums: FeedSums): void => track.page(page, sums);
  await site.feed(from.name, { restart: false, once: false, dryRun: false, overwrite: false, signal, onPage });
  track.end();
}

const labelOf = (to: string, from: string): string => `${to.padEnd(5)} ← ${from.padEnd(5)}`;

const takenOf = ({ total, remaining }: FeedPage): string => `${total - remaining}/${total}`.padStart(7);

const outcomeOf = ({ inserted, updated, unchanged, parked }: FeedSums): string =>
  [
    `${String(inserted).padStart(3)} new`,
    `${String(updated).padStart(3)} updated`,
    `${String(unchanged).padStart(3)} unchanged`,
    ...(parked > 0 ? [`${parked} parked`] : []),
  ].join(', ');

/** Progress bars, one below the other, for a terminal. */
function barBoard(screen: Screen): Board {
  const bars = new MultiBar({
    format: `  {label}  ${screen.paint('green', '{bar}')}  {taken}  {outcome}`,
    stream: process.stdout,
    barsize: 24,
    barCompleteChar: '━',
    barIncompleteChar: ' ',
    hideCursor: true,
    fps: 25,
  });
  return {
    track(to, from) {
      const bar = bars.create(100, 0, { label: labelOf(to, from), taken: '', outcome: '' });
      return {
        page(page, sums) {
          bar.setTotal(page.total);
          bar.update(page.total - page.remaining, { taken: takenOf(page), outcome: outcomeOf(sums) });
        },
        end: () => bar.stop(),
      };
    },
    close: () => bars.stop(),
  };
}

/** A line at the end of each feed, for pipes and files. */
function lineBoard(screen: Screen): Board {
  return {
    track(to, from) {
      let last = '';
      return {
        page(page, sums) {
          last = `  ${labelOf(to, from)}  ${takenOf(page)}  ${outcomeOf(sums)}`;
        },
        end: () => screen.line(last),
      };
    },
    close: () => undefined,
  };
}
