import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { dropOwnTables, isInstalled, migrate, pendingMigrations } from '../../src/db/migrate.ts';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { readMigrations, statementsOf } from '../../src/db/sql-script.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { databaseConfig, poolOn } from '../support/pool.ts';
import { OWN } from '../support/own-tables.ts';

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

const PREFIX = 'oc_';

afterEach(async () => {
  await dropOwnTables(pool.db);
});

const tablesThere = async (): Promise<string[]> =>
  (
    await database.query<{ name: string }>(
      'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY 1',
      [database.name],
    )
  ).map((row) => row.name);

test('makes every table of ours, once', async () => {
  expect(await isInstalled(pool.db)).toBe(false);
  const names = readMigrations(PREFIX).map((migration) => migration.name);
  expect(await migrate(pool.db, PREFIX)).toEqual(names);
  expect(new Set(await tablesThere())).toEqual(new Set(Object.values(OWN)));
  expect(await isInstalled(pool.db)).toBe(true);
  expect(await migrate(pool.db, PREFIX)).toEqual([]);
  expect(await pendingMigrations(pool.db, readMigrations(PREFIX))).toEqual([]);
});

test('every table and column of ours has a comment', async () => {
  await migrate(pool.db, PREFIX);
  const bare = await database.query(
    "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND COLUMN_COMMENT = ''",
    [database.name],
  );
  const silent = await database.query(
    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_COMMENT = ''",
    [database.name],
  );
  expect([...bare, ...silent]).toEqual([]);
});

test('goes on after a crash between any two statements of any file', async () => {
  const migrations = readMigrations(PREFIX);
  for (const [at, { statements }] of migrations.entries()) {
    for (let done = 0; done <= statements.length; done += 1) {
      const crashing = migrations.slice(0, at + 1).map((migration, n) => ({
        ...migration,
        statements: n < at ? migration.statements : [...statements.slice(0, done), 'SELECT crash'],
      }));
      await expect(migrate(pool.db, PREFIX, crashing)).rejects.toMatchObject({ code: 'HOST_CHANGED' });
    }
    expect(await isInstalled(pool.db)).toBe(at > 0);
  }
  // The last file was run to its end, and is run once more, for nobody could note that.
  expect(await migrate(pool.db, PREFIX)).toEqual([migrations.at(-1)?.name]);
  expect(await migrate(pool.db, PREFIX)).toEqual([]);
  expect(new Set(await tablesThere())).toEqual(new Set(Object.values(OWN)));
  await dropOwnTables(pool.db);
  expect(await tablesThere()).toEqual([]);
});

test('two daemons that install at once both succeed', async () => {
  await Promise.all([migrate(pool.db, PREFIX), migrate(pool.db, PREFIX)]);
  expect(await isInstalled(pool.db)).toBe(true);
});

test('tables of a newer version are refused', async () => {
  await migrate(pool.db, PREFIX);
  await database.query(`INSERT INTO ${OWN.migration} VALUES (9999, '9999_later.sql', NOW(), NOW())`);
  await expect(migrate(pool.db, PREFIX)).rejects.toMatchObject({ code: 'SCHEMA_NEWER' });
});

test('later files are run on tables that are there', async () => {
  await migrate(pool.db, PREFIX);
  const folder = mkdtempSync(path.join(tmpdir(), 'account-sync-sql-'));
  try {
    writeFileSync(path.join(folder, '9000_more.sql'), '-- more\nCREATE TABLE IF NOT EXISTS {p}more (n INT);\n');
    const all = [...readMigrations(PREFIX), ...readMigrations(PREFIX, folder)];
    expect(await migrate(pool.db, PREFIX, all)).toEqual(['9000_more.sql']);
    expect(await tablesThere()).toContain('oc_account_sync_more');
    await database.query('DROP TABLE oc_account_sync_more');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a prefix may begin with a digit or hold a dollar sign, and no quotes', async () => {
  for (const prefix of ['1e5', '$1', '$$']) {
    const other = openPool(databaseConfig(database, { tablePrefix: prefix }));
    try {
      await migrate(other.db, prefix);
      expect(await isInstalled(other.db)).toBe(true);
      await dropOwnTables(other.db);
    } finally {
      await other.close();
    }
  }
  for (const prefix of ["$'", 'a`']) expect(() => readMigrations(prefix)).toThrow(/table_prefix/);
});

test('a script is cut at semicolons outside of quotes and comments', () => {
  const script = "-- a; b\nSELECT 'x;y', \"p;\"\"q\", `c;d`, 'it''s;' - 1;\n  -- more; of it\n\nSELECT 2 -- tail;\n;";
  expect(statementsOf(script)).toEqual(["SELECT 'x;y', \"p;\"\"q\", `c;d`, 'it''s;' - 1", 'SELECT 2 -- tail;']);
});
