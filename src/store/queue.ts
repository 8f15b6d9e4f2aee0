/** The queue of markers, looked at without locking anything. */
import { sql, type Kysely } from 'kysely';
import { bindRows } from '../db/bind.ts';
import { inTransaction, type Runner, type TransactionOptions } from '../db/transaction.ts';
import type { Marker } from './markers.ts';
import { nameOf, own } from '../db/own-tables.ts';

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

/** True if all markers up to this one were processed: `SELECT seq FROM queue WHERE seq <= ? LIMIT 1` finds none. */
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

/** `SELECT old_user_id FROM queue LIMIT 0`: passes if the table is there, with the newest of its columns. */
export async function requireQueue(runner: Runner): Promise<void> {
  await sql`SELECT old_user_id FROM ${own.queue} LIMIT 0`.execute(runner);
}

/** Passes if we may add markers. Servers ask for rights before they look for rows, so this writes nothing. */
export async function requireRightToMark(runner: Runner): Promise<void> {
  await sql`
    INSERT INTO ${own.queue} (user_id, op, old_user_id) SELECT 0, 'R', 0 FROM DUAL WHERE 1 = 0`.execute(runner);
}

/** Passes if the queue takes a marker, which is taken back. */
export async function tryMarker(db: Kysely<unknown>): Promise<void> {
  const put = async (trx: Runner): Promise<void> => {
    await sql`INSERT INTO ${own.queue} (user_id, op, old_user_id) VALUES (0, 'R', 0)`.execute(trx);
  };
  await takenBack(db, put, { retries: 0 });
}

/**
 * Whether the trigger on our table `probe` marks what is put in there; both are taken back. Only the newest markers are looked
 * at: those of others that came meanwhile are few.
 */
export async function isProbeMarked(db: Kysely<unknown>): Promise<boolean> {
  let found = false;
  await takenBack(db, async (trx) => {
    await sql`INSERT INTO ${own.probe} (user_id) VALUES (0)`.execute(trx);
    const { rows } = await sql`
      SELECT 1 FROM (SELECT user_id FROM ${own.queue} ORDER BY seq DESC LIMIT 1000) AS newest
      WHERE user_id = 0 LIMIT 1`.execute(trx);
    found = rows.length > 0;
  });
  return found;
}

/** Who sees what the trigger on `probe` does has the right by which it is run. `information_schema.TRIGGERS` */
export async function isProbeTriggerVisible(runner: Runner): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = ${nameOf(own.probe)} AND ACTION_STATEMENT IS NOT NULL
    LIMIT 1`.execute(runner);
  return rows.length > 0;
}

const TAKEN_BACK = new Error('taken back');

/** Runs it in a transaction that is rolled back. */
async function takenBack(
  db: Kysely<unknown>,
  work: (trx: Runner) => Promise<void>,
  options: TransactionOptions = {},
): Promise<void> {
  try {
    await inTransaction(
      db,
      async (trx) => {
        await work(trx);
        throw TAKEN_BACK;
      },
      options,
    );
  } catch (error) {
    if (error !== TAKEN_BACK) throw error;
  }
}
