/** An account that was never confirmed here: somebody else's registration there must not activate it under his password. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { dateBack, makeAttackStage, ownedBy, type AttackStage } from '../../support/attack-stage.ts';
import { setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';

const address = (name: string): string => `${name}@example.com`;
const NAMES = ['native', 'plugin', 'owner-there', 'owner-here'] as const;

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes, jobs }) {
      await setValidation(jobs, false);
      for (const name of NAMES) {
        await signUp({ host: homes }, { email: address(name), name: 'Never confirmed' });
        await dateBack(homes, address(name));
        before.set(name, (await homes.user(address(name))) ?? {});
      }
    },
  });
}, 60_000);
afterAll(() => stage.close());

it('is not activated with the password of an account that is active there without a proof', async () => {
  await signUp(stage.cars, { email: address('native'), name: 'Mallory' });
  await signUp(stage.jobs, { email: address('plugin'), name: 'Mallory' });
  await stage.settle();
  for (const name of ['native', 'plugin']) {
    expect(ownedBy(await stage.homes.host.user(address(name)))).toEqual(ownedBy(before.get(name)));
    expect(await stage.waiting(stage.homes, address(name))).toEqual(['EMAIL_UNPROVEN']);
  }
  expect(await stage.cars.host.user(address('native'))).toMatchObject({ s_name: 'Mallory', b_active: 1 });
});

it('becomes that of whoever proves the address there: his password and status count, the session of before does not', async () => {
  await setValidation(stage.cars.host, true);
  // What is done from the moment on when the daemon sees that.
  await signUp(stage.cars, { email: address('first'), name: 'First' });
  await stage.settle();
  await signUpAsOwner(stage.cars, { email: address('owner-there'), name: 'Owner' });
  const there = await stage.cars.host.user(address('owner-there'));
  await stage.settle();
  const here = await stage.homes.host.user(address('owner-there'));
  expect(ownedBy(here)).toEqual(ownedBy(there));
  expect(here).toMatchObject({ b_active: 1 });
  expect(here?.s_secret).not.toBe(before.get('owner-there')?.s_secret);
  expect(await stage.waiting(stage.homes, address('owner-there'))).toEqual([]);
  expect(await stage.waiting(stage.cars, address('owner-there'))).toEqual([]);
});

it('whoever confirms it here has it here and there', async () => {
  await signUp(stage.cars, { email: address('owner-here'), name: 'Mallory' });
  await stage.settle();
  await stage.homes.host.person.clickValidationLink(address('owner-here'));
  const here = await stage.homes.host.user(address('owner-here'));
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user(address('owner-here')))).toEqual(ownedBy(here));
  expect(ownedBy(await stage.cars.host.user(address('owner-here')))).toEqual(ownedBy(here));
  expect(await stage.waiting(stage.cars, address('owner-here'))).toEqual([]);
});
