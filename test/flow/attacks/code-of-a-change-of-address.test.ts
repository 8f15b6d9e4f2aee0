/** Osclass has one s_pass_code for "forgot your password" and for a change of address, which it mails to the NEW address. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { signUp } from '../../support/validation.ts';

const FORGED = 'forged@example.com';
const PENDING = 'pending@example.com';
const SESSION = 'session@example.com';
const ALL = [FORGED, PENDING, SESSION];

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes }) {
      for (const email of ALL) before.set(email, await victimOn(homes, email));
    },
  });
}, 60_000);
afterAll(() => stage.close());

it('the code that was mailed to the squatter for a change of address, used in the link of a reset, proves nothing', async () => {
  const { person } = stage.cars.host;
  await signUp(stage.cars, { email: FORGED, name: 'Mallory' });
  const { site } = await stage.cars.open();
  await site.drain();
  // Mallory is logged in, asks for a change to his own mailbox, and gets this code there.
  const code = await person.requestEmailChange(FORGED, 'mallory@example.com');
  await site.drain();
  const his = await person.resetPassword(FORGED, code);
  await stage.settle();
  expect((await stage.homes.host.user(FORGED))?.s_password).not.toBe(his);
  expect(ownedBy(await stage.homes.host.user(FORGED))).toEqual(ownedBy(before.get(FORGED)));
});

it('a code that the squatter got before he lost the account', async () => {
  const { person } = stage.cars.host;
  await signUp(stage.cars, { email: PENDING, name: 'Mallory' });
  const code = await person.requestEmailChange(PENDING, 'mallory2@example.com');
  await stage.settle();
  expect(ownedBy(await stage.cars.host.user(PENDING))).toEqual(ownedBy(before.get(PENDING)));
  const his = await person.resetPassword(PENDING, code).catch(() => 'refused');
  await stage.settle();
  expect((await stage.homes.host.user(PENDING))?.s_password).not.toBe(his);
});

it('the session that the squatter still has after he lost the account', async () => {
  const { person } = stage.cars.host;
  await signUp(stage.cars, { email: SESSION, name: 'Mallory' });
  await stage.settle();
  expect(ownedBy(await stage.cars.host.user(SESSION))).toEqual(ownedBy(before.get(SESSION)));
  const code = await person.requestEmailChange(SESSION, 'mallory3@example.com');
  const his = await person.resetPassword(SESSION, code);
  await stage.settle();
  await person.changeEmail(SESSION, 'mallory3@example.com');
  await stage.settle();
  expect(await stage.homes.host.user('mallory3@example.com')).toBeUndefined();
  expect((await stage.homes.host.user(SESSION))?.s_password).not.toBe(his);
});
