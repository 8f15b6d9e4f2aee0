/**
 * Listings of blocked accounts, as Osclass treats them on its own site: a block hides them, an unblock shows them. What a
 * moderator had hidden before stays hidden, unlike in Osclass: only what the block hid is noted, and shown again.
 */
import type { Transaction } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { hideItems, showItems } from '../osclass/items.ts';
import { addHiddenItems, dropHiddenItems, hiddenItemsOf } from '../store/hidden-items.ts';

/** Hides the listings and notes which were visible; may be repeated. */
export async function hideItemsOf(trx: Transaction<unknown>, catalog: Catalog, userId: number): Promise<void> {
  await addHiddenItems(trx, userId, await hideItems(trx, catalog, userId));
}

/** Shows the listings that {@link hideItemsOf} hid. */
export async function showItemsOf(trx: Transaction<unknown>, catalog: Catalog, userId: number): Promise<void> {
  const hidden = await hiddenItemsOf(trx, userId);
  if (hidden.length === 0) return;
  await showItems(trx, catalog, hidden);
  await dropHiddenItems(trx, userId);
}
