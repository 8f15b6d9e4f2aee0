/** Somebody registers the address there, never proves it, and deletes that account again, or the site purges it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Row } from '../../support/osclass/site.ts';
import { makeAttackStage, ownedBy, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { signUp } from '../../support/validation.ts';

const NAMES = ['at-once', 'before-it-was-sent', 'while-it-waits', 'by-plugin', 'purged'] as const;
const address = (name: string): string => `${name}@example.com`;

let stage: AttackStage;
const before = new Map<string, Row>();
const items = new Map<string, number>();
beforeAll(async () => {
  stage = await makeAttackStage({
    async before({ homes }) {
      for (const name of NAMES) {
        await victimOn(homes, address(name));
        items.set(name, await homes.items.post(address(name)));
        before.set(name, (await homes.user(address(name))) ?? {});
      }
    },
  });
}, 60_000);
afterAll(() => stage.close());

/** The account here, and how many listings it shows. */
async function here(name: string): Promise<Row> {
  const [shown] = await stage.homes.host.select(
    'SELECT COUNT(*) AS items FROM {item} WHERE pk_i_id = ? AND b_enabled = 1',
    [items.get(name)],
  );
  return { ...ownedBy(await stage.homes.host.user(address(name))), items: Number(shown?.items) };
}

const unharmed = (name: string): Row => ({ ...ownedBy(before.get(name)), items: 1 });

it('deleted before anything was sent, it touches nothing here', async () => {
  await signUp(stage.cars, { email: address('before-it-was-sent'), name: 'Mallory' });
  const { site } = await stage.cars.open();
  await site.drain();
  await stage.cars.host.person.deleteAccount(address('before-it-was-sent'));
  await stage.settle();
  expect(await here('before-it-was-sent')).toEqual(unharmed('before-it-was-sent'));
});

it('registered and deleted at once, it touches nothing here', async () => {
  await signUp(stage.cars, { email: address('at-once'), name: 'Mallory' });
  await stage.cars.host.person.deleteAccount(address('at-once'));
  await stage.settle();
  expect(await here('at-once')).toEqual(unharmed('at-once'));
});

it('deleted while it waits here, it is gone from the list, and the account stays', async () => {
  await signUp(stage.cars, { email: address('while-it-waits'), name: 'Mallory' });
  // Its record arrives; ours does not get there.
  const { site } = await stage.cars.open();
  await site.drain();
  await site.deliver(site.route('homes'));
  expect(await stage.waiting(stage.homes, address('while-it-waits'))).toEqual(['EMAIL_UNPROVEN']);
  await stage.cars.host.person.deleteAccount(address('while-it-waits'));
  await site.drain();
  await site.deliver(site.route('homes'));
  expect(await here('while-it-waits')).toEqual(unharmed('while-it-waits'));
  expect(await stage.waiting(stage.homes, address('while-it-waits'))).toEqual([]);
  await stage.settle();
  expect(await here('while-it-waits')).toEqual(unharmed('while-it-waits'));
});

it('by a plugin neither', async () => {
  await signUp(stage.jobs, { email: address('by-plugin'), name: 'Mallory' });
  await stage.jobs.runCron();
  await stage.jobs.person.deleteAccount(address('by-plugin'));
  await stage.settle();
  expect(await here('by-plugin')).toEqual(unharmed('by-plugin'));
});

it('a purge of unconfirmed accounts there deletes nobody here', async () => {
  await signUp(stage.cars, { email: address('purged'), name: 'Mallory' });
  const { site } = await stage.cars.open();
  await site.drain();
  await site.deliver(site.route('homes'));
  await stage.cars.host.write(
    'DELETE FROM {user_description} WHERE fk_i_user_id IN (SELECT pk_i_id FROM {user} WHERE b_active = 0)',
  );
  await stage.cars.host.write('DELETE FROM {user} WHERE b_active = 0');
  await stage.settle();
  expect(await here('purged')).toEqual(unharmed('purged'));
});
