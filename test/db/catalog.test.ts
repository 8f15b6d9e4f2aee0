import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { id, readCatalog, type Catalog } from '../../src/db/catalog.ts';
import { ownName } from '../../src/db/own-tables.ts';
import type { Pool } from '../../src/db/pool.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { poolOn } from '../support/pool.ts';

let database: TestDatabase;
let pool: Pool;
let catalog: Catalog;

const ODD = ['a.b', 'x as y', 'tick`tick', 'quote\'"', 'what?', 'ñandú', 'order', '; DROP TABLE x; --', '%s', '\\'];

beforeAll(async () => {
  database = await createDatabase();
  pool = poolOn(database);
  await database.query("SET SESSION sql_mode = ''");
  await database.query(`CREATE TABLE oc_t_user (
    pk_i_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    s_name VARCHAR(100) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci NOT NULL,
    d_coord_lat DECIMAL(10,6) NULL,
    dt_reg DATETIME(3) NOT NULL,
    dt_access DATETIME NOT NULL DEFAULT '1000-01-01 00:00:00',
    s_quoted VARCHAR(20) NOT NULL DEFAULT 'it''s',
    s_empty VARCHAR(20) NOT NULL DEFAULT '',
    b_raw VARBINARY(16) NULL,
    s_upper VARCHAR(100) GENERATED ALWAYS AS (UPPER(s_name)) STORED,
    dt_stamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
  ) ENGINE=InnoDB`);
  await database.query(`CREATE TABLE oc_t_plain (${ODD.map((name) => `\`${name.replaceAll('`', '``')}\` INT`).join()})
    ENGINE=MyISAM`);
  await database.query(`CREATE TABLE oc_t_child (user_id INT UNSIGNED,
    CONSTRAINT of_child FOREIGN KEY (user_id) REFERENCES oc_t_user (pk_i_id) ON DELETE CASCADE) ENGINE=InnoDB`);
  await database.query(`CREATE TABLE other_orders (id INT UNSIGNED PRIMARY KEY, buyer INT UNSIGNED,
    CONSTRAINT of_order FOREIGN KEY (buyer) REFERENCES oc_t_user (pk_i_id)) ENGINE=InnoDB`);
  await database.query('CREATE VIEW oc_v_user AS SELECT pk_i_id FROM oc_t_user');
  catalog = await readCatalog(pool.db, database.name, 'oc_');
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

test('columns are described as information_schema has them', () => {
  const table = catalog.requireTable('t_user');
  expect(table).toMatchObject({ name: 'oc_t_user', base: 't_user', engine: 'InnoDB' });
  expect([...table.columns.keys()]).toHaveLength(10);
  expect(table.column('pk_i_id')).toMatchObject({
    type: 'int',
    unsigned: true,
    autoIncrement: true,
    optional: true,
    nullable: false,
    default: null,
  });
  expect(table.column('s_name')).toMatchObject({ type: 'varchar', maxChars: 100, maxBytes: 300, optional: false });
  expect(table.column('s_name')?.charset).toMatch(/^utf8(?:mb3)?$/);
  expect(table.column('d_coord_lat')).toMatchObject({ type: 'decimal', precision: 10, scale: 6, nullable: true });
  expect(table.column('dt_reg')).toMatchObject({ type: 'datetime', fraction: 3, optional: false });
  expect(table.column('dt_access')).toMatchObject({ default: '1000-01-01 00:00:00', optional: true });
  expect(table.column('s_quoted')?.default).toBe("it's");
  expect(table.column('s_empty')?.default).toBe('');
  expect(table.column('b_raw')).toMatchObject({ maxBytes: 16, charset: null, default: null });
  expect(table.column('s_upper')).toMatchObject({ generated: true, optional: true });
  expect(table.column('dt_stamp')).toMatchObject({ generated: false, optional: true });
});

test('tables of other prefixes and views are not in the catalog, and a missing table is named', () => {
  expect(catalog.table('v_user')).toBeUndefined();
  expect(catalog.table('t_nothing')).toBeUndefined();
  expect(() => catalog.requireTable('t_nothing')).toThrow(/oc_t_nothing/);
});

test('foreign keys to a table are found, whatever the prefix of the table that has them', () => {
  expect(catalog.tablesReferring('t_user')).toEqual([
    {
      table: 'oc_t_child',
      base: 't_child',
      column: 'user_id',
      constraint: 'of_child',
      referencedColumn: 'pk_i_id',
      deleteRule: 'CASCADE',
    },
    expect.objectContaining({ table: 'other_orders', base: undefined, column: 'buyer' }),
  ]);
  expect(catalog.tablesReferring('t_nothing')).toEqual([]);
});

test('identifiers are quoted verbatim, however odd', async () => {
  const table = catalog.requireTable('t_plain');
  for (const [at, name] of ODD.entries()) {
    const column = table.column(name);
    if (column === undefined) throw new Error(`the catalog lost ${name}`);
    await sql`DELETE FROM ${id(table.name)}`.execute(pool.db);
    await sql`INSERT INTO ${id(table.name)} (${id(column.name)}) VALUES (${at})`.execute(pool.db);
    const { rows } =
      await sql`SELECT ${id(column.name)} FROM ${id(table.name)} WHERE ${id(column.name)} = ${at}`.execute(pool.db);
    expect(rows).toEqual([{ [name]: at }]);
  }
});

test('our own names stand behind the prefix, and a prefix that is none is refused', () => {
  expect(ownName('oc_', 'queue')).toBe('oc_account_sync_queue');
  expect(ownName('', 'lease')).toBe('account_sync_lease');
  for (const prefix of ['a`b', 'a.b', 'a b', 'x'.repeat(31)]) {
    expect(() => ownName(prefix, 'queue')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
  expect(() => ownName('oc_', 'a`b')).toThrow(TypeError);
});
