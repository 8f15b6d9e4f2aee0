/** What Osclass does to a user's items when the user is blocked or deactivated, and when that is taken back. */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { idsWhere, inChunks } from './ids.ts';
import { lockItems, moveStatistics, siteNow, type CountedItem } from './statistics.ts';

/** `now`: the site's local time, where the caller knows better than the database. */
export interface VisibilityOptions {
  readonly now?: string | undefined;
}

/**
 * Disables every item of the user (`b_enabled = 0`) and counts those out that were visible. Gives the ids of the items
 * that were enabled until now, for {@link showItems}. May be repeated: then nothing is left to do.
 */
export async function hideItems(
  trx: Runner,
  catalog: Catalog,
  userId: number,
  options: VisibilityOptions = {},
): Promise<number[]> {
  const all = await idsWhere(trx, catalog.table('t_item'), 'pk_i_id', 'fk_i_user_id', [userId]);
  return setEnabled(trx, catalog, all, false, options);
}

/**
 * Enables these items and counts those in that become visible. Osclass enables all items of the user
 * ({@link disabledItems}), and with them those that a moderator had disabled. Gives the ids that changed.
 */
export async function showItems(
  trx: Runner,
  catalog: Catalog,
  itemIds: readonly number[],
  options: VisibilityOptions = {},
): Promise<number[]> {
  return setEnabled(trx, catalog, itemIds, true, options);
}

/** The items of the user that are disabled now, whoever disabled them. */
export async function disabledItems(runner: Runner, catalog: Catalog, userId: number): Promise<number[]> {
  const table = catalog.table('t_item');
  if (table?.column('b_enabled') === undefined) return [];
  const { rows } = await sql<{ id: number }>`SELECT pk_i_id AS id FROM ${id(table.name)}
    WHERE fk_i_user_id = ${userId} AND b_enabled = 0 ORDER BY pk_i_id`.execute(runner);
  return rows.map((row) => row.id);
}

async function setEnabled(
  trx: Runner,
  catalog: Catalog,
  itemIds: readonly number[],
  enabled: boolean,
  options: VisibilityOptions,
): Promise<number[]> {
  const table = catalog.table('t_item');
  if (table?.column('b_enabled') === undefined || itemIds.length === 0) return [];
  const now = options.now ?? (await siteNow(trx, catalog));
  const changing = (await lockItems(trx, catalog, itemIds, now)).filter((item) => item.enabled !== enabled);
  const ids = changing.map((item) => item.id);
  await inChunks(ids, (chunk) =>
    sql`UPDATE ${id(table.name)} SET b_enabled = ${enabled ? 1 : 0} WHERE pk_i_id IN (${sql.join(chunk)})`.execute(trx),
  );
  const seen: CountedItem[] = enabled ? await lockItems(trx, catalog, ids, now) : changing;
  const by = enabled ? 1 : -1;
  await moveStatistics(
    trx,
    catalog,
    seen.filter((item) => item.visible),
    { by, ofUsers: true },
  );
  return ids;
}
