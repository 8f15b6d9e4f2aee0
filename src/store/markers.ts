/** Markers: what triggers wrote into the queue. They name users that changed; what changed, the shadow tells. */
import { sql, type Transaction } from 'kysely';
import { bindList } from '../db/bind.ts';
import { fromSqlTime } from '../db/time.ts';
import { withKeyedWrites, type Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** One row of the queue. */
export interface Marker {
  /** Names the marker; its order is not the order of commits. */
  readonly seq: string;
  readonly userId: number;
  /** I inserted, U updated, D deleted, E a change of address was asked for or ended, R a row that belongs to the user changed. */
  readonly op: 'I' | 'U' | 'D' | 'E' | 'R';
  /** D: the address the user had; U: likewise, if it changed. */
  readonly oldEmail: string | null;
  /** Only U and R: the id before the update, mostly the same; null in markers of triggers older than this column. */
  readonly oldUserId: number | null;
  readonly atMs: number;
}

interface MarkerRow {
  seq: string;
  user_id: number;
  op: Marker['op'];
  old_email: string | null;
  old_user_id: number | null;
  at: string;
}

/** `SELECT … FROM queue ORDER BY seq LIMIT ?` */
export async function readMarkers(runner: Runner, limit: number): Promise<Marker[]> {
  const { rows } = await sql<MarkerRow>`
    SELECT seq, user_id, op, old_email, old_user_id, marked_at AS at FROM ${own.queue}
    ORDER BY seq LIMIT ${limit}`.execute(runner);
  return rows.map(toMarker);
}

/** What else is in the queue of these users. `SELECT … FROM queue WHERE user_id IN (…) ORDER BY seq` reads all of it. */
export async function readMarkersOf(runner: Runner, userIds: readonly number[]): Promise<Marker[]> {
  if (userIds.length === 0) return [];
  const { rows } = await sql<MarkerRow>`
    SELECT seq, user_id, op, old_email, old_user_id, marked_at AS at FROM ${own.queue}
    WHERE user_id IN (${bindList(userIds)}) ORDER BY seq`.execute(runner);
  return rows.map(toMarker);
}

/** `DELETE FROM queue WHERE seq IN (…)`, touching no other marker: some belong to transactions still open. */
export async function deleteMarkers(trx: Transaction<unknown>, markers: readonly Marker[]): Promise<void> {
  if (markers.length === 0) return;
  await withKeyedWrites(trx, () =>
    sql`
      DELETE FROM ${own.queue} WHERE seq IN (${bindList(markers.map((marker) => marker.seq))})`.execute(trx),
  );
}

/**
 * When each of the users last changed. `SELECT user_id, MAX(marked_at) FROM queue WHERE user_id IN (…) GROUP BY user_id`
 * reads the whole queue, so it is asked only for users that changed since the last drain.
 */
export async function markerTimes(runner: Runner, userIds: readonly number[]): Promise<Map<number, number>> {
  if (userIds.length === 0) return new Map();
  const { rows } = await sql<{ user_id: number; at: string }>`
    SELECT user_id, MAX(marked_at) AS at FROM ${own.queue}
    WHERE user_id IN (${bindList(userIds)}) GROUP BY user_id`.execute(runner);
  return new Map(rows.map((row) => [row.user_id, fromSqlTime(row.at)]));
}

/** Those of the users that have a marker of that kind. `SELECT DISTINCT user_id FROM queue WHERE op = ? AND …` */
export async function usersMarked(runner: Runner, op: Marker['op'], userIds: readonly number[]): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await sql<{ user_id: number }>`
    SELECT DISTINCT user_id FROM ${own.queue}
    WHERE op = ${op} AND user_id IN (${bindList(userIds)})`.execute(runner);
  return new Set(rows.map((row) => row.user_id));
}

/**
 * Those of the users to whom a code for a new password may have been mailed to another address since the last drain: a change of
 * address was asked for or made. Reads the whole queue.
 */
export async function usersMailedElsewhere(runner: Runner, userIds: readonly number[]): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await sql<{ user_id: number }>`
    SELECT DISTINCT user_id FROM ${own.queue}
    WHERE (op = 'E' OR (op = 'U' AND old_email IS NOT NULL)) AND user_id IN (${bindList(userIds)})`.execute(runner);
  return new Set(rows.map((row) => row.user_id));
}

/**
 * Those of the ids that an account gave up or got by an UPDATE of its key, as far as its marker is in the queue and not among
 * `except`: what is remembered under the id and the row that has it now are not of one account, or need not be.
 * `SELECT seq, user_id, old_user_id FROM queue WHERE old_user_id <> user_id AND op = 'U' AND …` reads all of it.
 */
export async function idsChangingHands(
  runner: Runner,
  userIds: readonly number[],
  except: ReadonlySet<string> = new Set(),
): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const ids = bindList(userIds);
  const { rows } = await sql<{ seq: string; user_id: number; old_user_id: number }>`
    SELECT seq, user_id, old_user_id FROM ${own.queue}
    WHERE old_user_id <> user_id AND op = 'U' AND (user_id IN (${ids}) OR old_user_id IN (${ids}))`.execute(runner);
  const pending = rows.filter(({ seq }) => !except.has(seq));
  const touched = new Set(pending.flatMap((row) => [row.user_id, row.old_user_id]));
  return new Set(userIds.filter((userId) => touched.has(userId)));
}

function toMarker(row: MarkerRow): Marker {
  return {
    seq: row.seq,
    userId: row.user_id,
    op: row.op,
    oldEmail: row.old_email,
    oldUserId: row.old_user_id,
    atMs: fromSqlTime(row.at),
  };
}
