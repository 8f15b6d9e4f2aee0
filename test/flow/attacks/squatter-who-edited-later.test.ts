/** Two old sites meet for the first time, and the account that nobody proved there was edited last. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { dateBack, makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { setValidation, signUp } from '../../support/validation.ts';

const EMAIL = 'native@example.com';
const PLUGIN = 'plugin@example.com';

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes, cars, jobs }) {
      await setValidation(jobs, false);
      for (const [email, host] of [
        [EMAIL, cars],
        [PLUGIN, jobs],
      ] as const) {
        before.set(email, await victimOn(homes, email));
        await signUp({ host }, { email, name: 'Mallory' });
        await dateBack(host, email, '2025-06-07 08:09:10');
      }
    },
  });
  const { site } = await stage.homes.open();
  for (const peer of ['cars', 'jobs']) {
    await site.feed(peer, { restart: true, once: false, dryRun: false, overwrite: false });
  }
}, 60_000);
afterAll(() => stage.close());

it.each([EMAIL, PLUGIN])('a later date of modification gives it nothing: %s', async (email) => {
  expect(ownedBy(await stage.homes.host.user(email))).toEqual(ownedBy(before.get(email)));
});

it.each([
  ['cars', EMAIL],
  ['jobs', PLUGIN],
])('waits, and a dry run says so: of %s', async (peer, email) => {
  const { site } = await stage.homes.open();
  expect(await stage.waiting(stage.homes, email)).toEqual(['EMAIL_UNPROVEN']);
  const sums = await site.feed(peer, { restart: true, once: false, dryRun: true, overwrite: false });
  expect(sums).toMatchObject({ parked: 1 });
});

it('once both have spoken, the proven account is that of both, also after an edit there', async () => {
  await stage.settle();
  await stage.cars.host.person.editProfile(EMAIL, { website: 'https://cars.example' });
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user(EMAIL))).toEqual(ownedBy(before.get(EMAIL)));
  expect(ownedBy(await stage.cars.host.user(EMAIL))).toEqual(ownedBy(before.get(EMAIL)));
});
