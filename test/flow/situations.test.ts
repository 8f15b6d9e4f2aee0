/** What happens to real sites, several things at once: three sites whose daemons do nothing by themselves. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FeedOptions } from '../../src/feed/puller.ts';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

const NO_GUARD = 'guard: { removals: 100000, percent: 100 }';
const PLAIN: FeedOptions = { restart: true, once: false, dryRun: false, overwrite: false };

let people = 0;
const address = (name: string): string => `${name}${++people}@example.com`;
const register = (on: WorldSite, email: string, name = 'Ana'): Promise<number> =>
  on.host.person.register({ email, name, validation: false });
const nameOn = async (on: WorldSite, email: string): Promise<unknown> => (await on.host.user(email))?.['s_name'];

/** What follows is later than what was. */
const tick = async (on: WorldSite): Promise<void> => {
  const now = async (): Promise<unknown> => (await on.db.query('SELECT NOW(3) AS now'))[0]?.['now'];
  const before = await now();
  await eventually(async () => expect(await now()).not.toBe(before), { intervalMs: 1 });
};

describe('three sites that know each other', () => {
  let world: World;
  let cars: WorldSite;
  let homes: WorldSite;
  let jobs: WorldSite;
  beforeAll(async () => {
    world = await makeWorld(['cars', 'homes', 'jobs'], {
      manual: true,
      extra: { cars: NO_GUARD, homes: NO_GUARD, jobs: NO_GUARD },
    });
    [cars, homes, jobs] = [world.site('cars'), world.site('homes'), world.site('jobs')];
    await scanAll(world);
  }, 60_000);
  afterAll(() => world.close());
  afterEach(async () => {
    for (const { db } of world.sites) await db.query('DELETE FROM oc_account_sync_parked');
  });

  it('keep a text that was edited while the others were emptied elsewhere', async () => {
    const email = address('texts');
    await cars.host.person.register({ email, name: 'Ana', validation: false, info: { en_US: 'one', es_ES: 'uno' } });
    await settleByHand(world);
    await cars.host.person.editProfile(email, { info: { en_US: '', es_ES: '' } });
    await tick(cars);
    await homes.host.person.editProfile(email, { info: { en_US: 'two', es_ES: 'uno' } });
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
    const texts = await jobs.host.select(
      `SELECT fk_c_locale_code AS l, s_info FROM {user_description}
       WHERE fk_i_user_id = ${await jobs.host.idOf(email)} AND s_info <> ''`,
    );
    expect(texts).toEqual([{ l: 'en_US', s_info: 'two' }]);
  });

  it('remove an account whose address another site has changed, and keep who took the old address on a third', async () => {
    const [old, fresh] = [address('old'), address('fresh')];
    await register(cars, old, 'Leaver');
    await settleByHand(world);
    await homes.host.person.changeEmail(old, fresh);
    await drainAll(homes);
    await deliverAll(homes, 'jobs');
    await register(jobs, old, 'Newcomer');
    await cars.host.person.deleteAccount(old);
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
    for (const site of world.sites) {
      expect([await nameOn(site, old), await nameOn(site, fresh)]).toEqual(['Newcomer', undefined]);
    }
  });

  it('take from a master by overwrite what they can, and park what would cost an account or does not fit', async () => {
    const [clash, moved, other] = [address('clash'), address('moved'), address('other')];
    await register(cars, clash, 'Of all');
    await register(cars, moved, 'Of all');
    await settleByHand(world);
    // homes knows `clash` under an address that at cars is somebody else's; cars knows all names better.
    await homes.host.write('UPDATE {user} SET s_email = ? WHERE s_email = ?', [other, clash]);
    await drainAll(homes);
    await deliverAll(homes, 'jobs');
    await homes.db.query('DELETE FROM oc_account_sync_outbox');
    const here = await register(cars, other, 'Only here');
    await cars.host.write("UPDATE {user} SET s_name = 'Better' WHERE s_email = ?", [moved]);
    await drainAll(cars);
    await cars.db.query('DELETE FROM oc_account_sync_outbox');
    const site = await siteOf(cars);
    const sums = await site.feed('homes', { ...PLAIN, overwrite: true });
    expect(sums).toMatchObject({ parked: 1 });
    expect(await nameOn(cars, moved)).toBe('Of all');
    expect(await nameOn(cars, other)).toBe('Only here');
    expect(await nameOn(cars, clash)).toBe('Of all');
    const parked = await cars.db.query('SELECT code FROM oc_account_sync_parked');
    expect(parked).toEqual([{ code: 'EMAIL_TAKEN' }]);
    // Once the address is free, everything goes through and all are equal.
    await cars.host.person.deleteAccount(here);
    await settleByHand(world);
    expect(await nameOn(cars, other)).toBe('Of all');
    expect(await world.differences()).toEqual([]);
  });

  it('give a site back what an older backup of its whole database lacks, and remove nobody for it', async () => {
    const [edited, removed] = [address('edited'), address('removed')];
    await register(cars, edited, 'Before');
    await register(cars, removed, 'Removed later');
    await settleByHand(world);
    const restore = await backUp(cars);
    const late = address('late');
    await register(cars, late, 'Late');
    await cars.host.person.editProfile(edited, { name: 'After' });
    await cars.host.person.deleteAccount(removed);
    await settleByHand(world);

    await cars.stop();
    await restore();
    await cars.start();
    expect([await nameOn(cars, edited), await nameOn(cars, late)]).toEqual(['Before', undefined]);
    // The id of who registered late is given again.
    const next = address('next');
    await register(cars, next, 'Next');
    await settleByHand(world);
    expect([await nameOn(homes, edited), await nameOn(homes, late)]).toEqual(['After', 'Late']);
    await (await siteOf(cars)).feed('homes', PLAIN);
    await settleByHand(world);
    expect([await nameOn(cars, edited), await nameOn(cars, late)]).toEqual(['After', 'Late']);
    for (const site of world.sites) expect(await nameOn(site, next)).toBe('Next');
    // Who had been removed is back on this site only, until the others hear of the account and say so.
    expect([await nameOn(cars, removed), await nameOn(homes, removed)]).toEqual(['Removed later', undefined]);
    await cars.host.person.editProfile(removed, { name: 'Still here' });
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
    expect(await nameOn(cars, removed)).toBeUndefined();
  });

  it('go on with a site that was uninstalled for a while', async () => {
    const [here, there] = [address('here'), address('there')];
    await register(cars, here, 'Here');
    await register(homes, there, 'There');
    await settleByHand(world);
    await cars.stop();
    for (const { table } of await cars.db.query<{ table: string }>(
      `SELECT TABLE_NAME AS \`table\` FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'oc\\_account\\_sync\\_%'`,
    )) {
      await cars.db.query('SET FOREIGN_KEY_CHECKS = 0');
      await cars.db.query('DROP TABLE ??', [table]);
    }
    await cars.host.person.editProfile(here, { name: 'Edited while alone' });
    await tick(cars);
    await homes.host.person.editProfile(there, { name: 'Edited elsewhere' });
    await drainAll(homes);
    await deliverAll(homes, 'jobs');
    await cars.start();
    await scanAll(world);
    await settleByHand(world);
    for (const [to, from] of [
      ['cars', 'homes'],
      ['homes', 'cars'],
      ['jobs', 'cars'],
    ] as const) {
      await (await siteOf(world.site(to))).feed(from, PLAIN);
    }
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
    expect(await nameOn(jobs, there)).toBe('Edited elsewhere');
  });
});

/** Copies every table; what is returned puts them back as a dump does, without markers. */
async function backUp({ db }: WorldSite): Promise<() => Promise<void>> {
  const tables = await db.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'oc\\_%' AND TABLE_TYPE = 'BASE TABLE'`,
  );
  const ids = new Map<string, unknown>();
  for (const { name } of tables) {
    await db.query('CREATE TABLE ?? AS SELECT * FROM ??', [`bak_${name}`, name]);
    const [next] = await db.query('SELECT COALESCE(MAX(pk_i_id), 0) + 1 AS id FROM oc_t_user');
    ids.set(name, next?.['id']);
  }
  return async () => {
    await db.query("SET FOREIGN_KEY_CHECKS = 0, SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
    await db.query('SET @account_sync_applying = 1');
    for (const { name } of tables) {
      await db.query('DELETE FROM ??', [name]);
      await db.query('INSERT INTO ?? SELECT * FROM ??', [name, `bak_${name}`]);
    }
    await db.query(`ALTER TABLE oc_t_user AUTO_INCREMENT = ${String(ids.get('oc_t_user'))}`);
    await db.query('SET @account_sync_applying = NULL');
    await db.query('SET FOREIGN_KEY_CHECKS = 1, SESSION sql_mode = DEFAULT');
  };
}

describe('sites in a line, each passing on what it takes', () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(['cars', 'homes', 'jobs'], {
      manual: true,
      peers: { cars: ['homes'], homes: ['cars', 'jobs'], jobs: ['homes'] },
      peerExtra: {
        'homes.cars': '    columns: [s_name, s_phone_mobile, status]\n    relay: true',
        'homes.jobs': '    send_columns: [s_name, s_website, status]\n    relay: true',
      },
    });
    await scanAll(world);
  }, 60_000);
  afterAll(() => world.close());

  it('hand on no more than each of them takes and sends, and hold nothing against the others', async () => {
    const [cars, homes, jobs] = ['cars', 'homes', 'jobs'].map((name) => world.site(name)) as [
      WorldSite,
      WorldSite,
      WorldSite,
    ];
    const email = address('line');
    await cars.host.person.register({ email, name: 'Ana', validation: false });
    await cars.host.person.editProfile(email, { phoneMobile: '+1', website: 'https://cars.example', zip: '27001' });
    await settleByHand(world);
    const pick = async (on: WorldSite): Promise<unknown[]> => {
      const row = await on.host.user(email);
      return ['s_name', 's_phone_mobile', 's_website', 's_zip'].map((column) => row?.[column] || null);
    };
    expect(await pick(homes)).toEqual(['Ana', '+1', null, null]);
    expect(await pick(jobs)).toEqual(['Ana', null, null, null]);
    // homes' own website goes both ways, and jobs' name comes all the way back.
    await homes.host.write("UPDATE {user} SET s_website = 'https://homes.example'");
    await tick(jobs);
    await jobs.host.write("UPDATE {user} SET s_name = 'Ana of jobs', s_phone_mobile = '+3'");
    await settleByHand(world);
    expect((await pick(cars))[0]).toBe('Ana of jobs');
    expect((await pick(jobs))[2]).toBe('https://homes.example');
    // And it is silent: nothing is sent again.
    await settleByHand(world);
    for (const site of [cars, homes, jobs]) {
      expect(await site.db.query('SELECT * FROM oc_account_sync_outbox')).toEqual([]);
    }
  });
});
