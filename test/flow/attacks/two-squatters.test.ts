/** The address of somebody who has no account yet is registered on two sites by two who do not own it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAttackStage, ownedBy, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, setValidation, signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
const LATER = 'later@example.com';

let stage: AttackStage;
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    before: ({ jobs }) => setValidation(jobs, false),
  });
}, 60_000);
afterAll(() => stage.close());

it('neither gets the account of the other', async () => {
  await signUp(stage.cars, { email: EMAIL, name: 'One' });
  await signUp(stage.jobs, { email: EMAIL, name: 'Two' });
  const one = await stage.cars.host.user(EMAIL);
  const { site } = await stage.cars.open();
  await site.drain();
  await site.deliver(site.route('homes'));
  await stage.jobs.runCron();
  expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_name: 'One', s_password: one?.s_password ?? null });
  expect(await stage.waiting(stage.homes, EMAIL)).toEqual(['EMAIL_UNPROVEN']);
  expect(ownedBy(await stage.cars.host.user(EMAIL))).toEqual(ownedBy(one));
});

it('once the owner proves himself, on any of the sites, he has all of them', async () => {
  const hash = await resetByMail(stage.homes.host, EMAIL);
  await stage.settle();
  for (const { host } of [stage.homes, stage.cars, stage.jobs]) {
    expect(await host.user(EMAIL)).toMatchObject({ s_password: hash, b_active: 1, b_enabled: 1 });
  }
  expect(await stage.waiting(stage.cars, EMAIL)).toEqual([]);
});

it('what waits goes through by itself once it is proved where it is', async () => {
  await stage.cars.stop();
  await setValidation(stage.cars.host, true);
  await signUp(stage.homes, { email: LATER, name: 'Never confirmed' });
  await signUp(stage.cars, { email: LATER, name: 'Owner' });
  await (await stage.homes.open()).site.drain();
  await stage.cars.start();
  await stage.settle();
  expect(await stage.waiting(stage.homes, LATER)).toEqual(['EMAIL_UNPROVEN']);
  await stage.cars.host.person.clickValidationLink(LATER);
  const owner = await stage.cars.host.user(LATER);
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user(LATER))).toEqual(ownedBy(owner));
  expect(await stage.waiting(stage.homes, LATER)).toEqual([]);
  expect(await stage.waiting(stage.cars, LATER)).toEqual([]);
});
