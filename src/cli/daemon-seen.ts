/** Whether a daemon of this site is at work. */
import { sql } from 'kysely';
import { id } from '../db/catalog.ts';
import type { Site } from '../site.ts';

/**
 * True while any lease is held: a running daemon always holds one, and another command that works holds one too. One
 * that was killed is still seen for up to 30 s. `SELECT 1 FROM lease WHERE expires_at > UTC_TIMESTAMP(3) LIMIT 1`
 */
export async function isWorkerSeen({ db, own }: Site): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM ${id(own.lease)} WHERE expires_at > UTC_TIMESTAMP(3) LIMIT 1`.execute(db);
  return rows.length > 0;
}
