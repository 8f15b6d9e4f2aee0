/** Who proved an address of his own moves that account to the victim's, on a site that lets him. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, signUp } from '../../support/validation.ts';

const address = (name: string): string => `${name}@example.com`;
const NAMES = ['known', 'proof', 'old-reset', 'reset-then-moved'] as const;

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes }) {
      for (const name of NAMES) before.set(name, await victimOn(homes, address(name)));
    },
  });
}, 60_000);
afterAll(() => stage.close());

/** Where nothing is to be proved, the form writes the new address at once. */
async function moveWithoutLink(from: string, to: string): Promise<void> {
  await stage.cars.host.write('UPDATE {user} SET s_email = ? WHERE s_email = ?', [to, from]);
}

/** What happens there while homes is not told of anything. */
async function drainCars(): Promise<void> {
  await (await stage.cars.open()).site.drain();
}

const here = async (name: string): Promise<Row> => ownedBy(await stage.homes.host.user(address(name)));

it('of an account that both sites know, the address is taken here', async () => {
  await signUp(stage.cars, { email: 'mallory@example.com', name: 'Mallory' });
  await resetByMail(stage.cars.host, 'mallory@example.com');
  await stage.settle();
  await moveWithoutLink('mallory@example.com', address('known'));
  await stage.settle();
  expect(await here('known')).toEqual(ownedBy(before.get('known')));
  expect(await stage.homes.host.user('mallory@example.com')).toMatchObject({ s_name: 'Mallory' });
  expect(await stage.waiting(stage.homes, address('known'))).toHaveLength(1);
});

it('his proof does not go with him to another address', async () => {
  await signUp(stage.cars, { email: 'mallory2@example.com', name: 'Mallory' });
  await drainCars();
  await resetByMail(stage.cars.host, 'mallory2@example.com');
  await drainCars();
  await moveWithoutLink('mallory2@example.com', address('proof'));
  await stage.settle();
  expect(await here('proof')).toEqual(ownedBy(before.get('proof')));
});

it('an ordinary change of password after an old reset by mail proves nothing', async () => {
  const { host } = stage.cars;
  await signUp(stage.cars, { email: 'mallory3@example.com', name: 'Mallory' });
  await drainCars();
  await resetByMail(host, 'mallory3@example.com');
  await drainCars();
  await moveWithoutLink('mallory3@example.com', address('old-reset'));
  await drainCars();
  await host.person.changePassword(address('old-reset'));
  await stage.settle();
  expect(await here('old-reset')).toEqual(ownedBy(before.get('old-reset')));
});

it('nor does a reset by mail that one marker tells of together with the move', async () => {
  const { host } = stage.cars;
  await signUp(stage.cars, { email: 'mallory4@example.com', name: 'Mallory' });
  await drainCars();
  await resetByMail(host, 'mallory4@example.com');
  await moveWithoutLink('mallory4@example.com', address('reset-then-moved'));
  await stage.settle();
  expect(await here('reset-then-moved')).toEqual(ownedBy(before.get('reset-then-moved')));
});
