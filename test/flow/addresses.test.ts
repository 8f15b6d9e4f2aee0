/** Addresses that move between accounts, one record in each request: no two of them can be settled together. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let round = 0;
/** An address of this test. */
let a: (name: string) => string;
beforeAll(async () => {
  const extra = Object.fromEntries(['cars', 'homes', 'jobs'].map((name) => [name, 'stream: { batch_size: 1 }']));
  world = await makeWorld(['cars', 'homes', 'jobs'], { manual: true, extra });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());
beforeEach(() => {
  round += 1;
  a = (name) => `${name}${round}@example.com`;
});

const register = async (on: WorldSite, ...names: string[]): Promise<void> => {
  for (const name of names) await on.host.person.register({ email: a(name), name, validation: false });
};
const nameOf = async (on: WorldSite, name: string): Promise<unknown> => (await on.host.user(a(name)))?.['s_name'];
const parkedOf = async (on: WorldSite): Promise<{ code: string; id: string; email: string }[]> =>
  (await on.admin('GET', '/v1/parked')).body['parked'] as { code: string; id: string; email: string }[];

const expectEqual = async (): Promise<void> => {
  expect(await world.differences()).toEqual([]);
  for (const site of world.sites) expect(await parkedOf(site)).toEqual([]);
};

it('a chain of addresses goes through record by record', async () => {
  await register(cars, 'one', 'two', 'three');
  await settleByHand(world);
  await cars.host.person.changeEmail(a('three'), a('free'));
  await cars.host.person.changeEmail(a('two'), a('three'));
  await cars.host.person.changeEmail(a('one'), a('two'));
  await settleByHand(world);
  expect([await nameOf(homes, 'two'), await nameOf(homes, 'three'), await nameOf(homes, 'free')]).toEqual([
    'one',
    'two',
    'three',
  ]);
  await expectEqual();
});

it('two accounts that swap addresses end swapped everywhere', async () => {
  await register(cars, 'left', 'right');
  await settleByHand(world);
  await cars.host.person.changeEmail(a('left'), a('between'));
  await cars.host.person.changeEmail(a('right'), a('left'));
  await cars.host.person.changeEmail(a('between'), a('right'));
  await settleByHand(world);
  expect([await nameOf(homes, 'left'), await nameOf(homes, 'right')]).toEqual(['right', 'left']);
  await expectEqual();
});

it('three accounts that pass their addresses round end so everywhere', async () => {
  await register(cars, 'x', 'y', 'z');
  await settleByHand(world);
  await cars.host.person.changeEmail(a('x'), a('aside'));
  await cars.host.person.changeEmail(a('z'), a('x'));
  await cars.host.person.changeEmail(a('y'), a('z'));
  await cars.host.person.changeEmail(a('aside'), a('y'));
  await settleByHand(world);
  const names = await Promise.all(['x', 'y', 'z'].map((name) => nameOf(homes, name)));
  expect(names).toEqual(['z', 'x', 'y']);
  await expectEqual();
});

it('a new account under an address that its holder just left comes into being, whichever arrives first', async () => {
  await register(cars, 'holder');
  await settleByHand(world);
  await cars.host.person.changeEmail(a('holder'), a('moved'));
  await cars.host.person.register({ email: a('holder'), name: 'newcomer', validation: false });
  await settleByHand(world);
  expect([await nameOf(homes, 'holder'), await nameOf(homes, 'moved')]).toEqual(['newcomer', 'holder']);
  await expectEqual();
});

it('an address that another account has here is waited for, nothing is overwritten, and then it goes through', async () => {
  await register(cars, 'mover');
  await settleByHand(world);
  // Not known anywhere else, and never sent: only homes has it.
  await register(homes, 'wanted');
  await drainAll(homes);
  await homes.db.query('DELETE FROM oc_account_sync_outbox');
  const before = await homes.host.user(a('wanted'));
  await cars.host.person.changeEmail(a('mover'), a('wanted'));
  await cars.host.person.editProfile(a('wanted'), { phoneLand: '+34 1' });
  await drainAll(cars);
  await deliverAll(cars);
  expect(await homes.host.user(a('wanted'))).toEqual(before);
  expect(await homes.host.user(a('mover'))).toMatchObject({ s_name: 'mover', s_phone_land: '+34 1' });
  expect(await parkedOf(homes)).toMatchObject([{ code: 'EMAIL_TAKEN' }]);

  await homes.host.person.changeEmail(a('wanted'), a('elsewhere'));
  await drainAll(homes);
  // No time has to pass: a change of the holder wakes the record.
  await (await siteOf(homes)).retryParked();
  expect([await nameOf(homes, 'wanted'), await nameOf(homes, 'elsewhere')]).toEqual(['mover', 'wanted']);
  await settleByHand(world);
  await expectEqual();
});

it('what waits for an address can be tried again, or given up, by a person', async () => {
  await register(cars, 'mover', 'second');
  await settleByHand(world);
  await register(homes, 'wanted', 'other');
  await drainAll(homes);
  await homes.db.query('DELETE FROM oc_account_sync_outbox');
  await cars.host.person.changeEmail(a('mover'), a('wanted'));
  await cars.host.person.changeEmail(a('second'), a('other'));
  await drainAll(cars);
  await deliverAll(cars, 'homes');
  const parked = await parkedOf(homes);
  expect(parked.map(({ code }) => code)).toEqual(['EMAIL_TAKEN', 'EMAIL_TAKEN']);
  expect((await homes.admin('POST', `/v1/parked/${parked[0]?.id}/retry`)).body).toMatchObject({ result: 'parked' });
  expect((await homes.admin('DELETE', `/v1/parked/${parked[0]?.id}`)).status).toBe(200);
  expect(await parkedOf(homes)).toHaveLength(1);
  expect((await homes.admin('DELETE', `/v1/parked/${parked[0]?.id}`)).status).toBe(404);
  expect(await nameOf(homes, 'wanted')).toBe('wanted');
});
