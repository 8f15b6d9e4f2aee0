import { createServer, type AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errnoOf } from '../../src/db/failures.ts';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { SyncError } from '../../src/model/errors.ts';
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

const failureOf = async (act: Promise<unknown>): Promise<SyncError> => {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SyncError);
  return error as SyncError;
};

const askSession = (db: Pool['db']) =>
  sql<Record<string, unknown>>`SELECT @@session.sql_mode AS mode, @@session.time_zone AS zone,
    @@session.innodb_lock_wait_timeout AS row_wait, @@session.lock_wait_timeout AS table_wait,
    @@session.character_set_client AS client, @@session.character_set_results AS results,
    @@session.character_set_connection AS connection, CONNECTION_ID() AS id, SLEEP(0.05) AS nap`.execute(db);

test('S1: every connection has the session that nothing is lost in, before its first use', async () => {
  const answers = (await Promise.all(Array.from({ length: 6 }, () => askSession(pool.db)))).map(
    (answer) => answer.rows[0],
  );
  expect(new Set(answers.map((row) => row?.['id'])).size).toBe(6);
  for (const row of answers) {
    expect(row).toMatchObject({ zone: '+00:00', row_wait: '2', table_wait: '1' });
    expect(row).toMatchObject({ client: 'utf8mb4', results: 'utf8mb4', connection: 'utf8mb4' });
    expect(row?.['mode']).toContain('STRICT_ALL_TABLES');
    expect(row?.['mode']).not.toMatch(/NO_BACKSLASH_ESCAPES|NO_ZERO_DATE|NO_ZERO_IN_DATE|ANSI_QUOTES/);
  }
});

test('a read sees what others commit while the transaction is open: READ COMMITTED', async () => {
  await database.query('CREATE TABLE seen (n INT) ENGINE=InnoDB');
  const counts = await pool.db.transaction().execute(async (trx) => {
    const count = async () => (await sql<{ n: string }>`SELECT COUNT(*) AS n FROM seen`.execute(trx)).rows[0]?.n;
    const before = await count();
    await database.query('INSERT INTO seen VALUES (1)');
    return [before, await count()];
  });
  expect(counts.map(Number)).toEqual([0, 1]);
});

test('values pass the driver byte for byte', async () => {
  await database.query(`CREATE TABLE vals (
    big BIGINT UNSIGNED, micro DATETIME(6), zero DATETIME, part DATE, money DECIMAL(30,10), txt VARCHAR(200), js LONGTEXT,
    bin VARBINARY(20), bits BIT(9), fl DOUBLE, chr CHAR(10), ts TIMESTAMP(3) NULL) CHARACTER SET utf8mb4`);
  const row = {
    big: '18446744073709551615',
    micro: '2024-03-31 02:30:00.123456',
    zero: '0000-00-00 00:00:00',
    part: '2024-00-00',
    money: '12345678901234567890.0123456789',
    txt: String.raw`\' or 1=1 -- "é😀` + '\0\n\r\u001a`%_',
    js: '{"a": 1.0,  "b":"\\u00e9"}',
    bin: Buffer.from([0, 255, 39, 92, 0]),
    bits: Buffer.from([1, 255]),
    fl: 0.1,
    chr: 'x',
    ts: '2038-01-19 03:14:07.999',
  };
  await sql`INSERT INTO vals (big, micro, zero, part, money, txt, js, bin, bits, fl, chr, ts)
    VALUES (${sql.join(Object.values(row))})`.execute(pool.db);
  const { rows } = await sql`SELECT * FROM vals`.execute(pool.db);
  expect(rows).toEqual([row]);
});

test('a value that is a piece of SQL stays a value', async () => {
  const value = String.raw`\' or 1=1 -- `;
  const { rows } = await sql`SELECT 1 AS hit FROM DUAL WHERE 'x' = ${value}`.execute(pool.db);
  expect(rows).toEqual([]);
});

test('what cannot be bound is refused before it reaches the server', async () => {
  for (const value of [[1, 2], { a: 1 }, Number.NaN, undefined, new Date(0)]) {
    await expect(sql`SELECT ${value} AS v`.execute(pool.db)).rejects.toThrow('SQL parameter 1');
  }
  const { rows } = await sql`SELECT ${new Uint8Array([1, 2])} AS v, CONCAT(${12n}) AS n`.execute(pool.db);
  expect(rows).toEqual([{ v: Buffer.from([1, 2]), n: '12' }]);
});

test('errors name the server message and number, and hold no value and no statement', async () => {
  await database.query('CREATE TABLE uniq (mail VARCHAR(50), UNIQUE KEY mail (mail))');
  const secret = "it's@secret.example";
  await sql`INSERT INTO uniq VALUES (${secret})`.execute(pool.db);
  const error = await failureOf(sql`INSERT INTO uniq VALUES (${secret})`.execute(pool.db));
  expect(error.code).toBe('DB_ERROR');
  expect(errnoOf(error)).toBe(1062);
  expect(error.message).toContain('1062');
  expect(error.message).toContain('mail');
  const everything = JSON.stringify([error, error.cause, { ...(error.cause as object) }]) + (error.stack ?? '');
  expect(everything + String((error.cause as Error).stack)).not.toContain('secret');

  const syntax = await failureOf(sql`SELEKT ${secret}`.execute(pool.db));
  expect(errnoOf(syntax)).toBe(1064);
  expect(syntax.message + String((syntax.cause as Error).stack)).not.toContain('secret');
});

test('a missing table is named', async () => {
  const error = await failureOf(sql`SELECT 1 FROM nowhere`.execute(pool.db));
  expect(errnoOf(error)).toBe(1146);
  expect(error.message).toContain('nowhere');
});

test('a server that is not there is DB_UNAVAILABLE', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  const lost = openPool(databaseConfig(database, { port }));
  expect((await failureOf(sql`SELECT 1`.execute(lost.db))).code).toBe('DB_UNAVAILABLE');
  await lost.close();
});

test('a wrong password is DB_ACCESS_DENIED, a missing right DB_MISSING_RIGHT', async () => {
  const account = await createAccount(database, ['SELECT']);
  const wrong = openPool(databaseConfig(account, { password: 'wrong' }));
  expect((await failureOf(sql`SELECT 1`.execute(wrong.db))).code).toBe('DB_ACCESS_DENIED');
  await wrong.close();

  const limited = openPool(databaseConfig(account));
  await database.query('CREATE TABLE guarded (n INT)');
  expect((await failureOf(sql`INSERT INTO guarded VALUES (1)`.execute(limited.db))).code).toBe('DB_MISSING_RIGHT');
  await limited.close();
});

test('a connection that the server closed is replaced', async () => {
  const one = poolOn(database, { connectionLimit: 1 });
  const { rows } = await sql<{ id: number }>`SELECT CONNECTION_ID() AS id`.execute(one.db);
  await database.query(`KILL ${rows[0]?.id}`);
  await sql`SELECT 1`.execute(one.db).catch(() => undefined);
  const mode = await sql<{ zone: string }>`SELECT @@session.time_zone AS zone`.execute(one.db);
  expect(mode.rows).toEqual([{ zone: '+00:00' }]);
  await one.close();
});

test('a statement that takes too long ends as DB_UNAVAILABLE and its connection is not used again', async () => {
  const hasty = poolOn(database, { connectionLimit: 1, statementTimeoutMs: 200 });
  expect((await failureOf(sql`SELECT SLEEP(2) AS late`.execute(hasty.db))).code).toBe('DB_UNAVAILABLE');
  expect((await sql`SELECT 'on' AS still`.execute(hasty.db)).rows).toEqual([{ still: 'on' }]);
  await hasty.close();
});

test('close may be called twice, and on a pool that was never used', async () => {
  const unused = poolOn(database);
  await unused.close();
  await expect(unused.close()).resolves.toBeUndefined();
});

test('a transaction that stops talking is ended by the server, and holds up nobody longer', async () => {
  await database.query('CREATE TABLE silent (n INT PRIMARY KEY) ENGINE=InnoDB');
  await database.query('INSERT INTO silent VALUES (1)');
  const paused = openPool(databaseConfig(database), { silenceS: 1 });
  try {
    const late = paused.db.transaction().execute(async (trx) => {
      await sql`UPDATE silent SET n = 2`.execute(trx);
      // Another one waits for the row until the server lets go of it.
      await database.query('UPDATE silent SET n = 3 WHERE n = 1');
      await sql`UPDATE silent SET n = 4`.execute(trx);
    });
    expect((await failureOf(late)).code).toBe('DB_UNAVAILABLE');
    expect(await database.query('SELECT n FROM silent')).toEqual([{ n: 3 }]);
  } finally {
    await paused.close();
  }
});

test('a connection that lacked a right is not used again: servers look rights up when it is made', async () => {
  await database.query('CREATE TABLE granted (n INT)');
  const account = await createAccount(database, ['SELECT']);
  const limited = openPool(databaseConfig(account), { connectionLimit: 1 });
  const insert = () => sql`INSERT INTO granted VALUES (1)`.execute(limited.db);
  expect(await failureOf(insert())).toMatchObject({ code: 'DB_MISSING_RIGHT' });
  await database.query(`GRANT INSERT ON \`${database.name}\`.* TO ?@'%'`, [account.user]);
  await insert();
  await limited.close();
});

const connectionOf = async (db: Pool['db']): Promise<string> =>
  (await sql<{ id: string }>`SELECT CONNECTION_ID() AS id`.execute(db)).rows[0]?.id ?? '';

test('connections that may not write are given up for new ones, and so are all when told', async () => {
  const single = poolOn(database, { connectionLimit: 1 });
  await database.query('CREATE TABLE written (n INT) ENGINE=InnoDB');
  const first = await connectionOf(single.db);
  expect(await connectionOf(single.db)).toBe(first);
  await sql`SET SESSION TRANSACTION READ ONLY`.execute(single.db);
  const refused = await failureOf(sql`INSERT INTO written VALUES (1)`.execute(single.db));
  expect(refused.code).toBe('DB_READ_ONLY');
  const second = await connectionOf(single.db);
  expect(second).not.toBe(first);
  await sql`INSERT INTO written VALUES (2)`.execute(single.db);
  single.renew();
  expect(await connectionOf(single.db)).not.toBe(second);
  await single.close();
});

test('lists of ids stay lists on a server that would make joins of them', async () => {
  const statement = sql<{ Value: string }>`SHOW SESSION VARIABLES LIKE 'in_predicate_conversion_threshold'`;
  const { rows } = await statement.execute(pool.db);
  expect(rows.map(({ Value }) => Value)).toEqual(database.serverKind === 'mariadb' ? ['0'] : []);
});

test('a statement longer than the server takes is not sent: the error says why, and the connection stays', async () => {
  const single = poolOn(database, { connectionLimit: 1 });
  const first = await connectionOf(single.db);
  const [row] = await database.query<{ most: string }>('SELECT @@GLOBAL.max_allowed_packet AS most');
  const text = 'x'.repeat(Number(row?.most));
  const error = await failureOf(sql`SELECT LENGTH(${text}) AS n`.execute(single.db));
  expect(error).toMatchObject({ code: 'DB_ERROR', message: expect.stringMatching(/max_allowed_packet.*\(1153\)/) });
  expect(errnoOf(error)).toBe(1153);
  expect(await connectionOf(single.db)).toBe(first);
  const { rows } = await sql<{ n: string }>`SELECT LENGTH(${text.slice(100)}) AS n`.execute(single.db);
  expect(Number(rows[0]?.n)).toBe(text.length - 100);
  await single.close();
});
