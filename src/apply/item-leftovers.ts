/**
 * Rows of removed listings in tables without transactions: noted in the transaction of the removal, deleted after it, and
 * again until it is done.
 */
import type { Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { removeItemDescriptions } from '../osclass/removal.ts';
import { addLeftovers, dropLeftovers, firstLeftovers } from '../store/item-leftovers.ts';

const BATCH = 500;

/** Notes listings whose rows have to follow. */
export async function keepLeftovers(runner: Runner, itemIds: readonly number[]): Promise<void> {
  await addLeftovers(runner, itemIds);
}

/** Deletes the rows of noted listings; outside of any transaction. Returns how many listings. */
export async function sweepOnce(db: Kysely<unknown>, catalog: Catalog): Promise<number> {
  const itemIds = await firstLeftovers(db, BATCH);
  if (itemIds.length === 0) return 0;
  await removeItemDescriptions(db, catalog, itemIds);
  await dropLeftovers(db, itemIds);
  return itemIds.length;
}
