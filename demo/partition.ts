/** A site whose daemon is stopped while one user is edited there and elsewhere: nothing of either edit is lost. */
import type { World } from '../test/support/world.ts';
import { MISSING_AFTER_MS, type Arrival, type Stage } from './change.ts';
import { changeLine, paintSite } from './change-line.ts';
import { inSeconds } from './figures.ts';
import { lookAt, shows, timeUntil, type Look } from './look.ts';
import type { Screen } from './screen.ts';
import { SITE_NAMES, type SiteName } from './sites.ts';

/** What the chapter needs. */
export interface PartitionOptions extends Pick<Stage, 'hosts' | 'watchers' | 'signal'> {
  readonly world: World;
  readonly screen: Screen;
  /** E-mail of a user of all sites. */
  readonly user: string;
  /** Of the first change. */
  readonly number: number;
}

/** Plays it; gives the time of the arrival at the site that was there, and what went wrong. */
export async function playPartition(
  options: PartitionOptions,
): Promise<{ changes: number; timesMs: number[]; failures: string[] }> {
  const { world, screen, user, number, hosts, watchers, signal } = options;
  const [phone, website] = ['+34 699 000 111', 'https://edited.example.com/'];
  const timesMs: number[] = [];
  const failures: string[] = [];
  const seenAt = (at: SiteName, wanted: Look, sinceMs: number): Promise<number | undefined> =>
    timeUntil(async () => shows(await lookAt(watchers[at], user), wanted), {
      sinceMs,
      timeoutMs: MISSING_AFTER_MS,
      signal,
    });

  screen.line(`\n  ${screen.paint('bold', 'A daemon that is away')}`);
  await world.site('homes').stop();

  await hosts.cars.person.editProfile(user, { phoneMobile: phone });
  const first = { number, on: 'cars', what: "A user's phone changes while homes' daemon is stopped" } as const;
  const arrivals = new Map<SiteName, Arrival>([['homes', { kind: 'later' }]]);
  screen.sketch(changeLine(first, arrivals, screen));
  const ms = await seenAt('jobs', new Map([['s_phone_mobile', phone]]), performance.now());
  arrivals.set('jobs', ms === undefined ? { kind: 'missing' } : { kind: 'seen', ms });
  if (ms === undefined) failures.push(`"${first.what}" was not seen on jobs`);
  else timesMs.push(ms);
  screen.line(changeLine(first, arrivals, screen));

  await hosts.homes.person.editProfile(user, { website });
  const second = {
    number: number + 1,
    on: 'homes',
    what: 'The same user gets another website there meanwhile',
  } as const;
  const later: Arrival = { kind: 'later' };
  screen.line(
    changeLine(
      second,
      new Map([
        ['cars', later],
        ['jobs', later],
      ]),
      screen,
    ),
  );

  screen.sketch(`      ${paintSite('homes', screen)}  The daemon starts again …`);
  await world.site('homes').start();
  const backMs = performance.now();
  const both: Look = new Map([
    ['s_phone_mobile', phone],
    ['s_website', website],
  ]);
  const cells = await Promise.all(
    SITE_NAMES.map(async (at) => {
      const afterMs = await seenAt(at, both, backMs);
      if (afterMs === undefined) failures.push(`what happened while homes was away was not seen on ${at}`);
      const text = afterMs === undefined ? screen.paint(['red', 'bold'], 'MISSING') : inSeconds(afterMs);
      return `${paintSite(at, screen).trimEnd()} ${text}`;
    }),
  );
  screen.line(`      ${paintSite('homes', screen)}  The daemon is back. Both changes are on ${cells.join(', ')} later`);
  return { changes: 2, timesMs, failures };
}
