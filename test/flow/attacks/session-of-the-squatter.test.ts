/** Whoever had the account that lost still has its session, its link of activation, or a change of address under way. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
const MOVING = 'moving@example.com';
const DELETING = 'deleting@example.com';
const ALL = [EMAIL, MOVING, DELETING];

let stage: AttackStage;
const before = new Map<string, Row>();
const squatted = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes }) {
      for (const email of ALL) before.set(email, await victimOn(homes, email));
    },
  });
  for (const email of ALL) {
    await signUp(stage.cars, { email, name: 'Mallory' });
    await stage.cars.host.person.loginRemembered(email);
    squatted.set(email, (await stage.cars.host.user(email)) ?? {});
  }
  await stage.cars.host.person.requestEmailChange(MOVING, 'mallory@example.com');
  await stage.settle();
}, 60_000);
afterAll(() => stage.close());

it('"remember me" and the link of activation, which are s_secret, open nothing any more', async () => {
  const there = await stage.cars.host.user(EMAIL);
  expect(there?.s_secret).not.toBe(squatted.get(EMAIL)?.s_secret);
  expect(String(there?.s_secret).length).toBeGreaterThanOrEqual(8);
  expect(there?.s_password).toBe(before.get(EMAIL)?.s_password);
});

it('the secret is of that site alone, and the session of the owner here goes on', async () => {
  const [here, there] = [await stage.homes.host.user(EMAIL), await stage.cars.host.user(EMAIL)];
  expect(here?.s_secret).toBe(before.get(EMAIL)?.s_secret);
  expect(there?.s_secret).not.toBe(here?.s_secret);
});

it('a change of address that he asked for before, and confirms by his own mailbox now, waits at the others', async () => {
  await stage.cars.host.person.confirmEmailChange(MOVING).catch(() => undefined);
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user(MOVING))).toEqual(ownedBy(before.get(MOVING)));
});

it('its deletion there waits at the others, though that site is told of an edit by the owner and answers', async () => {
  await stage.cars.host.person.deleteAccount(DELETING);
  await stage.settle();
  expect(await stage.homes.host.user(DELETING)).toMatchObject(ownedBy(before.get(DELETING)));
  await stage.homes.host.person.editProfile(DELETING, { name: 'Renamed' });
  await stage.settle();
  expect(await stage.homes.host.user(DELETING)).toMatchObject({ ...ownedBy(before.get(DELETING)), s_name: 'Renamed' });
});
