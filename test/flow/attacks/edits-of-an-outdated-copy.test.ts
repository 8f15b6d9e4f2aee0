/** The squatter edits his copy on a third site that has not heard yet that he lost the account. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownedBy, victimOn } from '../../support/attack-stage.ts';
import { letTimePass, scanAll, settleByHand } from '../../support/by-hand.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
let world: World;
let homes: WorldSite;
let cars: WorldSite;
let open: WorldSite;
let before: Row;
/** What one site has to tell another. */
const step = async (one: WorldSite, to: string): Promise<void> => {
  const { site } = await one.open();
  await letTimePass(one);
  await site.drain();
  await site.deliver(site.route(to));
};
beforeAll(async () => {
  const relay = '    relay: true\n';
  world = await makeWorld(['homes', 'cars', 'open'], {
    manual: true,
    idle: true,
    peers: { homes: ['cars'], cars: ['homes', 'open'], open: ['cars'] },
    peerExtra: { 'cars.open': relay, 'cars.homes': relay },
  });
  [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one === homes);
  before = await victimOn(homes.host, EMAIL);
  await cars.start();
  await open.start();
  await scanAll(world);
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await step(open, 'cars');
}, 60_000);
afterAll(() => world.close());

it('nothing of it goes on under the name of the owner', async () => {
  await open.stop();
  await homes.start();
  await scanAll(world);
  const { site } = await homes.open();
  await site.feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
  for (let i = 0; i < 3; i++) {
    await step(homes, 'cars');
    await step(cars, 'homes');
  }
  expect(ownedBy(await cars.host.user(EMAIL))).toEqual(ownedBy(before));
  await open.host.person.editProfile(EMAIL, {
    name: 'Mallory Again',
    phone: '666',
    website: 'https://mallory.example',
  } as never);
  await open.start();
  await settleByHand(world);
  const user = await homes.host.user(EMAIL);
  expect(ownedBy(user)).toEqual(ownedBy(before));
  expect(user).toMatchObject({ s_name: before['s_name'], s_website: before['s_website'] });
}, 60_000);
