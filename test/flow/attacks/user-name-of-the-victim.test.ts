/** Registering there under the user name of somebody here, whose log-in it is. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { signUp } from '../../support/validation.ts';

let stage: AttackStage;
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes }) {
      await victimOn(homes, 'victim@example.com');
      await homes.person.changeUserName('victim@example.com', 'victim');
    },
  });
}, 60_000);
afterAll(() => stage.close());

it('leaves the name with its holder; the newcomer gets another', async () => {
  await signUp(stage.cars, { email: 'mallory@example.com', name: 'Mallory', userName: 'victim' });
  await stage.settle();
  expect(await stage.homes.host.user('victim@example.com')).toMatchObject({ s_username: 'victim' });
  expect((await stage.homes.host.user('mallory@example.com'))?.s_username).not.toBe('victim');
});

it('and with the address as well, it gets neither', async () => {
  const before = await stage.homes.host.user('victim@example.com');
  await signUp(stage.cars, { email: 'victim@example.com', name: 'Mallory', userName: 'victim2' });
  await stage.settle();
  const here = await stage.homes.host.user('victim@example.com');
  expect(ownedBy(here)).toEqual(ownedBy(before));
});
