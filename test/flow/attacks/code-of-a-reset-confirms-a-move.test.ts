/**
 * Osclass has one code for both: that which "forgot your password?" mails to somebody's own mailbox opens the link of a change of
 * address as well. So he moves to an address of which he never sees the mailbox, also where addresses are validated.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import type { Row } from '../../support/osclass/site.ts';
import { signUpAsOwner } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
const HIS = 'mallory@example.com';

let stage: AttackStage;
let before: Row;
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: true,
    async before({ homes }) {
      before = await victimOn(homes, EMAIL);
    },
  });
}, 60_000);
afterAll(() => stage.close());

it('proves nothing of the address: the account there is not taken for the one here', async () => {
  const { site } = await stage.cars.open();
  const { person } = stage.cars.host;
  await signUpAsOwner(stage.cars, { email: HIS, name: 'Mallory' });
  await site.drain();
  await person.requestEmailChange(HIS, EMAIL);
  await person.confirmEmailChange(HIS, await person.requestPasswordReset(HIS));
  await site.drain();
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user(EMAIL))).toEqual(ownedBy(before));
  expect((await stage.cars.host.user(EMAIL))?.s_password).toBe(before.s_password);
});
