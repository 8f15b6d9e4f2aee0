/** Who lost an account at cars moves it to a second address of his, which waits; there he registers on a site that validates, and proves it. */
import { afterEach, expect, it } from 'vitest';
import { victimOn } from '../../support/attack-stage.ts';
import { deliverAll, drainAll, scanAll, settleByHand } from '../../support/by-hand.ts';
import { setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
const SECOND = 'mallory2@example.com';

let world: World;
afterEach(() => world.close());

/** The owner has had a proved account at homes for long; cars validates no addresses. */
const begin = async (names: string[], options: Parameters<typeof makeWorld>[1]): Promise<unknown> => {
  world = await makeWorld(names, { manual: true, idle: true, defaultGuard: true, ...options });
  const [homes, cars] = [world.site('homes'), world.site('cars')];
  await victimOn(homes.host, EMAIL);
  for (const one of world.sites) await setValidation(one.host, one !== cars);
  for (const one of world.sites) await one.start();
  await scanAll(world);
  await signUp(cars, { email: EMAIL, name: 'Mallory' });
  await settleByHand(world);
  const { pk_i_id, s_password } = (await homes.host.user(EMAIL)) ?? {};
  expect((await cars.host.user(EMAIL))?.s_password).toBe(s_password);
  await cars.host.person.changeEmail(EMAIL, SECOND);
  await settleByHand(world);
  return { pk_i_id, s_password };
};

it.each(['    relay: true\n', ''])(
  'on a third site behind cars: the account of the owner is not his (%j)',
  { timeout: 60_000 },
  async (relay) => {
    const before = await begin(['homes', 'cars', 'third'], {
      peers: { homes: ['cars'], cars: ['homes', 'third'], third: ['cars'] },
      peerExtra: { 'cars.homes': relay, 'cars.third': relay },
    });
    await signUpAsOwner(world.site('third'), { email: SECOND, name: 'Mallory' });
    await settleByHand(world);
    expect(await world.site('homes').host.user(EMAIL)).toMatchObject(before as object);
  },
);

it.each([true, false])(
  'on the site of the owner, and deletes it: that of the owner stays (drained first: %s)',
  { timeout: 60_000 },
  async (isDrained) => {
    const before = await begin(['homes', 'cars'], {});
    const [homes, cars] = [world.site('homes'), world.site('cars')];
    await signUpAsOwner(homes, { email: SECOND, name: 'Mallory' });
    await drainAll(homes);
    await deliverAll(homes, 'cars');
    await homes.host.person.deleteAccount(SECOND);
    if (isDrained) await drainAll(homes);
    await deliverAll(cars, 'homes');
    await settleByHand(world);
    expect(await homes.host.user(EMAIL)).toMatchObject(before as object);
  },
);
