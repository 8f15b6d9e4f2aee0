/** Global values of a server that would change, refuse or end what our statements do: our sessions have their own. */
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { decisionOn, SESSION_SETTINGS } from '../../src/db/session-variables.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { openPool } from '../../src/db/pool.ts';
import { createAccount, createDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startOwnServer, type OwnServer } from '../support/own-server.ts';
import { databaseConfig } from '../support/pool.ts';
import { makeWorld } from '../support/world.ts';

let server: OwnServer | undefined;
beforeAll(async () => {
  server = await startOwnServer();
  if (server !== undefined) vi.stubEnv('TEST_DATABASE_URL', server.url);
}, 180_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
});
beforeEach(({ skip }) => {
  if (server === undefined) skip('needs a server of its own');
});

/** What somebody may have set for the sake of other programs. */
const HOSTILE: Readonly<Record<string, string>> = {
  autocommit: '0',
  completion_type: "'RELEASE'",
  div_precision_increment: '0',
  foreign_key_checks: '0',
  group_concat_max_len: '4',
  max_join_size: '1',
  max_sort_length: '64',
  sql_auto_is_null: '1',
  sql_big_selects: '0',
  sql_safe_updates: '1',
  sql_select_limit: '1',
  unique_checks: '0',
  transaction_read_only: '1',
  tx_read_only: '1',
  time_zone: "'-11:00'",
  wait_timeout: '5',
  max_execution_time: '1',
  range_optimizer_max_mem_size: '1',
  alter_algorithm: "'INSTANT'",
  check_constraint_checks: '0',
  idle_transaction_timeout: '1',
  idle_write_transaction_timeout: '1',
  idle_readonly_transaction_timeout: '1',
  max_statement_time: '0.02',
  in_predicate_conversion_threshold: '2',
  sql_if_exists: '1',
  default_regex_flags: "'EXTENDED'",
  system_versioning_asof: "'2001-01-01 00:00:00'",
};

/** Sets all of them that the server knows; says how many. They are taken back when the test is over. */
async function beHostile(): Promise<number> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  let count = 0;
  for (const [name, value] of Object.entries(HOSTILE)) {
    const [row] = await database.query<{ Value: string }>(`SHOW GLOBAL VARIABLES LIKE '${name}'`);
    if (row === undefined) continue;
    await database.query(`SET GLOBAL ${name} = ${value}`);
    count += 1;
    onTestFinished(async () => {
      const before = /^(?:\d+(?:\.\d+)?|DEFAULT)$/.test(row.Value) ? row.Value : `'${row.Value}'`;
      await database.query(`SET GLOBAL ${name} = ${before}`);
    });
  }
  return count;
}

it('every session variable of the server is decided on', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const rows = await database.query<{ Variable_name: string }>('SHOW SESSION VARIABLES');
  const open: string[] = [];
  for (const { Variable_name: name } of rows) {
    const isOfSession = await database.query(`SELECT @@SESSION.${name}`).then(
      () => true,
      () => false,
    );
    if (isOfSession && decisionOn(name) === undefined) open.push(name);
  }
  expect(open).toEqual([]);
});

it('a session of an account without privileges has our values, whatever the global ones are', async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const account = await createAccount(database, [RIGHTS.join(', ')]);
  expect(await beHostile()).toBeGreaterThan(14);
  const pool = openPool(databaseConfig(account));
  onTestFinished(() => pool.close());
  const { rows } = await sql<{ Variable_name: string; Value: string }>`SHOW SESSION VARIABLES`.execute(pool.db);
  const seen = new Map(rows.map((row) => [row.Variable_name, row.Value]));
  const plain = (value = ''): string =>
    value.replaceAll("'", '').replace(/^ON$/, '1').replace(/^OFF$/, '0').replace(/\.0+$/, '');
  const known = [...SESSION_SETTINGS].filter(([name]) => seen.has(name));
  for (const [name, value] of known) expect([name, plain(seen.get(name))]).toEqual([name, plain(value)]);
  for (const name of ['tx_read_only', 'transaction_read_only']) expect(seen.get(name) ?? 'OFF').toBe('OFF');
});

it('sites on such a server are fed, and changes travel', { timeout: 120_000 }, async () => {
  const world = await makeWorld(['cars', 'homes'], { idle: true });
  onTestFinished(() => world.close());
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  await cars.host.seed.users({ seed: 3, count: 12, firstId: 1, allActive: true });
  await beHostile();
  await cars.start();
  await homes.start();
  expect((await homes.admin('POST', '/v1/peers/cars/feed', {})).status).toBeLessThan(300);
  const equal = (): Promise<void> =>
    eventually(async () => expect(await world.differences()).toEqual([]), { timeoutMs: 60_000 });
  await equal();
  await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Changed']);
  await cars.host.person.deleteAccount(4);
  await equal();
});
