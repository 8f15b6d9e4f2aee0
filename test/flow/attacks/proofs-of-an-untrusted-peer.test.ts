/** A peer says of its accounts that they were proved; the entry for it says how far that is believed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { signUpAsOwner } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';

let stage: AttackStage;
let before: Row;
beforeAll(async () => {
  stage = await makeAttackStage({
    peerExtra: { 'homes.cars': '    email_trust: unproven\n', 'homes.jobs': '    email_trust: none\n' },
    async before({ homes }) {
      before = await victimOn(homes, EMAIL);
    },
  });
  await signUpAsOwner(stage.cars, { email: EMAIL, name: 'Mallory' });
}, 60_000);
afterAll(() => stage.close());

it('`unproven`: none of its proofs counts', async () => {
  const { site } = await stage.cars.open();
  await site.drain();
  await site.deliver(site.route('homes'));
  expect(ownedBy(await stage.homes.host.user(EMAIL))).toEqual(ownedBy(before));
  expect(await stage.waiting(stage.homes, EMAIL)).toEqual(['EMAIL_UNPROVEN']);
});

it('`unproven`: its accounts come as they are where nobody has the address', async () => {
  await signUpAsOwner(stage.cars, { email: 'new@example.com', name: 'New' });
  const there = await stage.cars.host.user('new@example.com');
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user('new@example.com'))).toEqual(ownedBy(there));
});

it('`none`: they arrive inactive and without a password, so that the mail of this site proves the address', async () => {
  await signUpAsOwner(stage.jobs, { email: 'plugin@example.com', name: 'New' });
  const there = await stage.jobs.host.user('plugin@example.com');
  await stage.settle();
  const here = await stage.homes.host.user('plugin@example.com');
  expect(here).toMatchObject({ b_active: 0, b_enabled: 1 });
  expect(here?.s_password).not.toBe(there?.s_password);
  expect(here?.s_password).not.toMatch(/^(?:\$2|[0-9a-f]{40}$)/);
});
