/** The account came from an open site to a validating one, where the owner's took it over; the squatter's session there goes on. */
import { afterEach, expect, it } from 'vitest';
import { resetByMail, signUp, signUpAsOwner, setValidation } from '../../support/validation.ts';
import { letTimePass, scanAll, settleByHand } from '../../support/by-hand.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
let close: () => Promise<void>;
afterEach(() => close());

it.each([false, true])(
  'a change of address from there waits, whether or not it validates: %s',
  { timeout: 60_000 },
  async (validates) => {
    const world: World = await makeWorld(['homes', 'cars', 'open'], {
      manual: true,
      idle: true,
      peers: { homes: ['cars'], cars: ['homes', 'open'], open: ['cars'] },
    });
    close = () => world.close();
    const [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
    await setValidation(homes.host, true);
    await setValidation(cars.host, validates);
    await setValidation(open.host, false);
    for (const one of world.sites) await one.start();
    await scanAll(world);
    await signUp(open, { email: EMAIL, name: 'Mallory' });
    const { site } = await open.open();
    await site.drain();
    await site.deliver(site.route('cars'));
    await signUpAsOwner(homes, { email: EMAIL, name: 'Owner' });
    await letTimePass(homes);
    await settleByHand(world);
    const owner = (await homes.host.user(EMAIL))?.s_password;
    expect(await cars.host.user(EMAIL)).toMatchObject({ s_password: owner });
    const [held] = await cars.db.query('SELECT held_until FROM oc_account_sync_user WHERE held_until IS NOT NULL');
    expect(held).toBeDefined();
    await cars.host.person.changeEmail(EMAIL, 'mallory@example.com');
    await settleByHand(world);
    expect(await homes.host.user(EMAIL)).toMatchObject({ s_password: owner });
    // Nor does a password that he has mailed to his own address then.
    await resetByMail(cars.host, 'mallory@example.com');
    await settleByHand(world);
    expect(await homes.host.user(EMAIL)).toMatchObject({ s_password: owner });
  },
);
