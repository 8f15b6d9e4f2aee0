import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindList, bindRows } from '../../src/db/bind.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { poolOn } from '../support/pool.ts';

let database: TestDatabase;
let pool: ReturnType<typeof poolOn>;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE things (n BIGINT PRIMARY KEY, t VARCHAR(100), b VARBINARY(100)) CHARSET utf8mb4');
  pool = poolOn(database);
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

test('a list of rows reaches the server as it is, whatever its texts look like', async () => {
  const texts = [`'`, `\\'`, '?', '??', ':a', '\0', '\n', '`', '"); DROP TABLE things; --', '🙂', '', null];
  const things = texts.map(
    (text, n) => [BigInt(n) + 9_007_199_254_740_993n, text, Buffer.from([0, 39, 92, n])] as const,
  );
  await sql`INSERT INTO things (n, t, b) VALUES ${bindRows(things)}`.execute(pool.db);
  const { rows } =
    await sql`SELECT n, t, b FROM things WHERE n IN (${bindList(things.map(([n]) => n))}) ORDER BY n`.execute(pool.db);
  expect(rows).toEqual(things.map(([n, t, b]) => ({ n: String(n), t, b })));
});

test('other parameters may stand before and after a list', async () => {
  const { rows } =
    await sql`SELECT ${'?'} AS a, CAST(${2} IN (${bindList([1, 2, 3])}) AS CHAR) AS b, ${"'"} AS c`.execute(pool.db);
  expect(rows).toEqual([{ a: '?', b: '1', c: "'" }]);
});

test('what is no value is refused before it reaches the server, inside a list and as one', async () => {
  const ask = (value: unknown): Promise<unknown> => sql`SELECT ${value}`.execute(pool.db);
  await expect(ask([1, 2])).rejects.toThrow(/cannot be bound/);
  await expect(ask({ a: 1 })).rejects.toThrow(/cannot be bound/);
  for (const wrong of [Number.NaN, undefined, { a: 1 }, [[1]]]) {
    await expect(sql`SELECT ${bindList([1, wrong as never])}`.execute(pool.db)).rejects.toThrow(/cannot be bound/);
  }
  expect(() => bindList([])).toThrow(RangeError);
});
