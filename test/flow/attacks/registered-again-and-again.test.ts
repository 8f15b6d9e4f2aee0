/** Registered there, deleted, registered again: each time another identity of one address, and none of them the victim's. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { deliverAll, drainAll, nextSecond } from '../../support/by-hand.ts';
import { signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
const CROSSED = 'crossed@example.com';

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    async before({ homes }) {
      for (const email of [EMAIL, CROSSED]) before.set(email, await victimOn(homes, email));
    },
  });
}, 60_000);
afterAll(() => stage.close());

it('the account here stays that of its owner, whatever arrives', async () => {
  const { cars, homes } = stage;
  for (let turn = 0; turn < 3; turn++) {
    await signUp(cars, { email: EMAIL, name: `Mallory ${turn}` });
    await drainAll(cars);
    await deliverAll(cars);
    await nextSecond(cars);
    await cars.host.person.deleteAccount(EMAIL);
    await drainAll(cars);
    await deliverAll(cars);
    expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before.get(EMAIL)));
  }
  await stage.settle();
  expect(ownedBy(await homes.host.user(EMAIL))).toEqual(ownedBy(before.get(EMAIL)));
  expect(await stage.waiting(homes, EMAIL)).toEqual([]);
});

it('also where its removal overtakes the record of ours that is on its way there', async () => {
  const { cars, homes } = stage;
  await signUp(cars, { email: CROSSED, name: 'Mallory' });
  await drainAll(cars);
  await deliverAll(cars);
  await cars.host.person.deleteAccount(CROSSED);
  await deliverAll(homes, 'cars');
  await drainAll(cars);
  await stage.settle();
  expect(ownedBy(await homes.host.user(CROSSED))).toEqual(ownedBy(before.get(CROSSED)));
});
