import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World } from '../support/world.ts';

const RELATED =
  'related_tables: [{ table: t_shop, key: fk_i_user_id, as: shop, columns: [s_vat, i_rank, dt_opened, s_missing] }]';
const TABLE = `CREATE TABLE oc_t_shop (fk_i_user_id INT UNSIGNED NOT NULL PRIMARY KEY, s_vat VARCHAR(20) NULL,
  i_rank INT NULL, dt_opened DATETIME NULL, s_local VARCHAR(20) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

let world: World;
beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true, extra: { cars: RELATED, homes: RELATED } });
  for (const site of world.sites) await site.db.query(TABLE);
  await Promise.all(world.sites.map((site) => site.start()));
});
afterAll(() => world.close());

const shopAtHomes = async (): Promise<unknown> => {
  const [row] = await world.site('homes').db.query(
    `SELECT s_vat, i_rank, dt_opened, s_local FROM oc_t_shop s JOIN oc_t_user u ON u.pk_i_id = s.fk_i_user_id
     WHERE u.s_email = 'ana@example.com'`,
  );
  return row;
};

it('carries a row of a related table, its changes and its end, and leaves local columns alone', async () => {
  const cars = world.site('cars');
  const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
  await world.settle();
  await cars.db.query(`INSERT INTO oc_t_shop VALUES (${ana}, 'DE 1', 3, '2020-05-01 12:00:00', 'here')`);
  await eventually(async () =>
    expect(await shopAtHomes()).toEqual({ s_vat: 'DE 1', i_rank: 3, dt_opened: '2020-05-01 12:00:00', s_local: '' }),
  );
  await world.site('homes').db.query(`UPDATE oc_t_shop SET s_local = 'there'`);
  await cars.db.query(`UPDATE oc_t_shop SET s_vat = 'DE 2' WHERE fk_i_user_id = ${ana}`);
  await eventually(async () => expect(await shopAtHomes()).toMatchObject({ s_vat: 'DE 2', s_local: 'there' }));
  await cars.db.query(`DELETE FROM oc_t_shop WHERE fk_i_user_id = ${ana}`);
  await eventually(async () => expect(await shopAtHomes()).toBeUndefined());
  await cars.host.person.deleteAccount(ana);
  await eventually(async () => expect(await world.site('homes').db.query('SELECT 1 FROM oc_t_shop')).toEqual([]));
});
