import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { readClock, readServerFacts } from '../../src/db/server-facts.ts';
import { createAccount, createDatabase, type TestDatabase } from '../support/database.ts';
import { databaseConfig, poolOn } from '../support/pool.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = poolOn(database);
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

test('the facts of a server are read, whatever variables it knows', async () => {
  const facts = await readServerFacts(pool.db);
  expect(facts).toMatchObject({
    kind: database.serverKind,
    version: database.version,
    readOnly: false,
    isReplica: false,
    forcedNoBackslashEscapes: false,
  });
  const [row] = await database.query<{ bin: string; modes: string }>(
    'SELECT @@global.log_bin AS bin, @@global.sql_mode AS modes',
  );
  expect(facts.logBin).toBe(Number(row?.bin) === 1);
  expect(facts.sqlMode.join(',')).toBe(row?.modes);
  expect(facts.maxAllowedPacket).toBeGreaterThan(1000);
  expect(Math.abs(facts.clockMs - Date.now())).toBeLessThan(5000);
});

test('an account with few rights gets the facts too, without knowing of replication', async () => {
  const account = await createAccount(database, ['SELECT']);
  const limited = openPool(databaseConfig(account));
  const facts = await readServerFacts(limited.db);
  expect(facts.version).toBe(database.version);
  expect(facts.isReplica).toBeUndefined();
  await limited.close();
});

test('the clock of the database has milliseconds', async () => {
  const before = await readClock(pool.db);
  expect(Number.isInteger(before)).toBe(true);
  expect(await readClock(pool.db)).toBeGreaterThanOrEqual(before);
});
