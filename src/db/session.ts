/** What every connection is told before its first use. */
import type { PoolConnection } from 'mysql2';
import { SyncError } from '../model/errors.ts';

/** `lock_wait_timeout` is about table definitions: an ALTER of the host must not find us waiting in line. */
const sessionSql = (silenceS: number): string => `SET
  SESSION sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  SESSION time_zone = '+00:00',
  SESSION innodb_lock_wait_timeout = 2,
  SESSION lock_wait_timeout = 1,
  SESSION wait_timeout = ${silenceS},
  SESSION net_write_timeout = ${silenceS},
  SESSION autocommit = 1`;

/**
 * What only some servers have, and what it is set to. MariaDB turns a list of 1,000 ids into a join, which may scan and lock
 * a whole table; it is told not to.
 */
const WHERE_KNOWN: ReadonlyMap<string, string> = new Map([
  ['in_predicate_conversion_threshold', 'SET SESSION in_predicate_conversion_threshold = 0'],
  ['wsrep_on', 'SET SESSION wsrep_sync_wait = 1'],
]);

/**
 * Prepares a connection, which the server ends when it says nothing for `silenceS` seconds. On a Galera cluster reads wait for
 * what the other nodes have committed: behind a proxy each of our connections may lead to another node, and an entry of the
 * outbox read on one must not go with a row read on another that does not have the change yet. `SET SESSION
 * wsrep_sync_wait = 1` costs a read about 0.1 ms there. Throws `DB_BACKSLASH_ESCAPES`, and what the driver throws.
 */
export async function startSession(connection: PoolConnection, silenceS: number): Promise<void> {
  await ask(connection, 'SET NAMES utf8mb4');
  await ask(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await ask(connection, sessionSql(silenceS));
  const names = [...WHERE_KNOWN.keys()].map((name) => `'${name}'`).join(', ');
  const known = await ask(connection, `SHOW VARIABLES WHERE Variable_name IN (${names})`);
  for (const { Variable_name: name, Value: value } of known as { Variable_name: string; Value: string }[]) {
    if (value !== 'OFF') await ask(connection, WHERE_KNOWN.get(name.toLowerCase()) ?? 'DO 0');
  }
  // Values are escaped on the client: under NO_BACKSLASH_ESCAPES a value could end its own quotes.
  const rows = await ask(connection, 'SELECT @@SESSION.sql_mode AS sql_mode');
  if (/NO_BACKSLASH_ESCAPES/i.test(JSON.stringify(rows))) throw new SyncError('DB_BACKSLASH_ESCAPES');
}

function ask(connection: PoolConnection, statement: string): Promise<unknown> {
  return promised((done) => connection.query({ sql: statement, timeout: 10_000 }, done));
}

/** A promise of what the driver tells a callback. */
export function promised<T>(act: (done: (error: Error | null, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    act((error, result) => (error ? reject(error) : resolve(result)));
  });
}
