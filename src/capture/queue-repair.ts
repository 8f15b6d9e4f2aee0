/**
 * A queue that is gone: dropped, renamed, or restored from a backup of an older version. It is made again, and all users are compared, for changes went unmarked. One
 * that is broken is left to a person, who may be able to repair it: there may be deletions in it that nothing else tells.
 * Until then the triggers go, for MySQL opens the queue before a trigger runs, and would refuse the site's own statements.
 */
import type { Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { errnoOf, isMissingColumn, isMissingTable, isTableBroken } from '../db/failures.ts';
import { remakeTable } from '../db/migrate.ts';
import { SyncError } from '../model/errors.ts';
import { hasUsers } from '../osclass/missing-host.ts';
import { withTriggerLease } from './with-trigger-lease.ts';
import { requestRescan } from './baseline.ts';
import { dropTriggers } from './triggers.ts';
import { own, ownName } from '../db/own-tables.ts';
import { requireQueue } from '../store/queue.ts';

/** Makes the queue again if it is not there, or as an older version had it, and asks for a re-scan. True if it did; nothing is
 * done where the tables of the site are gone as well. */
export async function restoreQueue(db: Kysely<unknown>, catalog: Pick<Catalog, 'prefix' | 'schema'>): Promise<boolean> {
  if (await isQueueWhole(db)) return false;
  // All tables were renamed: none of ours is to be made beside them.
  if (!(await hasUsers(db, { name: catalog.schema, tablePrefix: catalog.prefix }))) return false;
  await remakeTable(db, catalog.prefix, own.queue);
  await requestRescan(db);
  return true;
}

async function isQueueWhole(db: Kysely<unknown>): Promise<boolean> {
  try {
    await requireQueue(db);
    return true;
  } catch (error) {
    if (isGoneOrOld(error)) return false;
    throw error;
  }
}

/** The table is not there, or as an older version had it. */
function isGoneOrOld(error: unknown): boolean {
  return isMissingTable(error) || isMissingColumn(error);
}

/**
 * Runs what reads the queue. Where it is missing, it is made again and `HOST_CHANGED` is thrown, which says so; where it is
 * broken, `DB_ERROR` says what to do.
 */
export async function withQueue<T>(db: Kysely<unknown>, catalog: Catalog, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isTableBroken(error)) {
      await withTriggerLease(db, () => dropTriggers(db, catalog, { patience: { tries: 2, pauseMs: 500 } }));
      const advice = `The table ${ownName(catalog.prefix, 'queue')} is broken (${errnoOf(error)}). Repair it, or drop it: then it is made again, and all users are compared.`;
      throw new SyncError('DB_ERROR', advice, { cause: error });
    }
    if (!isGoneOrOld(error) || !(await restoreQueue(db, catalog))) throw error;
    const what = `The table ${ownName(catalog.prefix, 'queue')} was missing, or of an older version; it was made again, and all users are compared.`;
    throw new SyncError('HOST_CHANGED', what, { cause: error });
  }
}
