/**
 * A queue that is gone: dropped or renamed. It is made again, and all users are compared, for changes went unmarked. One
 * that is broken is left to a person, who may be able to repair it: there may be deletions in it that nothing else tells.
 * Until then the triggers go, for MySQL opens the queue before a trigger runs, and would refuse the site's own statements.
 */
import { sql, type Kysely } from 'kysely';
import type { Catalog, OwnTables } from '../db/catalog.ts';
import { errnoOf } from '../db/failures.ts';
import { migrationStatements } from '../db/migrate.ts';
import { SyncError } from '../model/errors.ts';
import { alone } from './alone.ts';
import { requestRescan } from './baseline.ts';
import { dropTriggers } from './triggers.ts';

const NO_SUCH_TABLE = 1146;
/** Its file is damaged, marked as crashed, or not there: 126 – 145 of the storage engine, told as 1030, 1034, 1035, … */
const BROKEN = new Set([1016, 1017, 1030, 1034, 1035, 1194, 1195, 1459, 1707, 1712, 1812, 1813, 1814, 1877, 1932]);

/** Makes the queue again if it is not there, and asks for a re-scan. True if it did. */
export async function restoreQueue(
  db: Kysely<unknown>,
  catalog: Pick<Catalog, 'prefix'>,
  own: OwnTables,
): Promise<boolean> {
  const { rows } = await sql`SHOW TABLES LIKE ${own.queue.replace(/[\\_%]/g, String.raw`\$&`)}`.execute(db);
  if (rows.length > 0) return false;
  const start = `CREATE TABLE IF NOT EXISTS \`${own.queue}\` `;
  const statement = migrationStatements(catalog.prefix).find((one) => one.startsWith(start));
  if (statement === undefined) throw new SyncError('INTERNAL', `No statement makes ${own.queue}.`);
  await sql.raw(statement).execute(db);
  await requestRescan(db, own);
  return true;
}

/**
 * Runs what reads the queue. Where it is missing, it is made again and `HOST_CHANGED` is thrown, which says so; where it is
 * broken, `DB_ERROR` says what to do.
 */
export async function withQueue<T>(
  db: Kysely<unknown>,
  catalog: Catalog,
  own: OwnTables,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (BROKEN.has(errnoOf(error) ?? 0)) {
      await alone(db, own, () => dropTriggers(db, catalog, { patience: { tries: 2, pauseMs: 500 } }));
      const advice = `The table ${own.queue} is broken (${errnoOf(error)}). Repair it, or drop it: then it is made again, and all users are compared.`;
      throw new SyncError('DB_ERROR', advice, { cause: error });
    }
    if (errnoOf(error) !== NO_SUCH_TABLE || !(await restoreQueue(db, catalog, own))) throw error;
    const what = `The table ${own.queue} was missing; it was made again, and all users are compared.`;
    throw new SyncError('HOST_CHANGED', what, { cause: error });
  }
}
