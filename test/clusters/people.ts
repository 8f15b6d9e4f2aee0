/** People who use a site through one server: they edit, register and delete, one statement after the other. */
import { setTimeout as wait } from 'node:timers/promises';
import { createConnection, type Connection } from 'mysql2/promise';
import { eventually } from '../support/eventually.ts';
import { makeRandom } from '../support/osclass/random.ts';
import type { Ledger } from './ledger.ts';

/** A server that is away comes back before this. */
const PATIENCE_MS = 180_000;

/** Where they are, and what they touch. */
export interface PeopleOptions {
  /** Told apart by this. */
  readonly name: string;
  /** Asked at each connection: a proxy may lead elsewhere by then. */
  readonly url: () => string;
  readonly database: string;
  /** Whom they edit, by e-mail. */
  readonly emails: readonly string[];
  /** Begins what they write; up to four letters. */
  readonly mark: string;
  /** The one column of these users that only they edit. */
  readonly column: string;
  readonly ledger: Ledger;
  readonly seed: number;
  /** Nobody is deleted. */
  readonly stay?: boolean;
  readonly pauseMs?: number;
}

/** What they met. */
export interface Met {
  readonly statements: number;
  /** How often by error number; `lost`: the connection went in the middle. */
  readonly errors: Readonly<Record<string, number>>;
  readonly slowestMs: number;
}

/** People at work. */
export interface People {
  /** Waits until so many more statements have succeeded. */
  some(count: number): Promise<void>;
  leave(): Promise<Met>;
}

/** Lets them in. Where the server is away they come back until it is there. */
export function letIn(options: PeopleOptions): People {
  const { name, ledger, emails, column, pauseMs = 10 } = options;
  const random = makeRandom(`${options.seed} ${name}`);
  const errors: Record<string, number> = {};
  const registered: string[] = [];
  let [statements, tries, slowestMs] = [0, 0, 0];
  const over = new AbortController();
  let connection: Connection | undefined;

  const connect = async (): Promise<Connection> => {
    const fresh = await createConnection({ uri: options.url(), database: options.database, connectTimeout: 2_000 });
    fresh.on('error', () => undefined);
    await fresh.query("SET SESSION sql_mode = ''");
    return fresh;
  };
  /** True: stored; false: refused; undefined: who knows. */
  const write = async (statement: string, values: readonly string[]): Promise<boolean | undefined> => {
    const startedMs = performance.now();
    let sent = false;
    try {
      connection ??= await connect();
      sent = true;
      await connection.query(statement, [...values]);
      statements += 1;
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      return true;
    } catch (error) {
      const { errno = -1, fatal = false, code } = error as { errno?: number; fatal?: boolean; code?: string };
      const isLost = errno <= 0 || fatal || code === 'PROTOCOL_CONNECTION_LOST';
      const label = isLost ? 'lost' : String(errno);
      errors[label] = (errors[label] ?? 0) + 1;
      // A server that takes nothing now is no better for those who come back to it on the same connection.
      if (isLost || errno === 1047 || errno === 1290 || errno === 1836) {
        connection?.destroy();
        connection = undefined;
      }
      return sent && isLost ? undefined : false;
    }
  };
  const note = (email: string, stored: boolean | undefined, then: 'present' | 'absent'): void => {
    if (stored !== false) ledger.account(email, stored === true ? then : 'unknown');
  };
  const one = async (): Promise<void> => {
    tries += 1;
    const email = `${name.replaceAll(' ', '-')}-${tries}@example.com`;
    const oldest = registered[0];
    if (tries % 10 === 3) {
      const stored = await write(
        `INSERT INTO oc_t_user (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
         VALUES (NOW(), 'New', ?, LEFT(SHA2('x', 256), 40), ?, 1)`,
        [email.replaceAll(/\W/g, ''), email],
      );
      note(email, stored, 'present');
      if (stored === true) registered.push(email);
    } else if (tries % 20 === 15 && oldest !== undefined && options.stay !== true) {
      const stored = await write('DELETE FROM oc_t_user WHERE s_email = ?', [oldest]);
      note(oldest, stored, 'absent');
      if (stored !== false) registered.shift();
    } else {
      const whom = emails[random.int(emails.length)] ?? '';
      // Short enough for every column.
      const value = `${options.mark}${tries}`;
      const stored = await write(`UPDATE oc_t_user SET ${column} = ? WHERE s_email = ?`, [value, whom]);
      if (stored !== false) ledger.wrote(whom, column, value, stored === true);
    }
  };
  const running = (async () => {
    while (!over.signal.aborted) {
      await one();
      await wait(pauseMs);
    }
  })();
  return {
    async some(count) {
      const until = statements + count;
      const look = (): void => {
        if (statements < until) throw new Error(`${name}: ${until - statements} statements short`);
      };
      await eventually(look, { timeoutMs: PATIENCE_MS });
    },
    async leave() {
      over.abort();
      await running;
      connection?.destroy();
      return { statements, errors, slowestMs };
    },
  };
}
