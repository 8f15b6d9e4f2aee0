/** The date of registration of the account is none, as in imports. Somebody registers the address on a third site, and deletes it. */
import { afterEach, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand } from '../../support/by-hand.ts';
import { setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';

let world: World;
afterEach(() => world.close());

it.each(['2021-03-04 05:06:07', '0000-00-00 00:00:00', '1970-01-01 00:00:00'])(
  'registered %s: it is not removed with that',
  { timeout: 60_000 },
  async (date) => {
    world = await makeWorld(['homes', 'cars', 'open'], {
      manual: true,
      idle: true,
      peers: { homes: ['cars', 'open'], cars: ['homes'], open: ['homes'] },
    });
    const [homes, cars, open] = [world.site('homes'), world.site('cars'), world.site('open')];
    for (const one of world.sites) await setValidation(one.host, one !== open);
    await signUpAsOwner(homes, { email: EMAIL, name: 'Victim' });
    await homes.db.query("SET SESSION sql_mode = ''");
    await homes.db.query("UPDATE oc_t_user SET dt_reg_date = ?, dt_mod_date = '2021-03-04 05:06:07'", [date]);
    for (const one of world.sites) await one.start();
    await scanAll(world);
    await homes.host.person.editProfile(EMAIL, { website: 'https://victim.example' });
    await drainAll(homes);
    await deliverAll(homes, 'cars');
    expect(await cars.host.user(EMAIL)).toBeDefined();
    // This site has not heard of the account yet.
    await signUp(open, { email: EMAIL, name: 'Mallory' });
    await drainAll(open);
    await deliverAll(open);
    await open.host.person.deleteAccount(EMAIL);
    await drainAll(open);
    await deliverAll(open);
    await settleByHand(world);
    await cars.host.person.editProfile(EMAIL, { website: 'https://victim.example/2' });
    await settleByHand(world);
    expect(await homes.host.user(EMAIL)).toBeDefined();
    expect(await cars.host.user(EMAIL)).toBeDefined();
  },
);
