/**
 * Fresh databases on the server that `npm test` provides. Each test file makes its own and drops it, so files can run
 * side by side.
 */

import { randomBytes } from 'node:crypto';
import { escapeId } from 'mysql2';
import { createConnection, type Connection, type ConnectionOptions } from 'mysql2/promise';

type Row = Record<string, unknown>;

/** One account that can log in: the server's root, or a limited one. */
interface Login {
  host: string;
  port: number;
  user: string;
  password: string;
}

/** A database of its own on the test server, with root's rights. */
export interface TestDatabase extends Login {
  name: string;
  /** `mysql://user:password@host:port/name` */
  url: string;
  serverKind: 'mariadb' | 'mysql';
  /** As the server says it: `10.11.19-MariaDB-…`, `9.7.4-2`. */
  version: string;
  /** Runs one statement on one connection that stays, so session variables stay too. Values as the server sent them. */
  query<R = Row>(sql: string, params?: unknown[]): Promise<R[]>;
  /** A further connection as root, for transactions and locks. The caller ends it; `drop` cuts it off otherwise. */
  connection(options?: ConnectionOptions): Promise<Connection>;
  /** Drops database and accounts. May be repeated. */
  drop(): Promise<void>;
}

/** An account that may do no more than it was granted. */
export interface TestAccount extends Login {
  name: string;
  url: string;
  /** A connection as this account. The caller ends it. */
  connection(options?: ConnectionOptions): Promise<Connection>;
}

/** What mysql2 needs so that no value is rounded, shifted or guessed at. */
const LOSSLESS: ConnectionOptions = {
  charset: 'utf8mb4',
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  jsonStrings: true,
  timezone: 'Z',
};

const ER_LOCK_WAIT_TIMEOUT = 1205;

/**
 * Makes an empty database with a name nobody else has. `charset` is its default character set, `utf8mb4` unless given
 * (old sites: `utf8mb3`, `latin1`), `server` the URL of another server than the one that all tests have. Throws when there is no server to make it on.
 */
export async function createDatabase({
  charset = 'utf8mb4',
  server,
}: { charset?: string; server?: string | undefined } = {}): Promise<TestDatabase> {
  const login = loginOf(server ?? process.env['TEST_DATABASE_URL']);
  const name = `test_${process.pid}_${randomBytes(5).toString('hex')}`;
  const root = await createConnection({ ...LOSSLESS, ...login });
  try {
    await root.query('CREATE DATABASE ?? CHARACTER SET ?', [name, charset]);
    await root.query('USE ??', [name]);
  } catch (error) {
    root.destroy();
    throw error;
  }
  const [about] = await rowsOf(root, 'SELECT VERSION() AS version', []);
  const version = String(about?.['version']);

  let dropped: Promise<void> | undefined;
  return {
    ...login,
    name,
    url: urlOf(login, name),
    serverKind: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version,
    async query<R = Row>(sql: string, params: unknown[] = []) {
      const [rows] = await root.query(sql, params);
      return (Array.isArray(rows) ? rows : []) as R[];
    },
    connection: async (options) => createConnection({ ...LOSSLESS, ...login, database: name, ...options }),
    drop: async () => (dropped ??= dropAll(root, name)),
  };
}

/**
 * Makes an account for `db` with these rights and no others; it goes away with the database. A grant is a list of
 * privileges, on the whole database (`'SELECT, INSERT'`), one table (`'UPDATE ON oc_t_user'`) or the whole server
 * (`'PROCESS ON *.*'`).
 */
export async function createAccount(db: TestDatabase, grants: string[]): Promise<TestAccount> {
  // Named after the database: that is how `drop` finds it.
  const user = `${db.name}_${randomBytes(3).toString('hex')}`;
  const login = { host: db.host, port: db.port, user, password: randomBytes(12).toString('hex') };
  await db.query(`CREATE USER ?@'%' IDENTIFIED BY ?`, [user, login.password]);
  for (const grant of grants) {
    const [privileges = '', target = '*'] = grant.split(/\s+ON\s+/i);
    await db.query(`GRANT ${privileges} ON ${grantTarget(db.name, target)} TO ?@'%'`, [user]);
  }
  return {
    ...login,
    name: db.name,
    url: urlOf(login, db.name),
    connection: async (options) => createConnection({ ...LOSSLESS, ...login, database: db.name, ...options }),
  };
}

function loginOf(text: string | undefined): Login {
  if (text === undefined || text === '') {
    throw new Error('TEST_DATABASE_URL is not set: run `npm test`, which finds a database server, or set it yourself.');
  }
  const url = new URL(text);
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

const urlOf = (login: Login, name: string): string =>
  `mysql://${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@${login.host}:${login.port}/${name}`;

const grantTarget = (name: string, target: string): string => {
  if (target === '*.*') return target;
  return `${escapeId(name)}.${target === '*' ? target : escapeId(target)}`;
};

/** Drops accounts and database, then closes the connection, also when the server has gone meanwhile. */
async function dropAll(root: Connection, name: string): Promise<void> {
  try {
    const accounts = await rowsOf(root, "SELECT User AS user FROM mysql.user WHERE User LIKE CONCAT(?, '\\_%')", [
      name,
    ]);
    for (const { user } of accounts) await root.query(`DROP USER ?@'%'`, [user]);
    await root.query('SET SESSION lock_wait_timeout = 2');
    try {
      await root.query('DROP DATABASE IF EXISTS ??', [name]);
    } catch (error) {
      if ((error as { errno?: number }).errno !== ER_LOCK_WAIT_TIMEOUT) throw error;
      await cutOffOthers(root, name);
      await root.query('DROP DATABASE IF EXISTS ??', [name]);
    }
  } finally {
    await root.end();
  }
}

/** Ends connections that a test left with a transaction open: they would hold up the drop for good. */
async function cutOffOthers(root: Connection, name: string): Promise<void> {
  const others = await rowsOf(
    root,
    'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()',
    [name],
  );
  for (const { id } of others) {
    // One that has ended by itself meanwhile is just as good.
    await root.query('KILL ?', [Number(id)]).catch(() => {});
  }
}

async function rowsOf(connection: Connection, sql: string, params: unknown[]): Promise<Row[]> {
  const [rows] = await connection.query(sql, params);
  return rows as Row[];
}
