/** A peer that may set two columns changes the address of an account, to have the password mailed to itself. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../../support/by-hand.ts';
import { makePluginMesh, type PluginMesh } from '../../support/plugin-mesh.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const ENTRY = '    columns: [s_name, s_phone_mobile]\n';
const codesOf = async (on: WorldSite): Promise<string[]> =>
  ((await on.admin('GET', '/v1/parked')).body['parked'] as { code: string }[]).map(({ code }) => code);

let world: World;
let homes: WorldSite;
let cars: WorldSite;
let mesh: PluginMesh;
beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { manual: true, peerExtra: { 'homes.cars': ENTRY } });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await scanAll(world);
  mesh = await makePluginMesh({ peerExtra: ENTRY });
}, 60_000);
afterAll(async () => {
  await world.close();
  await mesh.close();
});

it('its change of address is parked, the phone number arrives, and the account stays where it was', async () => {
  await homes.host.person.register({ email: 'victim@example.com', name: 'Victim', validation: false });
  await settleByHand(world);
  const before = await homes.host.user('victim@example.com');
  await cars.host.person.changeEmail('victim@example.com', 'mallory@example.com');
  await cars.host.person.editProfile('mallory@example.com', { phoneMobile: '+1 555' });
  await settleByHand(world);
  expect(await homes.host.user('victim@example.com')).toEqual({ ...before, s_phone_mobile: '+1 555' });
  expect(await homes.host.user('mallory@example.com')).toBeUndefined();
  expect(await codesOf(homes)).toEqual(['NOT_ACCEPTED']);
});

it('nor does it change by a feed, or by a swap of two addresses', async () => {
  for (const name of ['left', 'right']) {
    await homes.host.person.register({ email: `${name}@example.com`, name, validation: false });
  }
  await settleByHand(world);
  await cars.host.person.changeEmail('left@example.com', 'between@example.com');
  await cars.host.person.changeEmail('right@example.com', 'left@example.com');
  await cars.host.person.changeEmail('between@example.com', 'right@example.com');
  await drainAll(cars);
  await (await siteOf(homes)).feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
  await deliverAll(cars);
  await settleByHand(world);
  for (const name of ['left', 'right']) {
    expect(await homes.host.user(`${name}@example.com`)).toMatchObject({ s_name: name });
  }
});

it('a plugin peer of such a list moves no account either', async () => {
  await mesh.cars.host.person.register({ email: 'victim@example.com', name: 'Victim', validation: false });
  await mesh.settle();
  const before = await mesh.cars.host.user('victim@example.com');
  await mesh.jobs.person.changeEmail('victim@example.com', 'mallory@example.com');
  await mesh.jobs.person.editProfile('mallory@example.com', { name: 'Mallory' });
  await mesh.settle();
  expect(await mesh.cars.host.user('victim@example.com')).toEqual(before);
});

it('a new account of such a peer has its address, though the list does not name it', async () => {
  await cars.host.person.register({ email: 'new@example.com', name: 'New', validation: false });
  await settleByHand(world);
  expect(await homes.host.user('new@example.com')).toMatchObject({ s_name: 'New' });
});
