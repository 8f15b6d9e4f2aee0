/** An entry lists `s_secret`, by which Osclass remembers who is logged in, and activates accounts. */
import { afterEach, expect, it } from 'vitest';
import { victimOn } from '../../support/attack-stage.ts';
import { scanAll, settleByHand } from '../../support/by-hand.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';

let world: World;
afterEach(() => world.close());

it.each(['', '    send_columns: [s_name, s_password, b_enabled, b_active, s_secret]\n'])(
  'whoever lost the account is not remembered, also where the entry of another peer lists it: %j',
  { timeout: 60_000 },
  async (entry) => {
    world = await makeWorld(['homes', 'cars', 'third'], {
      manual: true,
      idle: true,
      peers: { homes: ['cars'], cars: ['homes', 'third'], third: ['cars'] },
      peerExtra: { 'cars.third': entry },
    });
    const [homes, cars] = [world.site('homes'), world.site('cars')];
    for (const one of world.sites) await setValidation(one.host, one === homes);
    await victimOn(homes.host, EMAIL);
    for (const one of world.sites) await one.start();
    await scanAll(world);
    await signUp(cars, { email: EMAIL, name: 'Mallory' });
    await cars.host.person.loginRemembered(EMAIL);
    const cookie = (await cars.host.user(EMAIL))?.s_secret;
    await settleByHand(world);
    expect((await cars.host.user(EMAIL))?.s_password).toBe((await homes.host.user(EMAIL))?.s_password);
    expect((await cars.host.user(EMAIL))?.s_secret).not.toBe(cookie);
  },
);

it('email_trust: none takes no secret with which whoever registered there activates the account', async () => {
  const columns = '[s_email, s_name, s_password, b_enabled, b_active, s_secret]';
  world = await makeWorld(['homes', 'open'], {
    manual: true,
    idle: true,
    peerExtra: {
      'homes.open': `    email_trust: none\n    columns: ${columns}\n`,
      'open.homes': `    send_columns: ${columns}\n`,
    },
  });
  const [homes, open] = [world.site('homes'), world.site('open')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  for (const one of world.sites) await one.start();
  await scanAll(world);
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await open.host.person.loginRemembered(EMAIL);
  const cookie = (await open.host.user(EMAIL))?.s_secret;
  await settleByHand(world);
  const row = await homes.host.user(EMAIL);
  expect(row).toMatchObject({ b_active: 0 });
  expect(row?.s_secret).not.toBe(cookie);
});
