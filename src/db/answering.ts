/** Whether the database is there, asked when a connection was lost. */
import { sql, type Kysely } from 'kysely';
import { SyncError } from '../model/errors.ts';

/** True if the database answers on a connection that works; false if it is away. Throws what else the driver throws. */
export async function isAnswering(db: Kysely<unknown>): Promise<boolean> {
  // One that waits in the pool may have been lost with the other.
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      await sql`SELECT 1`.execute(db);
      return true;
    } catch (error) {
      if (!(error instanceof SyncError) || error.code !== 'DB_UNAVAILABLE') throw error;
    }
  }
  return false;
}

const TRIES = 2;
