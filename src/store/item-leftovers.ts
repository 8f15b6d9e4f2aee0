/** Removed listings whose rows in tables without transactions have still to be deleted: table `leftover`. */
import { sql } from 'kysely';
import { own } from '../db/own-tables.ts';
import type { Runner } from '../db/transaction.ts';

/** `INSERT IGNORE INTO leftover (item_id) VALUES …` */
export async function addLeftovers(runner: Runner, itemIds: readonly number[]): Promise<void> {
  if (itemIds.length === 0) return;
  await sql`
    INSERT IGNORE INTO ${own.leftover} (item_id)
    VALUES ${sql.join(itemIds.map((itemId) => sql`(${itemId})`))}`.execute(runner);
}

/** The first of them. `SELECT item_id FROM leftover ORDER BY item_id LIMIT ?` */
export async function firstLeftovers(runner: Runner, limit: number): Promise<number[]> {
  const { rows } = await sql<{ item_id: number }>`
    SELECT item_id FROM ${own.leftover} ORDER BY item_id LIMIT ${limit}`.execute(runner);
  return rows.map((row) => row.item_id);
}

/** `DELETE FROM leftover WHERE item_id IN (…)` */
export async function dropLeftovers(runner: Runner, itemIds: readonly number[]): Promise<void> {
  if (itemIds.length === 0) return;
  await sql`DELETE FROM ${own.leftover} WHERE item_id IN (${sql.join(itemIds)})`.execute(runner);
}
