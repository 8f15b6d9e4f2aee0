/**
 * A site whose daemon is installed again remembers no removals, so it gives other uids to accounts of addresses that had
 * an earlier holder. They are the accounts they were: address and date of registration say so.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FeedOptions } from '../../src/feed/puller.ts';
import { deliverAll, drainAll, nextSecond, reinstall, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World, type WorldOptions, type WorldSite } from '../support/world.ts';

const NO_GUARD = 'guard: { removals: 100000, percent: 100 }';
const PLAIN: FeedOptions = { restart: true, once: false, dryRun: false, overwrite: false };
const NAMES = ['cars', 'homes', 'jobs'];

let people = 0;
const address = (name: string): string => `${name}${++people}@example.com`;
const register = (on: WorldSite, email: string, name = 'Ana'): Promise<number> =>
  on.host.person.register({ email, name, validation: false });
const rowOn = async (on: WorldSite, email: string): Promise<Record<string, unknown>> =>
  (await on.host.user(email)) ?? {};
const nameOn = async (on: WorldSite, email: string): Promise<unknown> => (await rowOn(on, email))['s_name'];
const idsOf = (world: World, email: string): Promise<unknown[]> =>
  Promise.all(world.sites.map(async (site) => (await rowOn(site, email))['pk_i_id']));
const parkedOn = (on: WorldSite): Promise<unknown[]> => on.db.query('SELECT code, message FROM oc_account_sync_parked');

/** What the pages say of a site that comes back: it takes from all others, and they from it. */
const feedBothWays = async (world: World, one: WorldSite): Promise<void> => {
  const site = await siteOf(one);
  for (const { name } of site.routes()) await site.feed(name, PLAIN);
  for (const { name } of site.routes()) await (await siteOf(world.site(name))).feed(one.name, PLAIN);
};

/** An account that its owner deleted and registered again, known everywhere. */
const registeredAgain = async (world: World, on: WorldSite, name = 'again'): Promise<string> => {
  const email = address(name);
  await register(on, email, 'First');
  await settleByHand(world);
  await on.host.person.deleteAccount(email);
  await settleByHand(world);
  await nextSecond(on);
  await register(on, email, 'Second');
  await settleByHand(world);
  return email;
};

/** Nobody waits, all sites are alike, and no account was made again. */
const expectOne = async (world: World, email: string, ids: unknown[]): Promise<void> => {
  for (const site of world.sites) expect(await parkedOn(site)).toEqual([]);
  expect((await world.differences()).filter((one) => one.email === email)).toEqual([]);
  expect(await idsOf(world, email)).toEqual(ids);
};

/** An edit of each site reaches all others. */
const expectEditsToGoEverywhere = async (world: World, email: string): Promise<void> => {
  for (const site of world.sites) {
    await site.host.person.editProfile(email, { name: `Edited on ${site.name}` });
    await settleByHand(world);
    for (const other of world.sites) expect(await nameOn(other, email)).toBe(`Edited on ${site.name}`);
  }
};

const useWorld = (options: WorldOptions = {}): (() => World) => {
  let world: World | undefined;
  beforeAll(async () => {
    const extra = Object.fromEntries(NAMES.map((name) => [name, NO_GUARD]));
    world = await makeWorld(NAMES, { manual: true, extra, ...options });
    await scanAll(world);
  }, 60_000);
  afterAll(() => world?.close());
  afterEach(async () => {
    for (const { db } of world?.sites ?? []) await db.query('DELETE FROM oc_account_sync_parked');
  });
  return () => world as World;
};

describe('an account that was deleted and registered again, once a site is reinstalled', () => {
  const zones = { cars: 'America/New_York', homes: 'Europe/Berlin', jobs: 'Asia/Kolkata' };
  const hosts = Object.fromEntries(Object.entries(zones).map(([name, timezone]) => [name, { timezone }]));
  const world = useWorld({ hosts });

  it.each(NAMES)('is one account with that of the others: %s', async (name) => {
    expect.hasAssertions();
    const email = await registeredAgain(world(), world().site('cars'));
    const ids = await idsOf(world(), email);
    await reinstall(world().site(name));
    await feedBothWays(world(), world().site(name));
    await settleByHand(world());
    await expectOne(world(), email, ids);
    await expectEditsToGoEverywhere(world(), email);
  });

  it('is linked by the first edit, without a feed, on either side', async () => {
    expect.hasAssertions();
    for (const editor of ['cars', 'homes']) {
      const email = await registeredAgain(world(), world().site('cars'));
      const ids = await idsOf(world(), email);
      await reinstall(world().site('cars'));
      await world().site(editor).host.person.editProfile(email, { name: 'Edited' });
      await settleByHand(world());
      await expectOne(world(), email, ids);
      await expectEditsToGoEverywhere(world(), email);
    }
  });

  it('is linked where both sides tell of it at once', async () => {
    expect.hasAssertions();
    const [cars, homes] = [world().site('cars'), world().site('homes')];
    const email = await registeredAgain(world(), cars);
    const ids = await idsOf(world(), email);
    await reinstall(cars);
    await cars.host.person.editProfile(email, { phoneMobile: '+1' });
    await homes.host.person.editProfile(email, { website: 'https://homes.example' });
    await drainAll(cars);
    await drainAll(homes);
    await Promise.all([deliverAll(cars, 'homes'), deliverAll(homes, 'cars')]);
    await settleByHand(world());
    await expectOne(world(), email, ids);
    await expectEditsToGoEverywhere(world(), email);
  });

  it('is linked where all sites are reinstalled, one after the other', async () => {
    expect.hasAssertions();
    const email = await registeredAgain(world(), world().site('homes'));
    const ids = await idsOf(world(), email);
    for (const site of world().sites) {
      await reinstall(site);
      await feedBothWays(world(), site);
    }
    await settleByHand(world());
    await expectOne(world(), email, ids);
    await expectEditsToGoEverywhere(world(), email);
  });

  it('is the same account though it was registered again in the second in which it was deleted', async () => {
    expect.hasAssertions();
    const [cars] = world().sites as [WorldSite];
    const email = address('quick');
    await register(cars, email, 'First');
    await settleByHand(world());
    await cars.host.person.deleteAccount(email);
    await drainAll(cars);
    await register(cars, email, 'Second');
    await settleByHand(world());
    // As if the clock of the web server were a little behind that of the database.
    await cars.host.write('UPDATE {user} SET dt_reg_date = dt_reg_date - INTERVAL 2 SECOND WHERE s_email = ?', [email]);
    await settleByHand(world());
    const ids = await idsOf(world(), email);
    await reinstall(cars);
    await cars.host.person.editProfile(email, { name: 'Edited' });
    await settleByHand(world());
    await expectOne(world(), email, ids);
    await expectEditsToGoEverywhere(world(), email);
  });

  it('is the same account though its site does not say any more which time zone it has', async () => {
    expect.hasAssertions();
    const [cars] = world().sites as [WorldSite];
    const email = await registeredAgain(world(), cars);
    const ids = await idsOf(world(), email);
    await reinstall(cars, async () => {
      await cars.host.write("DELETE FROM {preference} WHERE s_name = 'timezone'");
    });
    await feedBothWays(world(), cars);
    await settleByHand(world());
    for (const site of world().sites) expect(await parkedOn(site)).toEqual([]);
    expect(await idsOf(world(), email)).toEqual(ids);
    await expectEditsToGoEverywhere(world(), email);
    await reinstall(cars, async () => {
      await cars.host.write(
        `INSERT INTO {preference} (s_section, s_name, s_value, e_type) VALUES ('osclass', 'timezone', ?, 'STRING')`,
        [zones.cars],
      );
    });
  });

  it('is removed everywhere by whoever removes it after that, and stays so', async () => {
    expect.hasAssertions();
    for (const remover of NAMES) {
      const email = await registeredAgain(world(), world().site('cars'));
      await reinstall(world().site('cars'));
      await feedBothWays(world(), world().site('cars'));
      await settleByHand(world());
      await world().site(remover).host.person.deleteAccount(email);
      await settleByHand(world());
      for (const site of world().sites) expect(await nameOn(site, email)).toBeUndefined();
      await nextSecond(world().site('cars'));
      await register(world().site('homes'), email, 'Third');
      await settleByHand(world());
      for (const site of world().sites) expect(await nameOn(site, email)).toBe('Third');
    }
  });

  it('is one account though the site that remembers the removal is the only one that does', async () => {
    expect.hasAssertions();
    const [cars, homes] = [world().site('cars'), world().site('homes')];
    const email = await registeredAgain(world(), cars);
    const ids = await idsOf(world(), email);
    for (const site of ['cars', 'jobs']) await world().site(site).db.query('DELETE FROM oc_account_sync_tombstone');
    await reinstall(cars);
    await homes.host.person.editProfile(email, { name: 'Edited' });
    await settleByHand(world());
    await expectOne(world(), email, ids);
    await expectEditsToGoEverywhere(world(), email);
  });
});

describe('two accounts of which one has the address that the other gave up, once a site is reinstalled', () => {
  const world = useWorld();

  it.each([0, 5, -5])('stay two, each with what is its own (zone off by %i hours)', async (hours) => {
    const [cars, homes] = [world().site('cars'), world().site('homes')];
    const [given, moved] = [address('given'), address('moved')];
    await register(homes, given, 'Leaver');
    await homes.host.person.editProfile(given, { phoneMobile: '+111', website: 'https://leaver.example' });
    await settleByHand(world());
    await nextSecond(homes);
    await homes.host.person.changeEmail(given, moved);
    await settleByHand(world());
    await nextSecond(homes);
    await register(homes, given, 'Newcomer');
    await homes.host.person.editProfile(given, { phoneMobile: '+222', website: 'https://newcomer.example' });
    await settleByHand(world());
    const ids = [await idsOf(world(), given), await idsOf(world(), moved)];
    await reinstall(cars, async () => {
      await cars.host.write('UPDATE {user} SET dt_reg_date = dt_reg_date + INTERVAL ? HOUR', [hours]);
    });
    await feedBothWays(world(), cars);
    await settleByHand(world());
    for (const site of world().sites) {
      expect(await parkedOn(site)).toEqual([]);
      expect(await rowOn(site, moved)).toMatchObject({ s_name: 'Leaver', s_phone_mobile: '+111' });
      expect(await rowOn(site, given)).toMatchObject({ s_name: 'Newcomer', s_phone_mobile: '+222' });
    }
    expect([await idsOf(world(), given), await idsOf(world(), moved)]).toEqual(ids);
    await expectEditsToGoEverywhere(world(), given);
    await expectEditsToGoEverywhere(world(), moved);
  });
});

describe('sites in a line, of which the one in the middle is reinstalled', () => {
  const world = useWorld({
    peers: { cars: ['homes'], homes: ['cars', 'jobs'], jobs: ['homes'] },
    peerExtra: { 'homes.cars': '    relay: true', 'homes.jobs': '    relay: true' },
  });

  it.each(NAMES)('go on with an account that was deleted and registered again: %s', async (name) => {
    expect.hasAssertions();
    const email = await registeredAgain(world(), world().site('jobs'));
    const ids = await idsOf(world(), email);
    await reinstall(world().site(name));
    await feedBothWays(world(), world().site(name));
    await settleByHand(world());
    await expectOne(world(), email, ids);
    await expectEditsToGoEverywhere(world(), email);
    await world().site('cars').host.person.deleteAccount(email);
    await settleByHand(world());
    for (const site of world().sites) expect(await nameOn(site, email)).toBeUndefined();
  });
});
