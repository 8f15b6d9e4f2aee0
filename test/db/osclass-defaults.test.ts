import { expect, test } from 'vitest';
import { NO_PASSWORD } from '../../src/model/password-hash.ts';
import { newUserDefaults } from '../../src/osclass/defaults.ts';
import { inTransaction } from '../../src/db/transaction.ts';
import { insertUsers, type ColumnWrites } from '../../src/osclass/write-users.ts';
import type { Catalog, Column } from '../../src/db/catalog.ts';
import { hostPool } from '../support/host-pool.ts';
import type { Flavour } from '../support/osclass/flavour.ts';

const writesOf = (catalog: Catalog, values: Record<string, string>): Map<Column, string> => {
  const table = catalog.requireTable('t_user');
  return new Map(Object.entries(values).map(([name, value]) => [table.column(name) as Column, value]));
};
const randomBytes = (size: number) => new Uint8Array(size).fill(0xab);
const nowMs = Date.UTC(2024, 5, 1, 12);
const byName = (writes: ColumnWrites) => Object.fromEntries([...writes].map(([column, value]) => [column.name, value]));

test.each<Flavour>(['3.7', '5.2', '8'])(
  'on %s, an e-mail is enough for a row that strict mode takes',
  async (flavour) => {
    const { db, host, catalog } = await hostPool({ flavour });
    const table = catalog.requireTable('t_user');
    const row = newUserDefaults(table, writesOf(catalog, { s_email: 'ana@example.com' }), randomBytes, nowMs);
    await inTransaction(db, (trx) => insertUsers(trx, table, [row]));
    expect(await host.user('ana@example.com')).toMatchObject({
      s_secret: 'ab'.repeat(20),
      s_password: NO_PASSWORD,
      s_name: '',
      dt_reg_date: '2024-06-01 12:00:00',
      b_enabled: 1,
      b_active: 0,
      i_items: 0,
    });
  },
);

test('what was sent stays, and columns with a default are not named', async () => {
  const { catalog } = await hostPool();
  const table = catalog.requireTable('t_user');
  const sent = {
    s_email: 'ana@example.com',
    s_password: 'hash',
    s_secret: 'listed',
    dt_reg_date: '2020-01-01 00:00:00',
  };
  const row = byName(newUserDefaults(table, writesOf(catalog, sent), randomBytes, nowMs));
  expect(row).toEqual({ ...sent, s_name: '', s_username: '' });
});

test('a password that was not sent is no hash of any kind', () => {
  expect(NO_PASSWORD).not.toMatch(/^\$|^[0-9a-f]{32,}$/i);
  expect(NO_PASSWORD.length).toBeLessThanOrEqual(60);
});

test('columns that a plugin added without default take a value of their type', async () => {
  const { db, host, look } = await hostPool();
  const types = [
    'tinyint(1)',
    'int unsigned',
    'bigint',
    'decimal(5,2)',
    'float',
    'double',
    'bit(1)',
    'bit(20)',
    'char(5)',
    'varchar(20)',
    'text',
    'mediumtext',
    "enum('it''s','b')",
    "set('a','b')",
    'json',
    'binary(4)',
    'varbinary(4)',
    'blob',
    'date',
    'datetime(3)',
    'timestamp',
    'time',
    'year',
  ];
  await host.write("SET SESSION sql_mode = '', explicit_defaults_for_timestamp = 1").catch(() => undefined);
  for (const [at, type] of types.entries()) await host.write(`ALTER TABLE {user} ADD COLUMN x${at} ${type} NOT NULL`);
  const catalog = await look();
  const table = catalog.requireTable('t_user');
  const row = newUserDefaults(table, writesOf(catalog, { s_email: 'ana@example.com' }), randomBytes, nowMs);
  await inTransaction(db, (trx) => insertUsers(trx, table, [row]));
  expect(await host.user('ana@example.com')).toMatchObject({ x0: 0, x1: 0, x9: '', x12: "it's", x18: '2024-06-01' });
});

test('a secret that the column cannot hold is cut to fit', async () => {
  const { host, look } = await hostPool();
  await host.write('ALTER TABLE {user} MODIFY s_secret varchar(8) NULL');
  const catalog = await look();
  const table = catalog.requireTable('t_user');
  expect(byName(newUserDefaults(table, new Map(), randomBytes, nowMs))['s_secret']).toBe('abababab');
});
