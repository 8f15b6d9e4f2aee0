import { sql, type Transaction } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { errnoOf } from '../../src/db/failures.ts';
import type { Pool } from '../../src/db/pool.ts';
import { asDaemon, inTransaction } from '../../src/db/transaction.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { poolOn } from '../support/pool.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = poolOn(database);
  await database.query('CREATE TABLE pair (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB');
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

beforeEach(async () => {
  await database.query('DELETE FROM pair');
  await database.query('INSERT INTO pair VALUES (1, 0), (2, 0)');
});

const add = (trx: Transaction<unknown>, row: number) => sql`UPDATE pair SET n = n + 1 WHERE id = ${row}`.execute(trx);
const counters = async () =>
  (await database.query<{ n: number }>('SELECT n FROM pair ORDER BY id')).map((row) => row.n);
const applying = (db: Transaction<unknown> | Pool['db']) =>
  sql<{ v: unknown }>`SELECT @account_sync_applying AS v`.execute(db).then((answer) => answer.rows[0]?.v);

test('S5: a transaction that loses a deadlock is repeated as a whole, and both take effect once', async () => {
  let arrived = 0;
  const both = Promise.withResolvers<void>();
  let tries = 0;
  const cross = (first: number, second: number) =>
    inTransaction(pool.db, async (trx) => {
      tries += 1;
      await add(trx, first);
      arrived += 1;
      if (arrived === 2) both.resolve();
      await both.promise;
      await add(trx, second);
    });
  await Promise.all([cross(1, 2), cross(2, 1)]);
  expect(tries).toBeGreaterThan(2);
  expect(await counters()).toEqual([2, 2]);
});

test('a row locked by someone else is waited for, and DB_CONFLICT comes when the tries are used up', async () => {
  const other = await database.connection();
  await other.beginTransaction();
  await other.query('UPDATE pair SET n = 7 WHERE id = 1');
  const refused = inTransaction(pool.db, (trx) => add(trx, 1), { retries: 0 });
  await expect(refused).rejects.toMatchObject({ code: 'DB_CONFLICT' });
  await expect(refused).rejects.toSatisfy((error) => errnoOf(error) === 1205);

  const patient = inTransaction(pool.db, (trx) => add(trx, 1), { retries: 3 });
  setTimeout(() => void other.commit(), 2200);
  await patient;
  expect(await counters()).toEqual([8, 0]);
  await other.end();
}, 20_000);

test('what is no conflict is thrown at once, and nothing of the transaction remains', async () => {
  let tries = 0;
  const act = inTransaction(pool.db, async (trx) => {
    tries += 1;
    await add(trx, 1);
    throw new RangeError('of ours');
  });
  await expect(act).rejects.toThrow(RangeError);
  expect(tries).toBe(1);
  expect(await counters()).toEqual([0, 0]);
});

test('an aborted signal stops before the next try', async () => {
  const stop = new AbortController();
  stop.abort();
  await expect(inTransaction(pool.db, (trx) => add(trx, 1), { signal: stop.signal })).rejects.toThrow(/abort/i);
  expect(await counters()).toEqual([0, 0]);
});

test('triggers know that the daemon writes while it does, and no longer', async () => {
  const one = poolOn(database, { connectionLimit: 1 });
  const during = await inTransaction(one.db, async (trx) => {
    const inside = await asDaemon(trx, applying);
    return [inside, await applying(trx)];
  });
  expect(during).toEqual(['1', null]);

  const failed = inTransaction(one.db, (trx) => asDaemon(trx, () => Promise.reject(new RangeError('of ours'))));
  await expect(failed).rejects.toThrow(RangeError);
  expect(await applying(one.db)).toBeNull();

  const refused = inTransaction(one.db, (trx) => asDaemon(trx, () => sql`SELECT * FROM nowhere`.execute(trx)));
  await expect(refused).rejects.toMatchObject({ code: 'HOST_CHANGED' });
  expect(await applying(one.db)).toBeNull();
  await one.close();
});
