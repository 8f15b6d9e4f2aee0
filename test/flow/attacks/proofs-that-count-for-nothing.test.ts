/** The entry of a site says that its proofs count for nothing. That site believes its own, and takes two accounts for one. */
import { afterEach, expect, it } from 'vitest';
import { ownedBy, victimOn } from '../../support/attack-stage.ts';
import { scanAll, settleByHand } from '../../support/by-hand.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';

let world: World;
afterEach(() => world.close());

it.each(['unproven', 'none'])(
  'what it took for one is not one here, nor is its removal: email_trust %s',
  { timeout: 60_000 },
  async (trust) => {
    world = await makeWorld(['homes', 'open'], {
      manual: true,
      idle: true,
      peerExtra: { 'homes.open': `    email_trust: ${trust}\n` },
    });
    const [homes, open] = [world.site('homes'), world.site('open')];
    const before = await victimOn(homes.host, EMAIL);
    // Registered while nobody validated there, and looked at first once validation was on.
    await setValidation(open.host, false);
    await signUp(open, { email: EMAIL, name: 'Mallory' });
    for (const one of world.sites) await setValidation(one.host, true);
    for (const one of world.sites) await one.start();
    await scanAll(world);
    await open.host.person.editProfile(EMAIL, { website: 'https://mallory.example' });
    await settleByHand(world);
    // The owner is heard of there all the same.
    await homes.host.person.editProfile(EMAIL, { phoneMobile: '+1' });
    await settleByHand(world);
    expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before));
    await open.host.person.changePassword(EMAIL);
    await settleByHand(world);
    await open.host.person.deleteAccount(EMAIL);
    await settleByHand(world);
    expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before));
  },
);
