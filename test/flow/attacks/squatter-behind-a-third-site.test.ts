/** An account that nobody proved passes through a site that has addresses proved, on its way to the one that is attacked. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownedBy, victimOn, waiting } from '../../support/attack-stage.ts';
import { scanAll, settleByHand } from '../../support/by-hand.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
const NOBODY = 'nobody@example.com';
const EDITED = 'edited@example.com';

let world: World;
let homes: WorldSite;
let cars: WorldSite;
let open: WorldSite;
let arrived: Row | undefined;
const before = new Map<string, Row>();
beforeAll(async () => {
  // open — cars — homes: cars validates and passes everything on.
  const relay = '    relay: true\n';
  world = await makeWorld(['homes', 'cars', 'open'], {
    manual: true,
    idle: true,
    peers: { homes: ['cars'], cars: ['homes', 'open'], open: ['cars'] },
    peerExtra: { 'cars.open': relay, 'cars.homes': relay },
  });
  [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  for (const email of [EMAIL, EDITED]) before.set(email, await victimOn(homes.host, email));
  for (const one of world.sites) await one.start();
  await scanAll(world);
  for (const email of [EMAIL, NOBODY, EDITED]) await signUp(open, { email, name: 'Mallory' });
  // Up to cars, which has nobody of these addresses yet.
  const { site } = await open.open();
  await site.drain();
  await site.deliver(site.route('cars'));
  arrived = await cars.host.user(NOBODY);
  // What whoever has the password can do on the site between proves nothing.
  await cars.host.person.editProfile(EDITED, { website: 'https://mallory.example' });
  await cars.host.person.changePassword(EDITED);
  await cars.host.person.loginRemembered(EDITED);
  await settleByHand(world);
}, 60_000);
afterAll(() => world.close());

it('makes an account on the site between, as it is', () => {
  expect(arrived).toMatchObject({ s_name: 'Mallory', b_active: 1 });
});

it.each([EMAIL, EDITED])(
  'takes nothing of the account that was proved behind that site, which wins on all: %s',
  async (email) => {
    for (const one of world.sites) {
      expect(ownedBy(await one.host.user(email))).toEqual(ownedBy(before.get(email)));
      expect(await waiting(one, email)).toEqual([]);
    }
  },
);
