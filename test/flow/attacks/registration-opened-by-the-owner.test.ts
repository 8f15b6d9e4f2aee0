/**
 * Somebody registers an address on another site and never confirms it. The owner finds the account here, opens it by the link of
 * activation, and then sets a password by mail.
 */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
let stage: AttackStage;
afterEach(() => stage.close());

/** As far as the owner has opened it, which is known on both sites. Gives the secret of whoever registered it. */
async function open(trust: string): Promise<unknown> {
  stage = await makeAttackStage({
    carsValidates: trust === 'auto',
    peerExtra: { 'homes.cars': `    email_trust: ${trust}\n` },
  });
  await signUp(stage.cars, { email: EMAIL, name: 'Mallory' });
  const secret = (await stage.cars.host.user(EMAIL))?.s_secret;
  await stage.settle();
  expect(await stage.homes.host.user(EMAIL)).toMatchObject({ b_active: 0 });
  await stage.homes.host.person.clickValidationLink(EMAIL);
  await stage.settle();
  return secret;
}

it.each(['auto', 'none'])(
  'whoever registered it has lost it there, and a change of address by his session waits: email_trust %s',
  { timeout: 60_000 },
  async (trust) => {
    const secret = await open(trust);
    const owners = await resetByMail(stage.homes.host, EMAIL);
    await stage.settle();
    const there = await stage.cars.host.user(EMAIL);
    expect(there?.s_password).toBe(owners);
    expect(there?.s_secret).not.toBe(secret);
    await stage.cars.host.person.changeEmail(EMAIL, 'mallory@example.com');
    await stage.settle();
    expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
  },
);

it('a password that he sets there before his site hears of that does not count', { timeout: 60_000 }, async () => {
  await open('auto');
  const owners = await resetByMail(stage.homes.host, EMAIL);
  const { site } = await stage.homes.open();
  await site.drain();
  await stage.cars.host.person.changePassword(EMAIL);
  await stage.settle();
  for (const { host } of [stage.homes, stage.cars])
    expect(await host.user(EMAIL)).toMatchObject({ s_password: owners, b_active: 1 });
});
