/** The same on a site where an account is active at once, whoever registers it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { setValidation, signUp } from '../../support/validation.ts';

const NATIVE = 'native@example.com';
const PLUGIN = 'plugin@example.com';
const FED = 'fed@example.com';

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes, jobs }) {
      await setValidation(jobs, false);
      for (const email of [NATIVE, PLUGIN, FED]) before.set(email, await victimOn(homes, email));
    },
  });
  await signUp(stage.cars, { email: NATIVE, name: 'Mallory' });
  await signUp(stage.jobs, { email: PLUGIN, name: 'Mallory' });
  // Behind the back of the plugin: only its feed tells.
  await signUp({ host: stage.jobs.host }, { email: FED, name: 'Mallory' });
  await stage.settle();
  const { site } = await stage.homes.open();
  for (const peer of ['cars', 'jobs']) {
    await site.feed(peer, { restart: true, once: false, dryRun: false, overwrite: false });
  }
  await stage.settle();
}, 60_000);
afterAll(() => stage.close());

it.each([NATIVE, PLUGIN, FED])('changes neither password, address nor status here: %s', async (email) => {
  expect(ownedBy(await stage.homes.host.user(email))).toEqual(ownedBy(before.get(email)));
});

it('there the account of here wins', async () => {
  expect(ownedBy(await stage.cars.host.user(NATIVE))).toEqual(ownedBy(before.get(NATIVE)));
  expect(await stage.waiting(stage.homes, NATIVE)).toEqual([]);
});

it('a feed that overwrites takes nothing of it either', async () => {
  const { site } = await stage.homes.open();
  await site.feed('jobs', { restart: true, once: false, dryRun: false, overwrite: true });
  for (const email of [PLUGIN, FED]) {
    expect(ownedBy(await stage.homes.host.user(email))).toEqual(ownedBy(before.get(email)));
  }
});
