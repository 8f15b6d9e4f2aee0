/** Somebody registers the address of an account of homes on another site that asks for a proof, and gives none. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { signUp } from '../../support/validation.ts';

const NATIVE = 'native@example.com';
const PLUGIN = 'plugin@example.com';

let stage: AttackStage;
const before = new Map<string, Row>();
let squatted: Row | undefined;
let waited: string[];
beforeAll(async () => {
  stage = await makeAttackStage({
    async before({ homes }) {
      for (const email of [NATIVE, PLUGIN]) before.set(email, await victimOn(homes, email));
    },
  });
  await signUp(stage.cars, { email: NATIVE, name: 'Mallory', phoneMobile: '+1 555' });
  squatted = await stage.cars.host.user(NATIVE);
  await signUp(stage.jobs, { email: PLUGIN, name: 'Mallory', phoneMobile: '+1 555' });
  await stage.jobs.runCron();
  waited = await stage.waiting(stage.homes, PLUGIN);
  await stage.settle();
}, 60_000);
afterAll(() => stage.close());

it.each([NATIVE, PLUGIN])('takes over neither password, address nor status here: %s', async (email) => {
  expect(ownedBy(await stage.homes.host.user(email))).toEqual(ownedBy(before.get(email)));
});

it.each([NATIVE, PLUGIN])('nor the name and the phone that its listings show: %s', async (email) => {
  expect(await stage.homes.host.user(email)).toMatchObject({ s_name: 'Victim', s_phone_mobile: '' });
});

it('the account of here wins there: the password that was chosen there, and its session, open nothing any more', async () => {
  const there = await stage.cars.host.user(NATIVE);
  expect(ownedBy(there)).toEqual(ownedBy(before.get(NATIVE)));
  expect(there?.s_password).not.toBe(squatted?.s_password);
  expect(there?.s_secret).not.toBe(squatted?.s_secret);
});

it('then they are one person, and nothing waits', async () => {
  expect(await stage.waiting(stage.homes, NATIVE)).toEqual([]);
  expect(await stage.waiting(stage.cars, NATIVE)).toEqual([]);
});

it('of a plugin, which cannot tell of proofs, it waits as unproven', () => {
  expect(waited).toEqual(['EMAIL_UNPROVEN']);
});
