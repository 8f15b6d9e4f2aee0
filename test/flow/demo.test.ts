/** The parts of `npm run demo` on a few users; CI runs the whole of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeLine } from '../../demo/change-line.ts';
import { feedAll, startDaemons } from '../../demo/feeds.ts';
import { percentile } from '../../demo/figures.ts';
import { play, summaryOf, type Played } from '../../demo/play.ts';
import { WIDTH, type Screen } from '../../demo/screen.ts';
import { makeSites, type DemoSites } from '../../demo/sites.ts';
import { makeStory } from '../../demo/story.ts';
import { compareAll, showVerdict } from '../../demo/verdict.ts';
import { personPool } from '../support/osclass/people.ts';

/** A screen that remembers its lines, without colours. */
function paper(): Screen & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    isLive: false,
    line: (text = '') => void lines.push(text),
    sketch: () => undefined,
    paint: (_style, text) => text,
  };
}

describe('the story of the demo', () => {
  const changes = makeStory(personPool(1, 2)).flatMap((chapter) => chapter.changes);

  it('has at least 20 changes, each on a line that a terminal of 100 columns holds', () => {
    expect(changes.length).toBeGreaterThanOrEqual(20);
    const arrivals = new Map([
      ['cars', { kind: 'seen', ms: 2_500 }],
      ['homes', { kind: 'seen', ms: 2_500 }],
      ['jobs', { kind: 'seen', ms: 2_500 }],
    ] as const);
    const tooLong = changes.filter(
      (change) => changeLine({ ...change, number: 99 }, arrivals, paper()).length >= WIDTH,
    );
    expect(tooLong).toEqual([]);
  });

  it('gives the smallest time that enough of the arrivals did not exceed', () => {
    const timesMs = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0.5, 0.99, 1].map((share) => percentile(timesMs, share))).toEqual([50, 99, 100]);
    expect(percentile([7], 0.5)).toBe(7);
  });

  it('says how many arrivals were slow', () => {
    expect(summaryOf({ changes: 1, timesMs: [500, 2_500], failures: [] })).toBe(
      '2 arrivals: median 0.50 s, p99 2.50 s, slowest 2.50 s; 1 over 2.00 s',
    );
  });
});

describe('the sites of the demo', () => {
  const { signal } = new AbortController();
  let sites: DemoSites;
  beforeAll(async () => {
    sites = await makeSites({ people: 38 });
  });
  afterAll(() => sites.world.close());

  const playOnly = (isWanted: (what: string) => boolean): Promise<Played> => {
    const chapters = makeStory(sites.everywhere).map(({ title, changes }) => ({
      title,
      changes: changes.filter(({ what }) => isWanted(what)),
    }));
    const settle = (): Promise<void> => sites.world.settle();
    // Who looks may do so through the site's own connection, as long as nothing waits on it.
    return play(chapters, { hosts: sites.hosts, watchers: sites.hosts, settle, signal, screen: paper(), pauseMs: 0 });
  };

  it('differ at first, and are equal after the feeds', async () => {
    const before = await compareAll(Object.values(sites.hosts));
    expect(before.differences.length).toBeGreaterThan(0);
    await startDaemons(sites.world, signal);
    const screen = paper();
    await feedAll(sites.world, screen, signal);
    await sites.world.settle();
    expect(screen.lines).toHaveLength(6);
    expect(screen.lines.join('\n')).toContain('jobs  ← homes');
    const { differences, users } = await compareAll(Object.values(sites.hosts));
    expect(differences).toEqual([]);
    expect(users).toBe(38);
  });

  it('show a change on both other sites, and one that is rolled back on none', async () => {
    const played = await playOnly((what) => /registers \(|rolled back/.test(what));
    expect(played.failures).toEqual([]);
    expect(played.changes).toBe(2);
    expect(played.timesMs).toHaveLength(2);
  });

  it('tell of a change that leaks, and of values that differ', async () => {
    const [{ email } = { email: '' }] = sites.everywhere;
    const { jobs } = sites.hosts;
    const leaking = {
      on: 'jobs',
      user: email,
      what: 'A change that was to stay',
      stays: true,
      act: () => jobs.write("UPDATE {user} SET s_zip = '1' WHERE s_email = ?", [email]),
    } as const;
    const settle = (): Promise<void> => sites.world.settle();
    const played = await play([{ title: '', changes: [leaking] }], {
      hosts: sites.hosts,
      watchers: sites.hosts,
      settle,
      signal,
      screen: paper(),
      pauseMs: 0,
    });
    expect(played.failures).toHaveLength(2);

    await sites.world.site('jobs').stop();
    await jobs.person.changePassword(email);
    const verdict = await compareAll(Object.values(sites.hosts));
    const screen = paper();
    showVerdict(verdict, screen);
    expect(screen.lines.at(-1)).toBe('The 3 sites are not equal: 1 difference.');
    const told = screen.lines.find((line) => line.includes(email));
    expect(told).toContain('s_password');
    expect(told).not.toContain('$2y$');
  });
});
