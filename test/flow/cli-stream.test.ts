import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

const PEOPLE = ['ana', 'bob', 'cid', 'dan'].map((name) => `${name}@example.com`);

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let cli: Cli;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes']);
  [cars, homes] = [world.site('cars'), world.site('homes')];
  for (const email of PEOPLE) await cars.host.person.register({ email, name: email.slice(0, 3), validation: false });
  await world.settle(60_000);
  cli = makeCli(configOf(cars, [homes]));
}, 120_000);
afterAll(async () => {
  cli?.close();
  await world?.close();
});

/** Somebody changes one account after the other in a column, ten a second, until told to stop. */
async function changeOnAndOn(site: WorldSite, column: string): Promise<() => Promise<void>> {
  const host = await site.host.again();
  const over = new AbortController();
  const running = (async () => {
    for (let count = 0; !over.signal.aborted; count++) {
      const email = PEOPLE[count % PEOPLE.length];
      await host.write(`UPDATE {user} SET ${column} = ?, dt_mod_date = NOW() WHERE s_email = ?`, [
        String(count),
        email,
      ]);
      await pause(100);
    }
  })();
  running.catch(() => undefined);
  return async () => {
    over.abort();
    try {
      await running;
    } finally {
      await host.close();
    }
  };
}

describe('account-sync stream', { timeout: 120_000 }, () => {
  it.each(['beside a daemon', 'without one'])(
    '%s: with 0 all that was changed before has been sent, though people of both sites go on with these accounts',
    async (how) => {
      if (how === 'without one') await cars.stop();
      const stops = [await changeOnAndOn(cars, 's_website'), await changeOnAndOn(homes, 's_phone_land')];
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
        for (const stop of stops) await stop();
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
