/** Listings that were hidden because their account is blocked: table `hidden`. What a moderator hid is not among them. */
import { sql } from 'kysely';
import { own } from '../db/own-tables.ts';
import type { Runner } from '../db/transaction.ts';
import { renumberUsers } from './renumber-users.ts';

/** `INSERT IGNORE INTO hidden (item_id, user_id) VALUES …` */
export async function addHiddenItems(runner: Runner, userId: number, itemIds: readonly number[]): Promise<void> {
  if (itemIds.length === 0) return;
  await sql`
    INSERT IGNORE INTO ${own.hidden} (item_id, user_id)
    VALUES ${sql.join(itemIds.map((itemId) => sql`(${itemId}, ${userId})`))}`.execute(runner);
}

/** In the order of ids. `SELECT item_id FROM hidden WHERE user_id = ?` */
export async function hiddenItemsOf(runner: Runner, userId: number): Promise<number[]> {
  const { rows } = await sql<{ item_id: number }>`
    SELECT item_id FROM ${own.hidden} WHERE user_id = ${userId} ORDER BY item_id`.execute(runner);
  return rows.map((row) => row.item_id);
}

/** `DELETE FROM hidden WHERE user_id = ?` */
export async function dropHiddenItems(runner: Runner, userId: number): Promise<void> {
  await sql`DELETE FROM ${own.hidden} WHERE user_id = ${userId}`.execute(runner);
}

/** They follow their users to new ids; see {@link renumberUsers}. */
export async function renumberHiddenItems(runner: Runner, moves: ReadonlyMap<number, number>): Promise<void> {
  await renumberUsers(runner, own.hidden, moves);
}
