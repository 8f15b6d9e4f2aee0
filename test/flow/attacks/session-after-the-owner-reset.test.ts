/** The owner finds the address taken, and gets the account by "forgot your password"; the squatter is still logged in on the other site. */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, type AttackStage } from '../../support/attack-stage.ts';
import { letTimePass, scanAll, settleByHand } from '../../support/by-hand.ts';
import { resetByMail, setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';
let close: () => Promise<void>;
afterEach(() => close());

it.each(['moves', 'deletes'])(
  'two sites: he %s the account, and "remember me" opens nothing',
  { timeout: 60_000 },
  async (what) => {
    const stage: AttackStage = await makeAttackStage({ carsValidates: false });
    close = () => stage.close();
    await signUp(stage.cars, { email: EMAIL, name: 'Mallory' });
    await stage.cars.host.person.loginRemembered(EMAIL);
    const cookie = (await stage.cars.host.user(EMAIL))?.s_secret;
    await stage.settle();
    expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_name: 'Mallory' });
    const owners = await resetByMail(stage.homes.host, EMAIL);
    await stage.settle();
    expect((await stage.cars.host.user(EMAIL))?.s_password).toBe(owners);
    expect((await stage.cars.host.user(EMAIL))?.s_secret).not.toBe(cookie);
    if (what === 'moves') await stage.cars.host.person.changeEmail(EMAIL, 'mallory@example.com');
    else await stage.cars.host.person.deleteAccount(EMAIL);
    await stage.settle();
    expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
  },
);

it('a third site behind', { timeout: 60_000 }, async () => {
  const relay = '    relay: true\n';
  const world: World = await makeWorld(['homes', 'cars', 'open'], {
    manual: true,
    idle: true,
    peers: { homes: ['cars'], cars: ['homes', 'open'], open: ['cars'] },
    peerExtra: { 'cars.open': relay, 'cars.homes': relay },
  });
  close = () => world.close();
  const [homes, open] = [world.site('homes'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  for (const one of world.sites) await one.start();
  await scanAll(world);
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await open.host.person.loginRemembered(EMAIL);
  const cookie = (await open.host.user(EMAIL))?.s_secret;
  const { site } = await open.open();
  await site.drain();
  await site.deliver(site.route('cars'));
  await signUpAsOwner(homes, { email: EMAIL, name: 'Owner' });
  await letTimePass(homes);
  await settleByHand(world);
  const owner = (await homes.host.user(EMAIL))?.s_password;
  expect(await open.host.user(EMAIL)).toMatchObject({ s_password: owner });
  expect((await open.host.user(EMAIL))?.s_secret).not.toBe(cookie);
  await open.host.person.changeEmail(EMAIL, 'mallory@example.com');
  await settleByHand(world);
  expect(await homes.host.user(EMAIL)).toMatchObject({ s_password: owner });
});
