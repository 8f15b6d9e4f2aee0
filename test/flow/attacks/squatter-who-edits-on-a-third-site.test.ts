/** A copy of a squatter's account on a third site gets a name, a telephone number and texts before that site hears of the owner. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownedBy, victimOn, waiting } from '../../support/attack-stage.ts';
import { deliverAll, drainAll, letTimePass, scanAll, settleByHand } from '../../support/by-hand.ts';
import { eventually } from '../../support/eventually.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const EMAILS = ['overruled@example.com', 'outdated@example.com'] as const;
const LEFT = 'left@example.com';

let world: World;
let homes: WorldSite;
let cars: WorldSite;
let open: WorldSite;
const before = new Map<string, Row>();
beforeAll(async () => {
  world = await makeWorld(['homes', 'cars', 'open'], { manual: true, idle: true });
  [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one === homes);
  for (const email of [...EMAILS, LEFT]) before.set(email, await victimOn(homes.host, email));
  for (const one of world.sites) await one.start();
  await scanAll(world);
  await settleByHand(world);
}, 60_000);
afterAll(() => world.close());

/** Registered on cars, copied to open, edited on both; and cars, where nobody proved it, gives way to homes. */
async function squatEverywhere(email: string): Promise<void> {
  await signUp(cars, { email, name: 'Mallory' });
  await drainAll(cars);
  await deliverAll(cars);
  expect(await open.host.user(email)).toMatchObject({ s_name: 'Mallory' });
  await cars.host.person.editProfile(email, { info: { es_ES: 'Soy Mallory' } });
  const info = { en_US: 'Call Mallory', es_ES: 'Llama a Mallory' };
  await open.host.person.editProfile(email, { name: 'Mallory M', phoneMobile: '666', info });
  await eventually(async () => {
    await letTimePass(homes);
    await deliverAll(homes, 'cars');
    expect(ownedBy(await cars.host.user(email))).toEqual(ownedBy(before.get(email)));
  });
}

/** All sites have the owner's account and nothing else. */
async function expectOwners(email: string): Promise<void> {
  await settleByHand(world);
  const { s_name = null, s_phone_mobile = null } = before.get(email) ?? {};
  for (const one of world.sites) {
    const row = await one.host.user(email);
    expect(row, one.name).toMatchObject({ s_name, s_phone_mobile });
    expect(ownedBy(row)).toEqual(ownedBy(before.get(email)));
    expect(await waiting(one, email)).toEqual([]);
    const texts = await one.host.select("SELECT s_info FROM {user_description} WHERE s_info LIKE '%Mallory%'");
    expect(texts, one.name).toEqual([]);
  }
}

it('nothing of it stays where that site hears of the owner first', async () => {
  const [email] = EMAILS;
  await squatEverywhere(email);
  await deliverAll(cars, 'open');
  expect(ownedBy(await open.host.user(email))).toEqual(ownedBy(before.get(email)));
  await expectOwners(email);
});

it('nothing of it comes to the owner where that site speaks first', async () => {
  const [, email] = EMAILS;
  await squatEverywhere(email);
  await drainAll(open);
  await deliverAll(open);
  expect(await homes.host.user(email)).toMatchObject({ s_name: before.get(email)?.s_name });
  await expectOwners(email);
});

it('who left the address before his site heard of the owner is not removed with the owner', async () => {
  const his = 'mallory@example.com';
  await signUp(cars, { email: LEFT, name: 'Mallory' });
  await drainAll(cars);
  await deliverAll(cars, 'open');
  await cars.host.person.changeEmail(LEFT, his);
  await homes.host.person.editProfile(LEFT, { zip: '28001' });
  await drainAll(homes);
  await deliverAll(homes, 'open');
  expect(ownedBy(await open.host.user(LEFT))).toEqual(ownedBy(before.get(LEFT)));
  await drainAll(open);
  await deliverAll(open, 'homes');
  await homes.host.person.deleteAccount(LEFT);
  await drainAll(homes);
  await deliverAll(homes, 'cars');
  await settleByHand(world);
  for (const one of world.sites) {
    expect(await one.host.user(LEFT), one.name).toBeUndefined();
    expect(await one.host.user(his), one.name).toMatchObject({ s_name: 'Mallory' });
  }
});
