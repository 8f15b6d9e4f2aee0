/** Accounts that went with an emptied or restored table, as scan mode remembers them: table `vanished`. */
import { sql } from 'kysely';
import { bindList, bindRows } from '../db/lists.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** `INSERT INTO vanished … ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)` */
export async function addVanished(runner: Runner, userIds: readonly number[], nowMs: number): Promise<void> {
  if (userIds.length === 0) return;
  const at = toSqlTime(nowMs);
  await sql`
    INSERT INTO ${own.vanished} (user_id, noticed_at) VALUES ${bindRows(userIds.map((userId) => [userId, at]))}
    ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)`.execute(runner);
}

/** Forgets that they vanished. */
export async function dropVanished(runner: Runner, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0) return;
  await sql`DELETE FROM ${own.vanished} WHERE user_id IN (${bindList(userIds)})`.execute(runner);
}

/** Those with `after` < id ≤ `upTo`. */
export async function vanishedBetween(runner: Runner, after: number, upTo: number): Promise<number[]> {
  const { rows } = await sql<{ user_id: number }>`
    SELECT user_id FROM ${own.vanished} WHERE user_id > ${after} AND user_id <= ${upTo}`.execute(runner);
  return rows.map((row) => row.user_id);
}

/** Those of the users that are. */
export async function vanishedAmong(runner: Runner, userIds: readonly number[]): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await sql<{ user_id: number }>`
    SELECT user_id FROM ${own.vanished} WHERE user_id IN (${bindList(userIds)})`.execute(runner);
  return new Set(rows.map((row) => row.user_id));
}

/** How many of them are still remembered as accounts. */
export async function countRememberedVanished(runner: Runner): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.vanished} v JOIN ${own.user} s ON s.user_id = v.user_id`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}
