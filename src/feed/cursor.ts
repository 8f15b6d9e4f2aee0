/** How far the feed from each peer has come: table `peer`. */
import { sql } from 'kysely';
import { id, type OwnTables } from '../db/catalog.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';

/** The highest user id taken from the peer; 0 at first. `SELECT last_user_id FROM peer WHERE name = ?` */
export async function readCursor(runner: Runner, own: OwnTables, peer: string): Promise<number> {
  const { rows } = await sql<{ last_user_id: string }>`
    SELECT last_user_id FROM ${id(own.peer)} WHERE name = ${peer}`.execute(runner);
  return Number(rows[0]?.last_user_id ?? 0);
}

/** Moves the cursor, keeps the progress message, and counts the records that came with the page. */
export async function moveCursor(
  runner: Runner,
  own: OwnTables,
  peer: string,
  cursor: number,
  { progress, records }: { readonly progress: string | null; readonly records: number },
  nowMs: number,
): Promise<void> {
  await sql`
    INSERT INTO ${id(own.peer)} (name, last_user_id, feed_message, synced_from, received_total)
    VALUES (${peer}, ${cursor}, ${progress}, ${toSqlTime(nowMs)}, ${records})
    ON DUPLICATE KEY UPDATE last_user_id = VALUES(last_user_id),
      feed_message = COALESCE(VALUES(feed_message), feed_message), synced_from = VALUES(synced_from),
      received_total = received_total + VALUES(received_total)`.execute(runner);
}

/** Feeds from all peers begin anew. */
export async function resetCursors(runner: Runner, own: OwnTables): Promise<void> {
  await sql`UPDATE ${id(own.peer)} SET last_user_id = 0`.execute(runner);
}
