/** The queue of markers, looked at without locking anything. */
import { sql } from 'kysely';
import { bindRows } from '../db/lists.ts';
import type { Marker } from './markers.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/**
 * `SELECT old_user_id FROM queue LIMIT 1`: all that an idle daemon asks. A queue that lacks the column, out of an older backup,
 * takes no markers of updates, and is noticed by that.
 */
export async function isQueueEmpty(runner: Runner): Promise<boolean> {
  const { rows } = await sql`SELECT old_user_id FROM ${own.queue} LIMIT 1`.execute(runner);
  return rows.length === 0;
}

/** How many markers wait, and the time of the oldest (UTC). `SELECT COUNT(*), MIN(marked_at) FROM queue` */
export async function queueDepth(runner: Runner): Promise<{ depth: number; oldest: string | null }> {
  const { rows } = await sql<{ depth: string; oldest: string | null }>`
    SELECT COUNT(*) AS depth, MIN(marked_at) AS oldest FROM ${own.queue}`.execute(runner);
  return { depth: Number(rows[0]?.depth ?? 0), oldest: rows[0]?.oldest ?? null };
}

/** The last of the markers that are there; null if there are none. `SELECT MAX(seq) FROM queue` */
export async function lastMarker(runner: Runner): Promise<string | null> {
  const { rows } = await sql<{ seq: string | null }>`SELECT MAX(seq) AS seq FROM ${own.queue}`.execute(runner);
  return rows[0]?.seq ?? null;
}

/** True if all markers up to this one were worked off: `SELECT seq FROM queue WHERE seq <= ? LIMIT 1` finds none. */
export async function isDrainedTo(runner: Runner, last: string | null): Promise<boolean> {
  if (last === null) return true;
  const { rows } = await sql`SELECT seq FROM ${own.queue} WHERE seq <= ${last} LIMIT 1`.execute(runner);
  return rows.length === 0;
}

/** A marker that no trigger made. */
export type NewMarker = Pick<Marker, 'userId' | 'op' | 'oldEmail'>;

/** `INSERT INTO queue (user_id, op, old_email) VALUES …`, dated by the database as those of the triggers are. */
export async function addMarkers(runner: Runner, markers: readonly NewMarker[]): Promise<void> {
  if (markers.length === 0) return;
  await sql`INSERT INTO ${own.queue} (user_id, op, old_email)
    VALUES ${bindRows(markers.map(({ userId, op, oldEmail }) => [userId, op, oldEmail]))}`.execute(runner);
}
