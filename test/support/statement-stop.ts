/** Stops a process at its n-th SQL statement, as a crash would: what it was doing is rolled back or was committed. */
import type { Connection } from 'mysql2/promise';

/** What is thrown where a test stops the work. */
class Stopped extends Error {}

/** A hook for `onStatement` that counts, and stops once where it is told to. */
export interface StatementStop {
  readonly onStatement: (statement: string) => Promise<void>;
  /** Statements since the last {@link StatementStop.arm}. */
  count(): number;
  /** From now on: after the n-th statement (from 1) the work fails; 0: never. */
  arm(after: number): void;
}

/**
 * @param how `throw`: the work is told of an error and rolls back; a connection: the server ends every other
 *   connection to its database, so the work cannot even roll back by itself
 */
export function makeStatementStop(
  how: 'throw' | { readonly killer: Connection; readonly spare: readonly number[] },
): StatementStop {
  let seen = 0;
  let at = 0;
  return {
    async onStatement() {
      seen += 1;
      if (seen !== at) return;
      if (how === 'throw') throw new Stopped(`stopped after statement ${at}`);
      await killOthers(how.killer, how.spare);
    },
    count: () => seen,
    arm(after) {
      seen = 0;
      at = after;
    },
  };
}

/** `KILL` for every connection to the same database but the killer's and those spared. */
async function killOthers(killer: Connection, spare: readonly number[]): Promise<void> {
  const [rows] = await killer.query(
    'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
  );
  for (const { id } of rows as { id: number | string }[]) {
    // One that has ended by itself meanwhile is just as good.
    if (!spare.includes(Number(id))) await killer.query('KILL ?', [Number(id)]).catch(() => undefined);
  }
}
