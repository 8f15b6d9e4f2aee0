/** Whoever had the unproven account is still logged in there, and moves it to an address of his own, or removes it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, signUp } from '../../support/validation.ts';

const NAMES = ['moved', 'removed', 'owner'] as const;
const address = (name: string): string => `${name}@example.com`;

let stage: AttackStage;
const before = new Map<string, Row>();
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes, cars }) {
      for (const name of NAMES) {
        before.set(name, await victimOn(homes, address(name)));
        await signUp({ host: cars }, { email: address(name), name: 'Mallory' });
      }
    },
  });
  // Both speak.
  for (const name of NAMES) {
    await stage.homes.host.person.editProfile(address(name), { zip: '28001' });
    await stage.cars.host.person.editProfile(address(name), { website: 'https://mallory.example' });
  }
  await stage.settle();
}, 60_000);
afterAll(() => stage.close());

it('a change of address there waits here, and the rest of the record flows', async () => {
  const { host } = stage.cars;
  await host.person.changeEmail(address('moved'), 'mallory@example.com');
  await host.person.editProfile('mallory@example.com', { city: 'Elsewhere' });
  await stage.settle();
  const here = await stage.homes.host.user(address('moved'));
  expect(ownedBy(here)).toEqual(ownedBy(before.get('moved')));
  expect(here).toMatchObject({ s_city: 'Elsewhere' });
  expect(await stage.waiting(stage.homes, 'mallory@example.com')).toEqual(['EMAIL_UNPROVEN']);
});

it('a removal there waits here, and the account stays with its listing', async () => {
  const item = await stage.homes.host.items.post(address('removed'));
  await stage.cars.host.person.deleteAccount(address('removed'));
  await stage.settle();
  expect(ownedBy(await stage.homes.host.user(address('removed')))).toEqual(ownedBy(before.get('removed')));
  expect(await stage.homes.host.select('SELECT pk_i_id FROM {item} WHERE pk_i_id = ?', [item])).toHaveLength(1);
  const rows = await stage.homes.db.query<{ code: string }>(
    `SELECT code FROM oc_account_sync_parked WHERE record LIKE '%"removal"%'`,
  );
  expect(rows.map(({ code }) => code)).toEqual(['EMAIL_UNPROVEN']);
});

it('the owner, who proves himself there, may do both at once', async () => {
  const { host } = stage.cars;
  await resetByMail(host, address('owner'));
  await stage.settle();
  await host.person.changeEmail(address('owner'), 'owner.new@example.com');
  await stage.settle();
  expect(await stage.homes.host.user('owner.new@example.com')).toMatchObject({ s_name: expect.any(String) });
  expect(await stage.homes.host.user(address('owner'))).toBeUndefined();
  await host.person.deleteAccount('owner.new@example.com');
  await stage.settle();
  expect(await stage.homes.host.user('owner.new@example.com')).toBeUndefined();
});
