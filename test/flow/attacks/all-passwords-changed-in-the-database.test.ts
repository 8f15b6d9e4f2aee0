/** Whoever broke into one site sets the password of everybody in its database: that site stops itself, and so does the other. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../../support/by-hand.ts';
import { HASH } from '../../support/hostile-peer.ts';
import { makeWorld, type Answer, type World, type WorldSite } from '../../support/world.ts';

const USERS = 620;
/** Of 620 users: a number of 10 is less than a tenth of them, and more than 1 %. */
const PASSES = 10;

let world: World;
let cars: WorldSite;
let homes: WorldSite;
beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { manual: true, idle: true, defaultGuard: true });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await cars.host.seed.users({ seed: 11, count: USERS, allActive: true });
  for (const site of world.sites) await site.start();
  await scanAll(world);
  await (await siteOf(homes)).feed('cars', { restart: false, once: false, dryRun: false, overwrite: false });
  await settleByHand(world);
}, 120_000);
afterAll(() => world.close());

const count = async ({ db }: WorldSite, where: string): Promise<number> =>
  Number((await db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM oc_t_user WHERE ${where}`))[0]?.n);
const credentials = async (of: WorldSite, peer: string): Promise<unknown> =>
  ((await of.admin('GET', `/v1/peers/${peer}`)).body['held_by_class'] as Answer)['credentials'];
const changed = `s_password = '${HASH}'`;

test('the feed that a person started is held nowhere', async () => {
  expect(await count(homes, '1 = 1')).toBe(USERS);
  expect((await homes.admin('GET', '/v1/peers/cars')).body).toMatchObject({ held: 0, parked: 0 });
});

test('UPDATE oc_t_user SET s_password: the number passes, and of all others every other edit', async () => {
  await cars.db.query(`UPDATE oc_t_user SET s_password = '${HASH}', s_name = 'Edited'`);
  await settleByHand(world);
  expect(await count(homes, changed)).toBe(PASSES);
  expect(await count(homes, "s_name = 'Edited'")).toBe(USERS);
  expect(await credentials(cars, 'homes')).toBe(USERS - PASSES);
  expect(await credentials(homes, 'cars')).toBe(0);
  const { body } = await cars.admin('GET', '/v1/pending?limit=1000');
  const pending = body['pending'] as { state: string; code: string }[];
  expect(pending).toHaveLength(USERS - PASSES);
  expect(pending.every(({ state, code }) => state === 'held' && code === 'GUARD_HELD')).toBe(true);
});

test('a later edit of one of them arrives, and so does one that was made while the site was away', async () => {
  await cars.db.query("UPDATE oc_t_user SET s_phone_mobile = '+1'");
  await drainAll(cars);
  await deliverAll(cars);
  expect(await count(homes, "s_phone_mobile = '+1'")).toBe(USERS);
  await cars.db.query("UPDATE oc_t_user SET s_phone_mobile = '+2'");
  await drainAll(cars);
  await cars.stop();
  await cars.start();
  await settleByHand(world);
  expect(await count(homes, "s_phone_mobile = '+2'")).toBe(USERS);
  expect(await count(homes, changed)).toBe(PASSES);
  expect(await credentials(cars, 'homes')).toBe(USERS - PASSES);
});

test('a removal, and a person who puts the old password back, are held for nothing', async () => {
  const [kept, gone] = await cars.db.query<{ s_email: string; s_password: string }>(
    `SELECT s_email, s_password FROM \`${homes.db.name}\`.oc_t_user WHERE s_password <> '${HASH}' LIMIT 2`,
  );
  await cars.db.query('UPDATE oc_t_user SET s_password = ? WHERE s_email = ?', [kept?.s_password, kept?.s_email]);
  await cars.host.person.deleteAccount(gone?.s_email ?? '');
  await settleByHand(world);
  expect(await homes.host.user(gone?.s_email ?? '')).toBeUndefined();
  // That it is as it was only a person can know: it still waits, and says nothing else than what is there.
  expect(await credentials(cars, 'homes')).toBe(USERS - PASSES - 1);
  expect((await homes.host.user(kept?.s_email ?? ''))?.['s_password']).toBe(kept?.s_password);
});

test('approve on the site lets all of it go, and the other site, which was not asked, holds it', async () => {
  const approve = async (body: object): Promise<unknown> =>
    (await cars.admin('POST', '/v1/peers/homes/approve', body)).body;
  expect(await approve({ class: 'creations' })).toMatchObject({ released: 0 });
  const all = { released: USERS - PASSES - 1, by_class: { credentials: USERS - PASSES - 1, removals: 0 } };
  expect(await approve({ dry_run: true })).toMatchObject({ ...all, dry_run: true });
  expect(await credentials(cars, 'homes')).toBe(USERS - PASSES - 1);
  expect(await approve({})).toMatchObject({ ...all, dry_run: false });
  await settleByHand(world);
  expect(await credentials(cars, 'homes')).toBe(0);
  expect(await count(homes, changed)).toBe(PASSES);
  expect(await credentials(homes, 'cars')).toBe(USERS - PASSES - 2);
});

test('approve there lets it in, and the sites are equal', async () => {
  expect((await homes.admin('POST', '/v1/peers/cars/approve')).body['released']).toBe(USERS - PASSES - 2);
  await settleByHand(world);
  expect(await world.differences()).toEqual([]);
  const { body } = await homes.admin('GET', '/health');
  expect(body['status']).toBe('ok');
});
