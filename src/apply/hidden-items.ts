/**
 * Listings of blocked accounts, as Osclass treats them on its own site: a block hides them, an unblock shows them. What a
 * moderator had hidden before stays hidden, unlike in Osclass: only what the block hid is noted, and shown again.
 */
import { sql, type Transaction } from 'kysely';
import { type Catalog } from '../db/catalog.ts';
import { hideItems, showItems } from '../osclass/items.ts';
import { own } from '../db/own-tables.ts';

/** Hides the listings and notes which were visible; may be repeated. */
export async function hideItemsOf(trx: Transaction<unknown>, catalog: Catalog, userId: number): Promise<void> {
  const hidden = await hideItems(trx, catalog, userId);
  if (hidden.length === 0) return;
  await sql`
    INSERT IGNORE INTO ${own.hidden} (item_id, user_id)
    VALUES ${sql.join(hidden.map((itemId) => sql`(${itemId}, ${userId})`))}`.execute(trx);
}

/** Shows the listings that {@link hideItemsOf} hid. */
export async function showItemsOf(trx: Transaction<unknown>, catalog: Catalog, userId: number): Promise<void> {
  const { rows } = await sql<{ item_id: number }>`
    SELECT item_id FROM ${own.hidden} WHERE user_id = ${userId} ORDER BY item_id`.execute(trx);
  if (rows.length === 0) return;
  await showItems(
    trx,
    catalog,
    rows.map((row) => row.item_id),
  );
  await sql`DELETE FROM ${own.hidden} WHERE user_id = ${userId}`.execute(trx);
}
