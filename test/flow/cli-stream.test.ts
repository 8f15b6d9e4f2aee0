import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { keepEditing, PEOPLE, registerPeople } from '../support/editing.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

/** Ten accounts a second are changed. */
const EVERY_MS = 100;

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let cli: Cli;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes']);
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await registerPeople(cars.host);
  await world.settle(60_000);
  cli = makeCli(configOf(cars, [homes]));
}, 120_000);
afterAll(async () => {
  cli?.close();
  await world?.close();
});

describe('account-sync stream', { timeout: 120_000 }, () => {
  it.each(['beside a daemon', 'without one'])(
    '%s: with 0 all that was changed before has been sent, though people of both sites go on with these accounts',
    async (how) => {
      if (how === 'without one') await cars.stop();
      const edits = [
        await keepEditing(cars.host, 's_website', EVERY_MS),
        await keepEditing(homes.host, 's_phone_land', EVERY_MS),
      ];
      try {
        for (let round = 0; round < 2; round++) {
          const words = `${how}, ${round}`;
          for (const email of PEOPLE)
            await cars.host.write('UPDATE {user} SET s_phone_mobile = ? WHERE s_email = ?', [words, email]);
          expect(await cli.run('stream')).toMatchObject({ code: 0, err: '' });
          const rows = await homes.host.select('SELECT s_phone_mobile AS value FROM {user}');
          expect(rows.map((row) => row['value'])).toEqual(PEOPLE.map(() => words));
        }
      } finally {
        for (const one of edits) await one.stop();
      }
    },
  );

  it('ends with 1, and says so, where something that was changed before is not to be sent yet', async () => {
    if (cars.daemon !== undefined) await cars.stop();
    expect(await cli.run('stream')).toMatchObject({ code: 0 });
    await homes.stop();
    await cars.host.write('UPDATE {user} SET s_phone_mobile = ? WHERE s_email = ?', ['late', PEOPLE[0]]);
    expect(await cli.run('stream')).toMatchObject({ code: 1, err: expect.stringMatching(/peer/i) });
    await homes.start();
    await cars.db.query(
      "UPDATE oc_account_sync_outbox SET due_at = UTC_TIMESTAMP(3) + INTERVAL 5 MINUTE, code = 'USER_BUSY'",
    );
    const late = await cli.run('stream');
    expect(late).toMatchObject({ code: 1, err: expect.stringMatching(/has been sent/) });
    expect(late.out).toMatch(/homes: 0 sent, 1 waiting/);
    await cars.db.query('UPDATE oc_account_sync_outbox SET due_at = UTC_TIMESTAMP(3)');
    expect(await cli.run('stream')).toMatchObject({ code: 0, out: expect.stringMatching(/homes: 1 sent/) });
  });
});
