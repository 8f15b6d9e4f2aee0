/** Who was banned here registers the same address there, proves it, and hopes that this lifts the ban. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, signUp, signUpAsOwner } from '../../support/validation.ts';

const NAMES = ['unconfirmed', 'confirmed', 'reset', 'plugin'] as const;
const address = (name: string): string => `${name}@example.com`;

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    async before({ homes }) {
      for (const name of NAMES) {
        await victimOn(homes, address(name), 'Banned');
        await homes.admin.block(address(name));
        before.set(name, (await homes.user(address(name))) ?? {});
      }
    },
  });
  await signUp(stage.cars, { email: address('unconfirmed'), name: 'Again' });
  await signUpAsOwner(stage.cars, { email: address('confirmed'), name: 'Again' });
  await signUpAsOwner(stage.cars, { email: address('reset'), name: 'Again' });
  await signUpAsOwner(stage.jobs, { email: address('plugin'), name: 'Again' });
  await stage.settle();
  await resetByMail(stage.cars.host, address('reset')).catch(() => undefined);
  await stage.settle();
}, 60_000);
afterAll(() => stage.close());

it.each(NAMES)('the ban stays: %s', async (name) => {
  expect(await stage.homes.host.user(address(name))).toMatchObject({ b_enabled: 0 });
});

it.each(['unconfirmed', 'plugin'] as const)('and nothing is taken of what nobody proved: %s', async (name) => {
  expect(ownedBy(await stage.homes.host.user(address(name)))).toEqual(ownedBy(before.get(name)));
});

it.each(['unconfirmed', 'confirmed', 'reset'] as const)('counts there as well: %s', async (name) => {
  expect(await stage.cars.host.user(address(name))).toMatchObject({ b_enabled: 0 });
});

it('who lifts it is an administrator, on any of the sites, for they are one account by now', async () => {
  await stage.homes.host.admin.unblock(address('confirmed'));
  await stage.settle();
  expect(await stage.cars.host.user(address('confirmed'))).toMatchObject({ b_enabled: 1 });
  await stage.cars.host.admin.block(address('confirmed'));
  await stage.settle();
  expect(await stage.homes.host.user(address('confirmed'))).toMatchObject({ b_enabled: 0 });
});
