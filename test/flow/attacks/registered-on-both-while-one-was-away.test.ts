/** While one daemon is away, the owner registers here and somebody else there, in the same second if need be. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { dateBack, makeAttackStage, ownedBy, type AttackStage } from '../../support/attack-stage.ts';
import { drainAll, reinstall } from '../../support/by-hand.ts';
import { signUp, signUpAsOwner } from '../../support/validation.ts';

const address = (name: string): string => `${name}@example.com`;
const SQUATTED = ['first-here', 'first-there', 'same-second'] as const;

let stage: AttackStage;
const owners = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage();
  await stage.cars.stop();
  const here = async (name: string): Promise<void> => {
    await signUpAsOwner(stage.homes, { email: address(name), name: 'Owner' });
  };
  const there = (name: string): Promise<unknown> => signUp(stage.cars, { email: address(name), name: 'Mallory' });
  await here('first-here');
  await there('first-here');
  await there('first-there');
  await here('first-there');
  await here('same-second');
  await there('same-second');
  for (const { host } of [stage.homes, stage.cars]) await dateBack(host, address('same-second'));
  await signUpAsOwner(stage.homes, { email: address('both'), name: 'Owner' });
  await signUpAsOwner(stage.cars, { email: address('both'), name: 'Owner' });
  for (const name of SQUATTED) owners.set(name, (await stage.homes.host.user(address(name))) ?? {});
  await (await stage.homes.open()).site.drain();
  await stage.cars.start();
  await stage.settle();
}, 60_000);
afterAll(() => stage.close());

it.each(SQUATTED)('the account of the owner is that of both sites: %s', async (name) => {
  for (const one of [stage.homes, stage.cars]) {
    expect(ownedBy(await one.host.user(address(name)))).toEqual(ownedBy(owners.get(name)));
    expect(await stage.waiting(one, address(name))).toEqual([]);
  }
});

it('an owner who proved the address on both sites has one account', async () => {
  expect(ownedBy(await stage.homes.host.user(address('both')))).toEqual(
    ownedBy(await stage.cars.host.user(address('both'))),
  );
  expect(await stage.waiting(stage.homes, address('both'))).toEqual([]);
});

it('nor does it help to register there in the very second of a registration here of which only the date is known', async () => {
  const { homes, cars } = stage;
  const email = address('watched');
  // No triggers saw it: homes finds the account when it is installed.
  await reinstall(homes, async () => {
    await signUpAsOwner(homes, { email, name: 'Owner' });
    await signUp(cars, { email, name: 'Mallory' });
    const there = await cars.host.user(email);
    await homes.host.write('UPDATE {user} SET dt_reg_date = ? WHERE s_email = ?', [there?.dt_reg_date ?? null, email]);
    await drainAll(cars);
  });
  const owner = ownedBy(await homes.host.user(email));
  await stage.settle();
  for (const one of [homes, cars]) expect(ownedBy(await one.host.user(email))).toEqual(owner);
});
