/** The whole demo, from three sites that know nothing of each other to three that are equal. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../src/runtime/logger.ts';
import type { Host } from '../test/support/osclass/host.ts';
import { showAddresses, showSites } from './addresses.ts';
import { feedAll, startDaemons } from './feeds.ts';
import { playPartition } from './partition.ts';
import { play, summaryOf, type Played } from './play.ts';
import type { Screen } from './screen.ts';
import { makeSites, SITE_NAMES, type DemoSites, type Hosts } from './sites.ts';
import { makeStory } from './story.ts';
import { compareAll, showVerdict, type Verdict } from './verdict.ts';

/** How the demo is to run. */
export interface DayOptions {
  readonly screen: Screen;
  readonly log: Log;
  /** Keep the sites running at the end, until `signal` aborts. */
  readonly stay: boolean;
  /** Aborted: everything ends as soon as it can, and is cleared away. */
  readonly signal: AbortSignal;
}

const PAUSE_MS = 1_000;
const SETTLE_WITHIN_MS = 20_000;

/**
 * Gives true if every change arrived and all sites ended up equal. Leaves nothing behind, also when it throws; throws the
 * reason of `signal` if that aborts before the verdict.
 */
export async function playDay({ screen, log, stay, signal }: DayOptions): Promise<boolean> {
  const heading = (text: string): void => screen.line(`\n${screen.paint(['bold', 'underline'], text)}\n`);
  screen.sketch('Making three sites …');
  const sites = await makeSites({ log });
  try {
    signal.throwIfAborted();
    heading(`Three sites, ${sites.people} people, some of them on two or three`);
    showSites(sites, screen);
    screen.sketch('Starting a daemon beside each …');
    await startDaemons(sites.world, signal);

    heading('Feeds: every site takes over the users of the others');
    await feedAll(sites.world, screen, signal);
    await sites.world.settle(SETTLE_WITHIN_MS);

    heading('Changes, with the time from commit until seen on the other sites');
    const played = await withWatchers(sites.hosts, (watchers) => playAll(sites, watchers, screen, signal));
    screen.line(`\n  ${played.changes} changes, ${summaryOf(played)}`);
    for (const failure of played.failures) screen.line(screen.paint(['red', 'bold'], `  ${failure}`));

    heading('Comparison of all sites, user by user');
    const verdict = await compareAtRest(sites, screen);
    showVerdict(verdict, screen);
    if (played.failures.length > 0) screen.line(screen.paint(['red', 'bold'], 'Not every change did what it should.'));
    if (stay) {
      showAddresses(sites.world.sites, screen);
      await untilAborted(signal);
    }
    return verdict.differences.length === 0 && played.failures.length === 0;
  } finally {
    screen.sketch('Clearing away …');
    await sites.world.close();
    screen.sketch('');
  }
}

async function playAll(sites: DemoSites, watchers: Hosts, screen: Screen, signal: AbortSignal): Promise<Played> {
  const { world, hosts, everywhere } = sites;
  const common = { hosts, watchers, screen, signal };
  const settle = (): Promise<void> => world.settle(SETTLE_WITHIN_MS);
  const played = await play(makeStory(everywhere), { ...common, settle, pauseMs: PAUSE_MS });
  const user = everywhere[1]?.email ?? '';
  const parted = await playPartition({ ...common, world, user, number: played.changes + 1 });
  return {
    changes: played.changes + parted.changes,
    timesMs: [...played.timesMs, ...parted.timesMs],
    failures: [...played.failures, ...parted.failures],
  };
}

/** Once nothing waits any more; what still waits after a while is a difference like any other, and is told. */
async function compareAtRest({ world, hosts }: DemoSites, screen: Screen): Promise<Verdict> {
  screen.sketch('Waiting until nothing is under way …');
  await world.settle(SETTLE_WITHIN_MS).catch((error: unknown) => screen.line(`  ${String(error)}`));
  return compareAll(SITE_NAMES.map((name) => hosts[name]));
}

/** Further connections to all sites, closed at the end. */
async function withWatchers<T>(hosts: Hosts, work: (watchers: Hosts) => Promise<T>): Promise<T> {
  const opened: Host[] = [];
  try {
    for (const name of SITE_NAMES) opened.push(await hosts[name].again());
    return await work(Object.fromEntries(SITE_NAMES.map((name, i) => [name, opened[i]])) as unknown as Hosts);
  } finally {
    for (const host of opened) await host.close();
  }
}

/** A day is the longest a timer can safely wait; then it waits for another. */
const DAY_MS = 86_400_000;

async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await wait(DAY_MS, undefined, { signal }).catch(() => undefined);
}
