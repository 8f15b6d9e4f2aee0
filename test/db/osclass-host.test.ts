import { describe, expect, it, onTestFinished } from 'vitest';
import { createDatabase } from '../support/database.ts';
import type { Flavour } from '../support/osclass/flavour.ts';
import { freshSite, settle } from '../support/osclass/fresh-site.ts';
import { compareHosts, createHost, openHost } from '../support/osclass/host.ts';
import { personPool } from '../support/osclass/people.ts';

const flavours: Flavour[] = ['3.7', '5.2', '8'];

describe.each(flavours)('a site of Osclass %s', (flavour) => {
  it('has the tables of its version', async () => {
    const host = await freshSite({ flavour, businessProfiles: true });
    const columns = await host.select(
      `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, COLUMN_DEFAULT AS initial, COLLATION_NAME AS collation
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'oc_t_user'`,
    );
    const column = (name: string): unknown => columns.find((row) => row.name === name);
    const old = flavour !== '8';
    expect(columns).toHaveLength(old ? 33 : 40);
    expect(column('s_email')).toMatchObject({ type: 'varchar(100)' });
    expect(String(columns.find((row) => row.name === 's_email')?.collation)).toMatch(
      old ? /^utf8(mb3)?_general_ci$/ : /^utf8mb4_unicode_ci$/,
    );
    expect(column('d_coord_lat')).toMatchObject({ type: old ? 'decimal(10,6)' : 'decimal(20,10)' });
    const initial = { '3.7': '0000-00-00 00:00:00', '5.2': '1000-01-01 00:00:00', '8': 'NULL' }[flavour];
    expect(String(columns.find((row) => row.name === 'dt_access_date')?.initial ?? 'NULL')).toContain(initial);
    const engines = await host.select(
      `SELECT TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()`,
    );
    expect(engines).toHaveLength(27);
    expect(engines.filter(({ engine }) => engine !== 'InnoDB').map(({ name }) => name)).toEqual([
      'oc_t_item_description',
    ]);
  });

  it('takes many different users and items, with all counters right', async () => {
    const host = await freshSite({ flavour });
    const users = await host.seed.users({ seed: 3, count: 300 });
    await host.seed.items({ seed: 3, users: users.slice(0, 40).map(({ id }) => id), count: 60 });
    expect(await host.recount()).toEqual([]);
    const [variety] = await host.select(
      `SELECT COUNT(*) AS users, SUM(b_active = 0) AS waiting, SUM(dt_mod_date IS NULL) AS untouched, SUM(i_items) AS items,
              SUM(CHAR_LENGTH(s_password) = 40) AS old, SUM(s_website IS NULL) AS none, SUM(s_website = '') AS blank,
              SUM(fk_i_city_id IS NOT NULL) AS placed, SUM(s_name LIKE '%?%') AS lost FROM {user}`,
    );
    expect(variety?.users).toBe(300);
    for (const kind of ['waiting', 'untouched', 'items', 'old', 'none', 'blank', 'placed']) {
      expect({ kind, some: Number(variety?.[kind]) > 0 }).toEqual({ kind, some: true });
    }
    expect(Number(variety?.lost)).toBe(0);
  });

  it('keeps all counters right while items and users come and go', async () => {
    const host = await freshSite({ flavour });
    const { ana, item } = await settle(host);
    const waiting = await host.items.post(ana, { inactive: true, category: 3 });
    const steps = [
      async () => host.items.activate(waiting),
      async () => host.items.setEnabled(item, false),
      async () => host.admin.block(ana),
      async () => host.admin.unblock(ana),
      async () => host.admin.deactivate(ana),
      async () => host.admin.activate(ana),
      async () => host.items.delete(waiting),
      async () => host.admin.deleteUser(ana),
    ];
    for (const step of steps) {
      await step();
      expect(await host.recount()).toEqual([]);
    }
  });
});

describe('a site', () => {
  it('shows every counter that is wrong', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    await host.write('UPDATE {user} SET i_items = 7 WHERE pk_i_id = ?', [ana]);
    await host.write('DELETE FROM {category_stats} WHERE fk_i_category_id = 1');
    expect(await host.recount()).toEqual([
      { table: 'user', key: String(ana), stored: 7, counted: 1 },
      { table: 'category_stats', key: '1', stored: 0, counted: 2 },
    ]);
  });

  it('can be opened again, with another prefix too', async () => {
    const database = await createDatabase();
    onTestFinished(async () => database.drop());
    const first = await createHost(database, { prefix: 'shop_' });
    onTestFinished(async () => first.close());
    await first.seed.users({ seed: 1, count: 20, firstId: 100, idGaps: 0.5, allActive: true });
    const second = await openHost(database, { prefix: 'shop_' });
    onTestFinished(async () => second.close());
    expect((await second.users()).users.size).toBe(20);
    expect(
      await second.select('SELECT MAX(pk_i_id) > 120 AS gaps, MIN(b_active + b_enabled) AS least FROM {user}'),
    ).toEqual([{ gaps: 1, least: 2 }]);
  });

  it('has the same users again for the same seed', async () => {
    const [one, two] = [await freshSite({ flavour: '8' }), await freshSite({ flavour: '8' })];
    for (const host of [one, two]) await host.seed.users({ seed: 'again', count: 30 });
    const rows = await one.select('SELECT * FROM {user} ORDER BY pk_i_id');
    expect(rows).toEqual(await two.select('SELECT * FROM {user} ORDER BY pk_i_id'));
  });
});

describe('two sites with people in common', () => {
  it('are equal when seeded alike, whatever their versions, ids, places and locales', async () => {
    const people = personPool(5, 50);
    const cars = await freshSite({ name: 'cars', flavour: '3.7' });
    const homes = await freshSite({
      name: 'homes',
      flavour: '5.2',
      locationOffset: 500,
      locations: { reverse: true },
      locales: ['es_ES', 'de_DE'],
    });
    await cars.seed.users({ seed: 1, persons: people });
    await homes.seed.users({ seed: 1, persons: people, firstId: 1000 });
    expect(await compareHosts([cars, homes])).toEqual([]);
  });

  it('are told apart by every edit, missing user and removed description', async () => {
    const [cars, homes] = [
      await freshSite({ name: 'cars' }),
      await freshSite({ name: 'homes', timezone: 'America/Lima' }),
    ];
    await cars.seed.users({ seed: 1, count: 3 });
    await cars.person.register({ email: 'ana@example.com', name: 'Ana', info: { en_US: 'Hello' } });
    await homes.person.register({ email: 'ANA@example.com', name: 'Anna' });
    const differences = await compareHosts([cars, homes]);
    expect(differences.filter(({ column }) => column === 'user')).toHaveLength(3);
    const ana = Object.fromEntries(
      differences.filter(({ email }) => email === 'ana@example.com').map(({ column, values }) => [column, values]),
    );
    expect(Object.keys(ana).toSorted()).toEqual(['s_email', 's_name', 's_password', 'user_description.en_US']);
    expect(ana.s_name).toEqual({ cars: 'Ana', homes: 'Anna' });
    expect(ana['user_description.en_US']).toEqual({ cars: 'Hello', homes: null });
  });
});
