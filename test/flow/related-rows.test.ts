/** Sites that learn to tell an empty row from none: upgraded in place, beside a peer that cannot say it, and at first sight. */
import { afterEach, expect, it } from 'vitest';
import { HASH_OF_NOTHING, isRowHash } from '../../src/model/register.ts';
import { encodeShadow } from '../../src/model/shadow.ts';
import { readShadows, writeShadows } from '../../src/store/shadows.ts';
import { settleByHand, scanAll, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World, type WorldOptions, type WorldSite } from '../support/world.ts';
import { startHelloProxy, type HelloProxy } from '../support/hello-proxy.ts';

const RELATED =
  'related_tables: [{ table: t_shop, key: fk_i_user_id, as: shop, columns: [s_vat, i_rank] }]\nguard: { removals: 100000, percent: 100 }';
const TABLE = `CREATE TABLE oc_t_shop (fk_i_user_id INT UNSIGNED NOT NULL PRIMARY KEY, s_vat VARCHAR(20) NULL,
  i_rank INT NULL, s_local VARCHAR(20) NOT NULL DEFAULT 'own') ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
const EMAIL = 'ana@example.com';
const PLAIN = { restart: true, once: false, dryRun: false, overwrite: false };

let world: World;
const proxies: HelloProxy[] = [];
afterEach(async () => {
  await world.close();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});

async function makeShops(names: readonly string[], options: WorldOptions = {}): Promise<WorldSite[]> {
  const extra = Object.fromEntries(names.map((name) => [name, RELATED]));
  world = await makeWorld(names, { idle: true, manual: true, extra, ...options });
  for (const { db } of world.sites) await db.query(TABLE);
  return [...world.sites];
}

async function start(): Promise<void> {
  for (const site of world.sites) await site.start();
  await scanAll(world);
}

const register = (on: WorldSite): Promise<number> =>
  on.host.person.register({ email: EMAIL, name: 'Ana', validation: false });
const open = async (on: WorldSite, vat: string | null): Promise<unknown> =>
  on.db.query('INSERT INTO oc_t_shop (fk_i_user_id, s_vat) VALUES (?, ?)', [await on.host.idOf(EMAIL), vat]);
const shopOn = async (on: WorldSite): Promise<unknown> =>
  (await on.db.query('SELECT s_vat, s_local FROM oc_t_shop'))[0];

it('an upgrade in place makes no edit of anybody, and a row that is deleted after it goes everywhere', async () => {
  const [cars, homes] = (await makeShops(['cars', 'homes'])) as [WorldSite, WorldSite];
  await start();
  await register(cars);
  await cars.host.person.register({ email: 'bob@example.com', name: 'Bob', validation: false });
  await open(cars, null);
  await settleByHand(world);
  expect(await shopOn(homes)).toMatchObject({ s_vat: null });
  // What version 0.1.0 left behind: one hash for an empty row and for none.
  for (const site of world.sites) {
    const { db } = await siteOf(site);
    const ids = (await site.db.query<{ id: number }>('SELECT user_id AS id FROM oc_account_sync_user')).map(
      (r) => r.id,
    );
    const before = [...(await readShadows(db, ids)).values()];
    const old = before.map((user) => ({
      ...user,
      shadow: {
        ...user.shadow,
        registers: new Map(
          [...user.shadow.registers].map(([name, { hash, ...state }]) => [
            name,
            { ...state, hash: isRowHash(hash) ? HASH_OF_NOTHING : hash },
          ]),
        ),
      },
    }));
    expect(old.some(({ shadow }, at) => !encodeShadow(shadow).equals(encodeShadow(before[at]?.shadow as never)))).toBe(
      true,
    );
    await writeShadows(db, old);
    await site.db.query("DELETE FROM oc_account_sync_state WHERE name = 'registers_watched'");
    await site.stop();
    await site.start();
    expect(await (await siteOf(site)).isScanPending()).toBe(true);
  }
  await scanAll(world);
  for (const { db } of world.sites) expect(await db.query('SELECT * FROM oc_account_sync_outbox')).toEqual([]);
  await homes.db.query('DELETE FROM oc_t_shop');
  await settleByHand(world);
  expect([await shopOn(cars), await shopOn(homes)]).toEqual([undefined, undefined]);
});

it('a row that is not there when two sites first meet deletes nobody’s row', async () => {
  const [cars, homes] = (await makeShops(['cars', 'homes'])) as [WorldSite, WorldSite];
  for (const site of world.sites) await register(site);
  await open(cars, 'DE 1');
  await homes.host.write("UPDATE {user} SET dt_mod_date = NOW() - INTERVAL 1 HOUR, s_name = 'Later'");
  await cars.host.write('UPDATE {user} SET dt_mod_date = NOW() - INTERVAL 2 HOUR');
  await start();
  await (await siteOf(homes)).feed('cars', PLAIN);
  await (await siteOf(cars)).feed('homes', PLAIN);
  await settleByHand(world);
  for (const site of world.sites) expect(await shopOn(site)).toMatchObject({ s_vat: 'DE 1' });
  expect((await cars.host.user(EMAIL))?.['s_name']).toBe('Later');
});

it('a peer of version 0.1.0 is told as before, and what passes through it does not bring a deleted row back', async () => {
  const ports = new Map<string, number>();
  const isOld = (from: string, to: string): boolean => from === 'jobs' || to === 'jobs';
  const urls = new Map<string, string>();
  for (const [from, to] of [
    ['cars', 'jobs'],
    ['jobs', 'cars'],
    ['homes', 'jobs'],
    ['jobs', 'homes'],
  ] as const) {
    const proxy = await startHelloProxy(() => `http://127.0.0.1:${ports.get(to)}/`);
    proxies.push(proxy);
    urls.set(`${from} ${to}`, proxy.url);
  }
  const [cars, homes, jobs] = (await makeShops(['cars', 'homes', 'jobs'], {
    peerUrl: (from, to, port) => {
      ports.set(to, port);
      return isOld(from, to) ? (urls.get(`${from} ${to}`) ?? '') : `http://127.0.0.1:${port}/`;
    },
    peerExtra: { 'jobs.cars': '    relay: true', 'jobs.homes': '    relay: true' },
  })) as [WorldSite, WorldSite, WorldSite];
  await start();
  await register(cars);
  await open(cars, 'DE 1');
  await settleByHand(world);
  for (const site of world.sites) expect(await shopOn(site)).toMatchObject({ s_vat: 'DE 1' });
  await jobs.db.query("UPDATE oc_t_shop SET s_local = 'of jobs'");
  await cars.db.query('DELETE FROM oc_t_shop');
  const site = await siteOf(cars);
  await site.drain();
  // First to the old one, which passes it on.
  await site.deliver(site.route('jobs'));
  const passing = await siteOf(jobs);
  await passing.deliver(passing.route('homes'));
  await settleByHand(world);
  expect([await shopOn(cars), await shopOn(homes)]).toEqual([undefined, undefined]);
  expect(await shopOn(jobs)).toEqual({ s_vat: null, s_local: 'of jobs' });
  await (await siteOf(homes)).feed('jobs', PLAIN);
  await settleByHand(world);
  expect([await shopOn(cars), await shopOn(homes)]).toEqual([undefined, undefined]);
  expect(proxies.every(({ sent }) => sent.every((body) => !body.includes('"row"')))).toBe(true);
  expect(proxies.some(({ sent }) => sent.some((body) => body.includes('shop')))).toBe(true);
});
