/** An unproven account of an open site came to a validating one, whose entry says `email_trust: unproven`; the squatter logs in there. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownedBy, victimOn } from '../../support/attack-stage.ts';
import { scanAll, letTimePass, settleByHand } from '../../support/by-hand.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
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
    peerExtra: { 'cars.open': '    email_trust: unproven\n    relay: true\n' },
  });
  [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  before = await victimOn(homes.host, EMAIL);
  for (const one of world.sites) await one.start();
  for (const one of [cars, open]) await scanAll({ ...world, sites: [one] });
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  const { site } = await open.open();
  await site.drain();
  await site.deliver(site.route('cars'));
}, 60_000);
afterAll(() => world.close());

it('proves nothing', async () => {
  const { site } = await cars.open();
  const code = await cars.host.person.requestEmailChange(EMAIL, 'mallory@example.com');
  await site.drain();
  const his = await cars.host.person.resetPassword(EMAIL, code);
  await site.drain();
  await scanAll(world);
  await letTimePass(cars);
  await settleByHand(world);
  expect((await homes.host.user(EMAIL))?.s_password).not.toBe(his);
  expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before));
}, 60_000);
