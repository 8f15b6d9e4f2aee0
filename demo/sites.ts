/** The three sites of the demo: of different ages, in different time zones, with people in common. */
import type { Log } from '../src/runtime/logger.ts';
import type { Host, HostOptions } from '../test/support/osclass/host.ts';
import { personPool, type Person } from '../test/support/osclass/people.ts';
import { makeWorld, type World } from '../test/support/world.ts';

/** The sites. */
export const SITE_NAMES = ['cars', 'homes', 'jobs'] as const;
export type SiteName = (typeof SITE_NAMES)[number];
export type Hosts = Readonly<Record<SiteName, Host>>;

/** A site that differs from the others in what sites differ in: version of Osclass, zone, ids of places. */
interface SiteFacts extends HostOptions {
  readonly flavour: NonNullable<HostOptions['flavour']>;
  readonly timezone: string;
  /** Who has an account here: from and to, as shares of all people there are. */
  readonly people: readonly [from: number, to: number];
}

/** The facts of each site. Of 380 people, 300 are on cars, 200 on homes, 100 on jobs; a few are on all of them. */
export const FACTS: Readonly<Record<SiteName, SiteFacts>> = {
  cars: { flavour: '5.2', timezone: 'Europe/Madrid', people: [0, 300 / 380] },
  homes: { flavour: '3.7', timezone: 'Europe/Berlin', locationOffset: 100, people: [180 / 380, 1] },
  jobs: {
    flavour: '8',
    timezone: 'America/New_York',
    locations: { idOffset: 500, reverse: true },
    people: [150 / 380, 250 / 380],
  },
};

/** Small pages, so that there is progress to see. */
const FEED_PAGE = 20;

/** The sites with their users; the daemons do not run yet. */
export interface DemoSites {
  readonly world: World;
  readonly hosts: Hosts;
  /** Users each site has. */
  readonly counts: Readonly<Record<SiteName, number>>;
  /** People who are on all three sites, each with other details there. */
  readonly everywhere: readonly Person[];
  /** All people. */
  readonly people: number;
}

/**
 * Makes the sites in databases of their own, on the server of TEST_DATABASE_URL; `world.close()` drops them. Throws when
 * that cannot be done, and then leaves nothing behind.
 */
export async function makeSites({ people = 380, log }: { people?: number; log?: Log } = {}): Promise<DemoSites> {
  const feed = `feed: { limit: ${FEED_PAGE} }`;
  const world = await makeWorld(SITE_NAMES, {
    idle: true,
    signatures: true,
    hosts: FACTS,
    extra: { cars: feed, homes: feed, jobs: feed },
    ...(log === undefined ? {} : { log }),
  });
  try {
    const pool = personPool('demo', people);
    const hosts = Object.fromEntries(world.sites.map(({ name, host }) => [name, host])) as unknown as Hosts;
    const groups = Object.fromEntries(
      SITE_NAMES.map((name) => {
        const [from, to] = FACTS[name].people;
        return [name, pool.slice(Math.round(from * people), Math.round(to * people))];
      }),
    ) as Record<SiteName, Person[]>;
    for (const name of SITE_NAMES) await fill(hosts[name], groups[name]);
    const everywhere = groups.jobs.filter((one) => groups.cars.includes(one) && groups.homes.includes(one));
    const counts = { cars: groups.cars.length, homes: groups.homes.length, jobs: groups.jobs.length };
    return { world, hosts, counts, everywhere, people };
  } catch (error) {
    await world.close();
    throw error;
  }
}

/** Another seed for each site: the same people gave other details there. Active and enabled, as only those are fed. */
async function fill(host: Host, persons: readonly Person[]): Promise<void> {
  await host.seed.users({ seed: host.name, persons, allActive: true, idGaps: 0.1 });
  // Osclass 8 holds emoji, the older two cannot: such a text stays on its site and is reported, a story of its own.
  await host.write("UPDATE {user_description} SET s_info = REPLACE(s_info, '🚲', 'Bicycles')");
}
