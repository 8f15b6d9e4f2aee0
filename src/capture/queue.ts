/** The queue of markers, looked at without locking anything (MYSQL.md S2). */
import { sql } from 'kysely';
import { id, type OwnTables } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';

/** `SELECT 1 FROM queue LIMIT 1`: all that an idle daemon asks. */
export async function isQueueEmpty(runner: Runner, own: OwnTables): Promise<boolean> {
  const { rows } = await sql`SELECT 1 FROM ${id(own.queue)} LIMIT 1`.execute(runner);
  return rows.length === 0;
}

/** How many markers wait, and the time of the oldest (UTC). `SELECT COUNT(*), MIN(marked_at) FROM queue` */
export async function queueDepth(runner: Runner, own: OwnTables): Promise<{ depth: number; oldest: string | null }> {
  const { rows } = await sql<{ depth: string; oldest: string | null }>`
    SELECT COUNT(*) AS depth, MIN(marked_at) AS oldest FROM ${id(own.queue)}`.execute(runner);
  return { depth: Number(rows[0]?.depth ?? 0), oldest: rows[0]?.oldest ?? null };
}
