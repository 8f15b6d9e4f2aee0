/** What a feed does beside other things that happen: local changes, deliveries, failures. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSite } from '../../src/site/site.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { deliverAll, drainAll, settleByHand } from '../support/by-hand.ts';
import { PLAIN_FEED, beginFeeding, feed, feedingWorld, idsOf } from '../support/feeding.ts';
import { compareHosts } from '../support/osclass/host.ts';
import { makeRandom } from '../support/osclass/random.ts';
import { makeStatementStop } from '../support/statement-stop.ts';
import { snapshotTables } from '../support/table-snapshot.ts';
import type { World } from '../support/world.ts';

/** How many places of the feed to break it off at; `all`: every one. */
const POINTS = process.env['CRASH_POINTS'] ?? '6';
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 1e9));

let world: World;
beforeAll(async () => {
  world = await feedingWorld(3);
}, 60_000);
afterAll(() => world.close());

it(`a feed that breaks off after any statement goes on as if nothing had been (CRASH_SEED=${SEED})`, async () => {
  const { homes } = await beginFeeding(world, 4);
  const random = makeRandom(SEED);
  const stop = makeStatementStop('throw');
  const fragile = await openSite(homes.config, { clock: systemClock, onStatement: stop.onStatement });
  try {
    stop.arm(0);
    await fragile.feed('cars', PLAIN_FEED);
    const places = stop.count();
    expect(places).toBeGreaterThan(30);
    const every = Array.from({ length: places }, (_, index) => index + 1);
    const some = POINTS === 'all' ? every : every.toSorted(() => random.next() - 0.5).slice(0, Number(POINTS));
    for (const place of some) {
      const { cars } = await beginFeeding(world, 4);
      stop.arm(place);
      await fragile.feed('cars', PLAIN_FEED).catch(() => undefined);
      stop.arm(0);
      await homes.db.query("UPDATE oc_account_sync_lease SET expires_at = '2000-01-01'");
      await fragile.feed('cars', PLAIN_FEED);
      const why = `broken off after statement ${place} of ${places}`;
      expect(await compareHosts([cars.host, homes.host]), why).toEqual([]);
    }
  } finally {
    await fragile.close();
  }
}, 300_000);

it('a dry run says what a feed would do, and writes nothing at all', async () => {
  const { cars, homes } = await beginFeeding(world, 7);
  const [first, second] = await cars.host.select('SELECT s_email FROM {user} ORDER BY pk_i_id LIMIT 2');
  // One that is known here and older, and one whose address is somebody else's as the collation sees it.
  await homes.host.person.register({ email: String(first?.['s_email']), name: 'Older', validation: false });
  await homes.db.query("UPDATE oc_t_user SET dt_reg_date = '2001-01-01', dt_mod_date = '2001-01-01'");
  const accented = String(second?.['s_email']).replace(/[aeiou]/u, (letter) => `${letter}\u0301`.normalize('NFC'));
  await homes.host.person.register({ email: accented, name: 'Accent', validation: false });
  await drainAll(homes);
  const before = await snapshotTables(homes.db);
  const said: string[] = [];
  const dry = await feed(homes, 'cars', {
    dryRun: true,
    onPage: (_page, _sums, outcomes) => said.push(...outcomes.map(({ operation, result }) => `${operation} ${result}`)),
  });
  expect(await snapshotTables(homes.db)).toEqual(before);
  expect(said).toHaveLength(7);
  expect(said).toContain('insert applied');
  expect(dry.parked).toBe(1);
  const { pages, users, inserted, updated, unchanged, parked } = dry;
  expect(await feed(homes, 'cars')).toMatchObject({ pages, users, inserted, updated, unchanged, parked });
});

it('a feed keeps what is newer here; with overwrite it takes what the peer has, and the third hears of it', async () => {
  const { cars, homes, jobs } = await beginFeeding(world, 0);
  const email = 'ana@example.com';
  await cars.host.person.register({ email, name: 'Ana of cars', phoneLand: '1', validation: false });
  await settleByHand(world);
  // homes edits, and cars never hears of it.
  await homes.host.write("UPDATE {user} SET s_name = 'Ana of homes'");
  await drainAll(homes);
  await deliverAll(homes, 'jobs');
  await homes.db.query("DELETE FROM oc_account_sync_outbox WHERE peer = 'cars'");
  await feed(homes, 'cars', { restart: true });
  expect(await homes.host.user(email)).toMatchObject({ s_name: 'Ana of homes' });
  expect(await feed(homes, 'cars', { restart: true, overwrite: true })).toMatchObject({ updated: 1 });
  expect(await homes.host.user(email)).toMatchObject({ s_name: 'Ana of cars' });
  await settleByHand(world);
  expect(await jobs.host.user(email)).toMatchObject({ s_name: 'Ana of cars' });
  expect(await world.differences()).toEqual([]);
  // What was overwritten counts as set now: a later edit anywhere wins again.
  await jobs.host.person.editProfile(email, { name: 'Ana of jobs' });
  await settleByHand(world);
  expect(await cars.host.user(email)).toMatchObject({ s_name: 'Ana of jobs' });
  expect(await world.differences()).toEqual([]);
});

it('pages of a feed and deliveries of the stream end equal in any order', async () => {
  const { cars, homes } = await beginFeeding(world, 21);
  const users = await idsOf(cars);
  for (let page = 0; page < 8; page++) {
    const at = (n: number): number => users[(page * 5 + n) % users.length] as number;
    // One that was deleted meanwhile, or whose address is taken, is refused by the site.
    await cars.host.person.editProfile(at(1), { name: `Edited ${page}` }).catch(() => undefined);
    if (page % 2 === 0) await cars.host.person.changeEmail(at(2), `moved${page}@example.com`).catch(() => undefined);
    if (page % 3 === 1) await cars.host.person.deleteAccount(at(3)).catch(() => undefined);
    if (page % 3 !== 2) await drainAll(cars);
    if (page % 3 === 0) await deliverAll(cars);
    await feed(homes, 'cars', { once: true });
    const [known] = (await idsOf(homes)).slice(-1);
    if (known !== undefined) await homes.host.person.editProfile(known, { phoneMobile: `+${page}` });
    if (page % 2 === 1) {
      await drainAll(homes);
      await deliverAll(homes);
    }
  }
  await feed(homes, 'cars');
  await settleByHand(world);
  expect(await compareHosts([cars.host, homes.host])).toEqual([]);
});
