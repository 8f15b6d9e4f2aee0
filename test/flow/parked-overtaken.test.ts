import { afterEach, expect, it } from 'vitest';
import { deliverAll, drainAll, letTimePass, scanAll, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World } from '../support/world.ts';

let world: World | undefined;
afterEach(() => world?.close());

/** Takes the entries for other sites out: what is only here is to stay here. */
const KEEP = 'DELETE FROM oc_account_sync_outbox';

it('a parked record that is tried again does not push out a later one that came meanwhile', async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true, manual: true });
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  let meanwhile: (() => Promise<void>) | undefined;
  await cars.start();
  await homes.start({
    async onStatement(statement) {
      if (!/SELECT id, peer, user_id, code, record/.test(statement)) return;
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
    },
  });
  await scanAll(world);
  await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
  await drainAll(cars);
  await deliverAll(cars);
  for (const email of ['bob@example.com', 'carl@example.com']) {
    await homes.host.person.register({ email, name: 'Other', validation: false });
  }
  await drainAll(homes);
  await homes.db.query(KEEP);
  const becomes = async (from: string, to: string): Promise<void> => {
    await cars.host.person.changeEmail(from, to);
    await drainAll(cars);
    await deliverAll(cars);
  };
  await becomes('ana@example.com', 'bob@example.com');
  expect(await homes.db.query('SELECT code FROM oc_account_sync_parked')).toEqual([{ code: 'EMAIL_TAKEN' }]);

  meanwhile = async () => {
    await becomes('bob@example.com', 'carl@example.com');
    await homes.host.person.deleteAccount('bob@example.com');
    await drainAll(homes);
    await homes.db.query(KEEP);
  };
  await letTimePass(homes);
  await (await siteOf(homes)).retryParked();
  expect(meanwhile).toBeUndefined();
  // The earlier address was free, so it went through; the later one still waits.
  expect(await homes.db.query('SELECT code FROM oc_account_sync_parked')).toEqual([{ code: 'EMAIL_TAKEN' }]);
  await homes.host.person.deleteAccount('carl@example.com');
  await drainAll(homes);
  await homes.db.query(KEEP);
  await letTimePass(homes);
  await (await siteOf(homes)).retryParked();
  expect(await homes.db.query('SELECT code FROM oc_account_sync_parked')).toEqual([]);
  expect(await homes.host.user('carl@example.com')).toMatchObject({ s_name: 'Ana' });
});
