/**
 * Rows of removed listings in tables without transactions: noted in the transaction of the removal, deleted after it, and
 * again until it is done.
 */
import { sql, type Kysely } from 'kysely';
import { type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { removeItemDescriptions } from '../osclass/removal.ts';
import { own } from '../db/own-tables.ts';

const BATCH = 500;

/** Notes listings whose rows have to follow. */
export async function keepLeftovers(runner: Runner, itemIds: readonly number[]): Promise<void> {
  if (itemIds.length === 0) return;
  await sql`
    INSERT IGNORE INTO ${own.leftover} (item_id)
    VALUES ${sql.join(itemIds.map((itemId) => sql`(${itemId})`))}`.execute(runner);
}

/** Deletes the rows of noted listings; outside of any transaction. Returns how many listings. */
export async function sweepOnce(db: Kysely<unknown>, catalog: Catalog): Promise<number> {
  const { rows } = await sql<{ item_id: number }>`
    SELECT item_id FROM ${own.leftover} ORDER BY item_id LIMIT ${BATCH}`.execute(db);
  const itemIds = rows.map((row) => row.item_id);
  if (itemIds.length === 0) return 0;
  await removeItemDescriptions(db, catalog, itemIds);
  await sql`DELETE FROM ${own.leftover} WHERE item_id IN (${sql.join(itemIds)})`.execute(db);
  return itemIds.length;
}
