/**
 * Accounts that went without being deleted: the table was emptied by TRUNCATE, or an older backup restored. They are removed
 * nowhere, but a person should know. Scan mode remembers them in table `vanished`.
 */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import { bindList, bindRows } from '../db/bind.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';
import { FIRST_WAITING_ID } from './shadows.ts';

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

/** Those of the users that have vanished. */
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

/**
 * How many accounts that we remember are not in `t_user` and have no delete marker. Whoever restores or empties a table
 * loses its last rows, so only when the last account we know is missing are all of them looked at.
 */
export async function countVanished(runner: Runner, catalog: Catalog): Promise<number> {
  const users = id(catalog.requireTable('t_user').name);
  const isGone = sql`NOT EXISTS (SELECT 1 FROM ${users} u WHERE u.pk_i_id = s.user_id)
    AND NOT EXISTS (SELECT 1 FROM ${own.queue} q WHERE q.user_id = s.user_id AND q.op = 'D')`;
  const last = await sql`
    SELECT 1 FROM (SELECT MAX(user_id) AS user_id FROM ${own.user} WHERE user_id < ${FIRST_WAITING_ID}) s
    WHERE s.user_id IS NOT NULL AND ${isGone}`.execute(runner);
  if (last.rows.length === 0) return 0;
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.user} s WHERE ${isGone}`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}
