/** The addresses of cars count as proved at homes whatever it says; what it passes on of a site where nobody validates does not. */
import { afterEach, expect, it } from 'vitest';
import { victimOn } from '../../support/attack-stage.ts';
import { scanAll, settleByHand } from '../../support/by-hand.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';

let world: World;
afterEach(() => world.close());

it.each([
  ['auto', ''],
  ['verified', ''],
  ['verified', '    send: false\n'],
])('email_trust: %s %j', { timeout: 60_000 }, async (trust, more) => {
  world = await makeWorld(['homes', 'cars', 'open'], {
    manual: true,
    idle: true,
    peers: { homes: ['cars'], cars: ['homes', 'open'], open: ['cars'] },
    peerExtra: { 'homes.cars': `    email_trust: ${trust}\n${more}`, 'cars.open': '    relay: true\n' },
  });
  const [homes, open] = [world.site('homes'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  await victimOn(homes.host, EMAIL);
  for (const one of world.sites) await one.start();
  await scanAll(world);
  const owners = (await homes.host.user(EMAIL))?.s_password;
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await settleByHand(world);
  expect((await homes.host.user(EMAIL))?.s_password).toBe(owners);
});
