/** Two sites of a world, one fed from the other; the world is shared by the tests of a file. */
import type { FeedOptions, FeedSums } from '../../src/feed/puller.ts';
import { beginAgain, scanAll, siteOf } from './by-hand.ts';
import { personPool, type Person } from './osclass/people.ts';
import { makeWorld, type World, type WorldSite } from './world.ts';

/** A feed of all pages that are left. */
export const PLAIN_FEED: FeedOptions = { restart: false, once: false, dryRun: false, overwrite: false };

/** Runs a feed from the peer to the site. */
export const feed = async (to: WorldSite, from: string, options: Partial<FeedOptions> = {}): Promise<FeedSums> =>
  (await siteOf(to)).feed(from, { ...PLAIN_FEED, ...options });

/** Ids of all users, rising. */
export const idsOf = async (site: WorldSite): Promise<number[]> =>
  (await site.host.select('SELECT pk_i_id FROM {user} ORDER BY pk_i_id')).map((row) => Number(row['pk_i_id']));

/** How many users a site has. */
export const countOf = async (site: WorldSite): Promise<number> => (await idsOf(site)).length;

/** Three sites that serve and ask for `limit` users at a time; nothing runs by itself. */
export const feedingWorld = (limit: number): Promise<World> =>
  makeWorld(['cars', 'homes', 'jobs'], {
    manual: true,
    extra: Object.fromEntries(['cars', 'homes', 'jobs'].map((name) => [name, `feed: { limit: ${limit} }`])),
  });

/** `count` people on cars, nobody elsewhere, and nothing known of anyone; or the people given, by site. */
export async function beginFeeding(
  world: World,
  people: number | Readonly<Record<string, readonly Person[]>>,
): Promise<{ cars: WorldSite; homes: WorldSite; jobs: WorldSite }> {
  const given = typeof people === 'number' ? { cars: personPool('feed', people) } : people;
  for (const site of world.sites) await beginAgain(site, (given as Record<string, readonly Person[]>)[site.name] ?? []);
  await scanAll(world);
  return { cars: world.site('cars'), homes: world.site('homes'), jobs: world.site('jobs') };
}
