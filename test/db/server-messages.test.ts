/** What an operator gets to read when the database does not do what the daemon asks: the cause by name, and what to do. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { explainError } from '../../src/cli/failure.ts';
import { readCatalog } from '../../src/db/catalog.ts';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { openPool } from '../../src/db/pool.ts';
import { isConflict } from '../../src/db/failures.ts';
import type { Runner } from '../../src/db/transaction.ts';
import { findPrefixes } from '../../src/osclass/survey.ts';
import { createAccount, createDatabase, type TestAccount, type TestDatabase } from '../support/database.ts';
import { databaseConfig, poolOn } from '../support/pool.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(async () => database.drop());

const one = async (db: Runner): Promise<void> => void (await sql`SELECT 1`.execute(db));

/** What a command would print that connects so and does this. */
async function said(
  login: Pick<DatabaseConfig, 'user' | 'password'>,
  changes: Partial<DatabaseConfig> = {},
  act: (db: Runner) => Promise<void> = one,
): Promise<string> {
  const pool = openPool(databaseConfig(database, { ...login, ...changes }), { connectionLimit: 2 });
  try {
    await act(pool.db);
    return 'nothing is wrong';
  } catch (error) {
    return explainError(error, false).text;
  } finally {
    await pool.close();
  }
}

const accountWith = async (change: string): Promise<TestAccount> => {
  const account = await createAccount(database, ['SELECT, INSERT, CREATE, TRIGGER']);
  if (change !== '') await database.query(`ALTER USER '${account.user}'@'%' ${change}`);
  return account;
};

describe('where the server does not let the daemon in, the message says why and what to do', () => {
  it.each([
    [
      'a limit of queries',
      'WITH MAX_QUERIES_PER_HOUR 1',
      /exceeded the '?max_\w+'? resource[^]*MAX_QUERIES_PER_HOUR 0/,
    ],
    ['a limit of connections per hour', 'WITH MAX_CONNECTIONS_PER_HOUR 1', /'max_connections_per_hour'[^]*PER_HOUR 0/],
    ['an account that is locked', 'ACCOUNT LOCK', /locked[^]*ACCOUNT UNLOCK/],
    ['a password that has expired', 'PASSWORD EXPIRE', /DB_ACCESS_DENIED[^]*expired: ALTER USER/],
    ['an account that has to use TLS', 'REQUIRE SSL', /Access denied for user '[^…']+'@[^]*TLS \(`database\.ssl`\)/],
  ])('%s', async (_what, change, expected) => {
    const account = await accountWith(change);
    const twice = async (db: Runner): Promise<void> => {
      const nap = (): Promise<unknown> => sql`SELECT SLEEP(0.2)`.execute(db);
      await Promise.all([nap(), nap()]);
    };
    // Whoever reloads the rights of this server, as other tests do, sets the counters of an hour back.
    let text = '';
    for (let tries = 0; tries < 10 && !expected.test(text); tries++) text = await said(account, {}, twice);
    expect(text).toMatch(expected);
  });

  it('a password that is wrong', async () => {
    const account = await accountWith('');
    expect(await said({ ...account, password: 'wrong' })).toMatch(/Access denied for user [^]*`database\.password`/);
  });

  it('a database that is not there, or not for this account', async () => {
    const { user, password } = database;
    expect(await said({ user, password }, { name: 'no_such_database' })).toMatch(
      /Unknown database 'no_such_database'[^]*Check `database\.name`/,
    );
    const account = await accountWith('');
    expect(await said(account, { name: 'mysql' })).toMatch(/to database 'mysql'[^]*check `database\.name`[^]*GRANT/);
  });

  it('encryption that the server does not have, or whose certificate nobody vouches for', async () => {
    const { user, password } = database;
    expect(await said({ user, password }, { ssl: true })).toMatch(
      /secure connection[^]*take `database\.ssl` out|certificate[^]*`database\.ssl\.ca_file`/,
    );
  });

  it('a login that no client without further files knows', async ({ skip }) => {
    if (database.serverKind === 'mysql') skip('the server of the tests has no auth_socket');
    const account = await createAccount(database, ['SELECT']);
    await database.query(`ALTER USER '${account.user}'@'%' IDENTIFIED VIA unix_socket`);
    expect(await said(account)).toMatch(/unix_socket[^]*IDENTIFIED BY/);
  });

  it.each([
    ['no server there', async () => ({ port: await freePort() }), /ECONNREFUSED[^]*In a container 127\.0\.0\.1/],
    ['no such socket', async () => ({ socketPath: '/tmp/no-such.sock' }), /ENOENT[^]*`database\.socket_path`/],
    ['no such host', async () => ({ host: 'database.invalid' }), /database\.invalid[^]*Check `database\.host`/],
  ])('%s', async (_what, changes, expected) => {
    expect(await said(database, await changes())).toMatch(expected);
  });
});

describe('where the server refuses a statement, the message says why and what to do', () => {
  it('a trigger whose account is gone', async () => {
    const account = await accountWith('');
    const maker = await account.connection();
    await database.query('CREATE TABLE host (n INT)');
    const trusts = async (): Promise<boolean> => {
      const [row] = await database.query<{ t: number }>('SELECT @@GLOBAL.log_bin_trust_function_creators AS t');
      return Number(row?.t) === 1;
    };
    expect(database.serverKind === 'mariadb' || (await trusts())).toBe(true);
    await maker.query('CREATE TRIGGER theirs AFTER INSERT ON host FOR EACH ROW SET @x = 1');
    await maker.end();
    await database.query(`DROP USER '${account.user}'@'%'`);
    const insert = async (db: Runner): Promise<void> => void (await sql`INSERT INTO host VALUES (1)`.execute(db));
    expect(await said(database, {}, insert)).toMatch(
      new RegExp(`'${account.user}'@'%'[^]*does not exist[^]*account-sync install`),
    );
  });

  it('a table that is full', async () => {
    const fill = async (db: Runner): Promise<void> => {
      await sql`SET @@SESSION.max_heap_table_size = 16384`.execute(db);
      await sql`CREATE TABLE tight (t CHAR(250)) ENGINE = MEMORY`.execute(db);
      for (let n = 0; n < 10; n += 1) {
        await sql`INSERT INTO tight SELECT REPEAT('x', 250) FROM information_schema.COLUMNS LIMIT 50`.execute(db);
      }
    };
    const alone = (db: Runner): Promise<void> => fill(db);
    const pool = openPool(databaseConfig(database), { connectionLimit: 1 });
    const text = await alone(pool.db).then(
      () => 'nothing is wrong',
      (error: unknown) => explainError(error, false).text,
    );
    await pool.close();
    expect(text).toMatch(/table 'tight' is full[^]*make room/);
  });

  it('a statement that takes longer than the server allows', async () => {
    const slow =
      database.serverKind === 'mariadb'
        ? sql`SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(5)`
        : sql`SELECT /*+ MAX_EXECUTION_TIME(20) */ COUNT(*) FROM information_schema.COLUMNS a, information_schema.COLUMNS b
            WHERE a.COLUMN_NAME LIKE CONCAT('%', b.COLUMN_NAME, '%')`;
    const text = await said(database, {}, async (db) => void (await slow.execute(db)));
    expect(text).toMatch(/interrupted[^]*max_statement_time[^]*max_execution_time/);
  });

  it('a view that names what is gone', async () => {
    await database.query('CREATE TABLE below (n INT)');
    await database.query('CREATE VIEW broken AS SELECT n FROM below');
    await database.query('DROP TABLE below');
    const read = async (db: Runner): Promise<void> => void (await sql`SELECT * FROM broken`.execute(db));
    expect(await said(database, {}, read)).toMatch(/View '\w+\.broken' references[^]*repair or drop it/);
  });

  it('a table whose definition changed in the middle is tried again', async () => {
    await database.query('CREATE TABLE moving (n INT) ENGINE = InnoDB');
    const pool = poolOn(database);
    try {
      await sql`SELECT 1`.execute(pool.db);
      const failure = await pool.db.connection().execute(async (db) => {
        await sql`SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ`.execute(db);
        await sql`START TRANSACTION WITH CONSISTENT SNAPSHOT`.execute(db);
        await database.query('ALTER TABLE moving ADD m INT NOT NULL DEFAULT 1 FIRST, ALGORITHM = COPY');
        const error: unknown = await sql`SELECT * FROM moving`.execute(db).catch((reason: unknown) => reason);
        await sql`ROLLBACK`.execute(db);
        return error;
      });
      expect(String(failure)).toMatch(/definition has changed/);
      expect(isConflict(failure)).toBe(true);
    } finally {
      await pool.close();
    }
  });
});

describe('a table of users that is a view', () => {
  it('is called that, and neither the prefix nor a prefix that would lead to it is blamed', async () => {
    await database.query('CREATE TABLE real_t_user (pk_i_id INT UNSIGNED PRIMARY KEY)');
    await database.query('CREATE VIEW oc_t_user AS SELECT * FROM real_t_user');
    const text = await said(database, {}, async (db) => {
      (await readCatalog(db, database.name, 'oc_')).requireTable('t_user');
    });
    expect(text).toMatch(
      /^HOST_TABLE_MISSING: oc_t_user in the database \w+ is no table but a view[^]*→ Let `database\.name`/,
    );
    const pool = poolOn(database);
    try {
      expect(await findPrefixes(pool.db, database.name)).toEqual(['real_']);
    } finally {
      await pool.close();
    }
  });
});
