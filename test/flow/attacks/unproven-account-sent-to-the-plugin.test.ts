/** Somebody registers here, and never confirms, the address of somebody at a peer that runs the plugin. */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
let stage: AttackStage;
let before: Row;
afterEach(() => stage.close());

it.each([['verified'], ['unproven']])(
  'does not overwrite, nor deactivate, the account there: email_trust %s',
  { timeout: 60_000 },
  async (trust) => {
    stage = await makeAttackStage({
      async before({ homes, jobs }) {
        await setValidation(homes, true);
        before = await victimOn(jobs, EMAIL);
      },
      peerExtra: { 'homes.jobs': `    email_trust: ${trust}\n` },
    });
    await signUp(stage.homes, { email: EMAIL, name: 'Mallory' });
    await stage.settle();
    expect(ownedBy(await stage.jobs.host.user(EMAIL))).toEqual(ownedBy(before));
  },
);

it('an unproven account of a third site, by way of this one', { timeout: 60_000 }, async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ jobs }) {
      before = await victimOn(jobs, EMAIL);
    },
    peerExtra: { 'homes.jobs': '    email_trust: verified\n    relay: true\n', 'homes.cars': '    relay: true\n' },
  });
  await signUp(stage.cars, { email: EMAIL, name: 'Mallory' });
  await stage.settle();
  expect(ownedBy(await stage.jobs.host.user(EMAIL))).toEqual(ownedBy(before));
});

it('and its purge here deletes nobody there', { timeout: 60_000 }, async () => {
  stage = await makeAttackStage({
    async before({ homes, jobs }) {
      await setValidation(homes, true);
      before = await victimOn(jobs, EMAIL);
    },
    peerExtra: { 'homes.jobs': '    email_trust: verified\n' },
  });
  await signUp(stage.homes, { email: EMAIL, name: 'Mallory' });
  await stage.settle();
  await stage.homes.host.admin.deleteUser(EMAIL);
  await stage.settle();
  expect(await stage.jobs.host.user(EMAIL)).toBeDefined();
});
