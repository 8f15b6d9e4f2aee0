/** What every connection is told before its first use. */
import type { PoolConnection } from 'mysql2';
import { SyncError } from '../model/errors.ts';
import { isVariableNotOurs } from './failures.ts';
import { SESSION_SETTINGS } from './session-variables.ts';

/** `lock_wait_timeout` is about table definitions: an ALTER of the host must not find us waiting in line. */
const sessionSql = (
  silenceS: number,
): string => `SET /*M! SESSION max_session_mem_used = 9223372036854775807, SESSION max_statement_time = 0, */
  SESSION sql_select_limit = 18446744073709551615,
  SESSION max_join_size = 18446744073709551615,
  SESSION sql_big_selects = 1,
  SESSION sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  SESSION time_zone = '+00:00',
  SESSION innodb_lock_wait_timeout = 2,
  SESSION lock_wait_timeout = 1,
  SESSION wait_timeout = ${silenceS},
  SESSION net_write_timeout = ${silenceS},
  SESSION autocommit = 1`;

/** What is to be known of a connection. */
export interface Session {
  /** `max_allowed_packet`, which stays what it was when the connection was made: a longer statement ends the connection. */
  readonly maxPacketBytes: number;
}

/**
 * Prepares a connection, whatever the server's global values are (session-variables.ts). The server ends it when it says
 * nothing for `silenceS` seconds. On a Galera cluster reads wait for what the other nodes have committed: behind a proxy each of our connections may lead to another node, and an entry of the
 * outbox read on one must not go with a row read on another that does not have the change yet. `SET SESSION
 * wsrep_sync_wait = 1` costs a read about 0.1 ms there. Throws `DB_BACKSLASH_ESCAPES`, and what the driver throws.
 */
export async function startSession(connection: PoolConnection, silenceS: number): Promise<Session> {
  await ask(connection, 'SET NAMES utf8mb4');
  await ask(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE');
  await ask(connection, sessionSql(silenceS));
  const names = [...SESSION_SETTINGS.keys(), 'wsrep_on'].map((name) => `'${name}'`).join(', ');
  const rows = await ask(connection, `SHOW VARIABLES WHERE Variable_name IN (${names})`);
  const known = new Map(
    (rows as { Variable_name: string; Value: string }[]).map(({ Variable_name: name, Value: value }) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const wrong = [...SESSION_SETTINGS].filter(([name, value]) => known.has(name) && !isSame(known.get(name), value));
  const settings = wrong.map(([name, value]) => `SESSION ${name} = ${value}`);
  if (settings.length > 0) await setAll(connection, settings);
  const isNode = known.has('wsrep_on') && known.get('wsrep_on') !== 'OFF';
  if (isNode) await ask(connection, 'SET SESSION wsrep_sync_wait = 1');
  // Values are escaped on the client: under NO_BACKSLASH_ESCAPES a value could end its own quotes.
  const found = await ask(connection, 'SELECT @@SESSION.sql_mode AS mode, @@SESSION.max_allowed_packet AS packet');
  const [{ mode, packet }] = found as [{ mode: string; packet: number | string }];
  if (/NO_BACKSLASH_ESCAPES/i.test(mode)) throw new SyncError('DB_BACKSLASH_ESCAPES');
  return { maxPacketBytes: Number(packet) };
}

/** An older server may keep one of them to its administrators: then the others are set all the same. */
async function setAll(connection: PoolConnection, settings: readonly string[]): Promise<void> {
  try {
    await ask(connection, `SET ${settings.join(', ')}`);
  } catch (error) {
    if (!isVariableNotOurs(error)) throw error;
    const [first, ...others] = settings;
    if (others.length === 0) return;
    await setAll(connection, [first ?? '']);
    await setAll(connection, others);
  }
}

/** `ON` and `1` are the same, and so is text with and without quotes. */
function isSame(value: string | undefined, wanted: string): boolean {
  const plain = wanted.replaceAll("'", '').toUpperCase();
  const shown = (value ?? '').toUpperCase();
  if (plain !== '' && Number(shown) === Number(plain)) return true;
  return shown === plain || (shown === 'ON' && plain === '1') || (shown === 'OFF' && plain === '0');
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
