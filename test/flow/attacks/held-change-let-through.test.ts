/** What whoever lost the account does by his session waits; a person who does what is at hand does not let it through. */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { siteOf } from '../../support/by-hand.ts';
import { configOf, makeCli } from '../../support/cli.ts';
import { PLAIN_FEED } from '../../support/feeding.ts';
import { signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';

let stage: AttackStage;
afterEach(() => stage.close());

it.each([
  ['a change of address', 'link'],
  ['a password', 'link'],
  ['a change of address', 'feed --overwrite'],
  ['a password', 'feed --overwrite'],
])('%s, by `%s`', { timeout: 60_000 }, async (what, command) => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes }) {
      await victimOn(homes, EMAIL);
    },
  });
  const { homes, cars } = stage;
  await signUp(cars, { email: EMAIL, name: 'Mallory' });
  await stage.settle();
  const owners = (await homes.host.user(EMAIL))?.s_password;
  if (what === 'a password') await cars.host.person.changePassword(EMAIL);
  else await cars.host.person.changeEmail(EMAIL, 'mallory@example.com');
  await stage.settle();
  if (command === 'link') {
    const cli = makeCli(configOf(homes, [cars]));
    await cli.run('link', EMAIL, 'cars');
    cli.close();
  } else {
    await (await siteOf(homes)).feed('cars', { ...PLAIN_FEED, restart: true, overwrite: true });
  }
  await stage.settle();
  expect(await homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
});
