/** A site in use: visitors that edit, view, register and delete, one statement after the other. Errors are counted. */
import type { Host } from '../support/osclass/host.ts';
import { makeRandom } from '../support/osclass/random.ts';

/** What visitors met. */
export interface Met {
  readonly statements: number;
  readonly errors: readonly string[];
  readonly slowestMs: number;
}

/** Visitors, until told to go. */
export interface Visitors {
  /** Resolves after that many more statements. */
  some(count: number): Promise<void>;
  leave(): Promise<Met>;
  /** What they met so far. */
  errors(): readonly string[];
  /** Lets them wait, as behind a page that says so, until `work` is over; then they use the tables with this prefix. */
  away(work: () => Promise<{ readonly prefix: string }>): Promise<void>;
}

/** Users 1 … `users` are edited in turn; of those that register every second is deleted again. */
export function letVisit(host: Host, users: number, seed: string): Visitors {
  const random = makeRandom(seed);
  const errors: string[] = [];
  let statements = 0;
  let slowestMs = 0;
  let newest = { id: 0, email: '' };
  const over = new AbortController();
  let gate: Promise<unknown> = Promise.resolve();
  let busy: Promise<unknown> = Promise.resolve();
  const one = async (): Promise<void> => {
    const at = statements + errors.length;
    const id = 1 + random.int(users);
    switch (at % 5) {
      case 0:
        return void (await host.write('UPDATE {user} SET s_website = ? WHERE pk_i_id = ?', [`https://x/${at}`, id]));
      case 1:
        return void (await host.write('UPDATE {user} SET dt_access_date = NOW() WHERE pk_i_id = ?', [id]));
      case 2: {
        const email = `new${at}@example.com`;
        const user = await host.write(
          `INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
           VALUES (NOW(), ?, ?, LEFT(SHA2('x', 256), 40), ?, 1)`,
          [`New ${at}`, `new${seed}${at}`.replaceAll(/\W/g, ''), email],
        );
        newest = { id: user.id, email };
        return;
      }
      case 3:
        return void (await host.write('UPDATE {user_description} SET s_info = ? WHERE fk_i_user_id = ?', [
          `T ${at}`,
          id,
        ]));
      default:
        // As Osclass does, by id; the address tells whether the id is still that account's.
        if (at % 2 === 0) {
          await host.write('DELETE FROM {user} WHERE pk_i_id = ? AND s_email = ?', [newest.id, newest.email]);
        } else await host.write('UPDATE {user} SET s_zip = ? WHERE pk_i_id = ?', [`${at}`, newest.id]);
    }
  };
  const running = (async () => {
    while (!over.signal.aborted) {
      await gate;
      const started = performance.now();
      try {
        busy = one();
        await busy;
        statements += 1;
      } catch (error) {
        errors.push(error instanceof Error ? error.message : String(error));
      }
      slowestMs = Math.max(slowestMs, performance.now() - started);
      await new Promise((resolve) => {
        setTimeout(resolve, 15);
      });
    }
  })();
  let left: Promise<Met> | undefined;
  const leave = async (): Promise<Met> => {
    over.abort();
    await running;
    await host.close();
    return { statements, errors, slowestMs };
  };
  return {
    async some(count) {
      const until = statements + errors.length + count;
      while (statements + errors.length < until) {
        await new Promise((resolve) => {
          setTimeout(resolve, 10);
        });
      }
    },
    leave: () => (left ??= leave()),
    errors: () => errors,
    async away(work) {
      const back = Promise.withResolvers<undefined>();
      gate = back.promise;
      try {
        await busy.catch(() => undefined);
        host.site.prefix = (await work()).prefix;
      } finally {
        back.resolve(undefined);
      }
    },
  };
}
