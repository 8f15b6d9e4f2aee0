import { onTestFinished, describe, expect, it } from 'vitest';
import { capturedSite, rowsOf, type CapturedSite } from '../support/captured-site.ts';
import { makeStatementStop, type StatementStop } from '../support/statement-stop.ts';
import { OWN } from '../support/own-tables.ts';

const TABLES = ['queue', 'user', 'uid', 'tombstone', 'outbox', 'state'] as const;

/** Noon of 1 June 2024: entries made at different tries are equal. */
const clock = { nowMs: () => Date.UTC(2024, 5, 1, 12) };

/** Everything a drain or scan writes. */
async function memory(cars: CapturedSite): Promise<Record<string, string[]>> {
  const entries = TABLES.map(async (table) => [table, await rowsOf(cars.database, OWN[table])] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Keeps what is in our tables now, to be put back before each try. */
async function keep(cars: CapturedSite): Promise<() => Promise<void>> {
  const { database } = cars;
  for (const table of TABLES) {
    await database.query(`CREATE TABLE kept_${table} LIKE ${OWN[table]}`);
    await database.query(`INSERT INTO kept_${table} SELECT * FROM ${OWN[table]}`);
  }
  return async () => {
    for (const table of TABLES) {
      await database.query(`DELETE FROM ${OWN[table]}`);
      await database.query(`INSERT INTO ${OWN[table]} SELECT * FROM kept_${table}`);
    }
  };
}

/** A worker that died keeps its lease until it expires. */
async function expireLeases({ database }: CapturedSite): Promise<void> {
  await database.query(`DELETE FROM ${OWN.lease}`);
}

/** A site where everything a drain can meet has happened since the last one. */
async function busySite(stop: StatementStop): Promise<CapturedSite> {
  const cars = await capturedSite({
    clock,
    onStatement: stop.onStatement,
    before: (empty) => empty.seed.users({ seed: 9, count: 30, firstId: 1, allActive: true }),
  });
  const { host, drainAll } = cars;
  await host.person.changePassword(1);
  await drainAll();
  await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id <= 3', ['Changed']);
  await host.person.changeEmail(4, 'moved@example.org');
  await host.person.deleteAccount(5);
  const six = await host.user(6);
  await host.person.deleteAccount(6);
  await host.person.register({ email: String(six?.s_email), name: 'Again' });
  await host.person.register({ email: 'new@example.com', name: 'New', info: { en_US: 'Hi' } });
  await host.admin.block(7);
  await host.person.viewPage(8);
  return cars;
}

describe('invariant 2: a marker leaves the queue only together with shadow and outboxes', () => {
  it('whatever statement a drain is stopped after, all or nothing is done, and doing it again ends the same', async () => {
    const stop = makeStatementStop('throw');
    const cars = await busySite(stop);
    const before = await memory(cars);
    const putBack = await keep(cars);
    stop.arm(0);
    await cars.site.drain();
    const statements = stop.count();
    const after = await memory(cars);
    expect(after['queue']).toEqual([]);
    expect(after['outbox']).toHaveLength(2 * 9);
    expect(statements).toBeGreaterThan(20);
    let stopped = 0;
    for (let at = 1; at <= statements; at++) {
      await putBack();
      stop.arm(at);
      const outcome = await cars.site.drain().catch((error: unknown) => error);
      if (outcome instanceof Error) stopped += 1;
      stop.arm(0);
      const between = await memory(cars);
      expect([before, after], `stopped after statement ${at}`).toContainEqual(between);
      await expireLeases(cars);
      await cars.drainAll();
      expect(await memory(cars), `stopped after statement ${at}`).toEqual(after);
    }
    expect(stopped).toBeGreaterThan(20);
  });

  it('a drain whose connections are killed leaves all or nothing too', async () => {
    const cars = await busySite(makeStatementStop('throw'));
    const killer = await cars.database.connection();
    onTestFinished(() => killer.end());
    const [root] = await cars.database.query<{ id: string }>('SELECT CONNECTION_ID() AS id');
    const spare = [cars.host.db.threadId, Number(root?.id)];
    const before = await memory(cars);
    const putBack = await keep(cars);
    await cars.site.drain();
    const after = await memory(cars);
    for (let at = 3; at <= 27; at += 4) {
      await putBack();
      const stop = makeStatementStop({ killer, spare });
      const interrupted = await cars.again({ onStatement: stop.onStatement });
      stop.arm(at);
      await interrupted.drain().catch(() => undefined);
      expect([before, after], `killed after statement ${at}`).toContainEqual(await memory(cars));
      await expireLeases(cars);
      await cars.drainAll().catch(() => undefined);
      await cars.drainAll();
      expect(await memory(cars), `killed after statement ${at}`).toEqual(after);
    }
  });

  it('a drain whose lease another worker took over commits nothing', async () => {
    const stop = makeStatementStop('throw');
    const cars = await capturedSite({ clock });
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    const before = await memory(cars);
    const slow = await cars.again({
      async onStatement(statement) {
        await stop.onStatement(statement);
        if (!/DELETE FROM \S+queue/.test(statement)) return;
        await cars.database.query(`UPDATE ${OWN.lease} SET holder = 'someone else'`);
      },
    });
    await expect(slow.drain()).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(await memory(cars)).toEqual(before);
  });
});

describe('a baseline', () => {
  it('can be stopped after any statement; done again it ends the same', async () => {
    const stop = makeStatementStop('throw');
    const cars = await capturedSite({
      clock,
      onStatement: stop.onStatement,
      install: false,
      before: (empty) => empty.seed.users({ seed: 9, count: 1030 }),
    });
    await cars.install();
    const putBack = await keep(cars);
    const scan = async (): Promise<void> => {
      while (await cars.site.isScanPending()) expect(await cars.site.scanPage()).toBeDefined();
    };
    /** The times of the end are the database's. */
    const end = async (): Promise<string> =>
      JSON.stringify(await memory(cars)).replaceAll(/20\d\d-\d\d-\d\dT[\d:.]+Z/g, '');
    stop.arm(0);
    await scan();
    const statements = stop.count();
    const after = await end();
    for (let at = 1; at <= statements; at += 2) {
      await putBack();
      stop.arm(at);
      await scan().catch(() => undefined);
      stop.arm(0);
      await expireLeases(cars);
      await scan();
      expect((await end()) === after, `stopped after statement ${at} of ${statements}`).toBe(true);
    }
  });
});
