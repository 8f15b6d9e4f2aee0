/** The address is changed to the squatter's own, reset there, and changed back, before the daemon looks. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
let stage: AttackStage;
let before: Row;
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes }) {
      before = await victimOn(homes, EMAIL);
    },
  });
}, 60_000);
afterAll(() => stage.close());

it('proves nothing', async () => {
  await signUp(stage.cars, { email: EMAIL, name: 'Mallory' });
  const { site } = await stage.cars.open();
  await site.drain();
  // A site that lets people write their address without a link (a theme, a plugin), or whose mails he reads at both.
  await stage.cars.host.write('UPDATE {user} SET s_email = ? WHERE s_email = ?', ['m@evil.example', EMAIL]);
  const his = await resetByMail(stage.cars.host, 'm@evil.example');
  await stage.cars.host.write('UPDATE {user} SET s_email = ? WHERE s_email = ?', [EMAIL, 'm@evil.example']);
  await stage.settle();
  expect((await stage.homes.host.user(EMAIL))?.s_password).not.toBe(his);
  expect(ownedBy(await stage.homes.host.user(EMAIL))).toEqual(ownedBy(before));
});
