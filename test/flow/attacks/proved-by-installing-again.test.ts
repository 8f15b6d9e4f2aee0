/**
 * Somebody who registered the victim's address where nothing is proved has a copy of that account on a site that validates. Its
 * memory is lost: it is uninstalled, and installed again. What docs/security.md says of that keeps the copy from counting as proved.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownedBy, victimOn } from '../../support/attack-stage.ts';
import { reinstall, scanAll, settleByHand } from '../../support/by-hand.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
const OWN = 'of-cars@example.com';
let world: World;
let homes: WorldSite;
let cars: WorldSite;
let open: WorldSite;
let before: Row;
beforeAll(async () => {
  world = await makeWorld(['homes', 'cars', 'open'], {
    manual: true,
    idle: true,
    peers: { homes: ['cars'], cars: ['homes', 'open'], open: ['cars'] },
  });
  [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  before = await victimOn(homes.host, EMAIL);
  await cars.start();
  await open.start();
  await scanAll(world);
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await signUpAsOwner(cars, { email: OWN, name: 'Owner' });
  for (const [one, peer] of [
    [open, 'cars'],
    [cars, 'open'],
  ] as const) {
    const { site } = await one.open();
    await site.drain();
    await site.deliver(site.route(peer));
  }
}, 60_000);
afterAll(() => world.close());

it('takes nothing over where validation is off while the site is installed; the owner of elsewhere gets the copy', async () => {
  expect(await cars.host.user(EMAIL)).toMatchObject({ s_name: 'Mallory', b_active: 1 });
  expect(await open.host.user(OWN)).toMatchObject({ s_name: 'Owner' });
  await setValidation(cars.host, false);
  await reinstall(cars);
  await setValidation(cars.host, true);
  await homes.start();
  await scanAll(world);
  await feed(homes, 'cars');
  expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before));
  expect(ownedBy(await cars.host.user(EMAIL))).toEqual(ownedBy(before));
  // Whoever lost it is in it still.
  await cars.host.person.changePassword(EMAIL);
  await settleByHand(world);
  expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before));
}, 60_000);

it('accounts of its own meet their copies again with the next feeds', async () => {
  await feed(cars, 'open');
  await cars.host.person.editProfile(OWN, { website: 'https://own.example' });
  await settleByHand(world);
  expect(await open.host.user(OWN)).toMatchObject({ s_website: 'https://own.example' });
}, 60_000);

async function feed(one: WorldSite, peer: string): Promise<void> {
  const { site } = await one.open();
  await site.feed(peer, { restart: true, once: false, dryRun: false, overwrite: false });
  await settleByHand(world);
}
