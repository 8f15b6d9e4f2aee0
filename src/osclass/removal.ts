/** Removing an account as Osclass does it: with everything that hangs on it, and counters that stay right. */
import { sql } from 'kysely';
import { id, type Catalog, type Table } from '../db/catalog.ts';
import { isRowReferenced } from '../db/failures.ts';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import { refuseForeignRows } from './foreign-rows.ts';
import { idsWhere, inChunks } from './ids.ts';
import { lockItems, moveStatistics, siteNow } from './statistics.ts';

/** What was removed, and what the database could not do. */
export interface RemovalResult {
  /** False if there was no such user. */
  readonly found: boolean;
  readonly items: number;
  readonly comments: number;
  /** Image files on the site's disk that nothing uses any more, as Osclass names them, relative to its folder. */
  readonly files: readonly string[];
  /** Items whose rows in tables without transactions are still there: {@link removeItemDescriptions}, after the commit. */
  readonly afterCommit: readonly number[];
}

export interface RemovalOptions {
  /** Tables of the config that have one row per user, without prefix, and their key column. */
  readonly related?: readonly { readonly table: string; readonly key: string }[];
  /** The site's local time, where the caller knows better than the database. */
  readonly now?: string | undefined;
}

/** Tables of rows that belong to an item; all have `fk_i_item_id`. */
const OF_ITEM = [
  't_item_description',
  't_item_comment',
  't_item_resource',
  't_item_location',
  't_item_stats',
  't_item_meta',
];
/** Tables of rows that belong to a user, with `fk_i_user_id`; comments on the items of others among them. */
const OF_USER = ['t_item_comment', 't_user_email_tmp', 't_user_description'];

/**
 * Removes the user and what Osclass removes with it. First everything is looked at and locked, the user before the
 * items, so that the site can add nothing meanwhile; then statistics are lowered for the items people could see, and the
 * rows deleted. Rows of tables without transactions (MyISAM) are left to {@link removeItemDescriptions}.
 *
 * Throws `FOREIGN_KEY` naming table and number of rows, before anything is deleted, if a table that is not Osclass's
 * refers to what would go and would not follow by itself. Does nothing if there is no such user.
 */
export async function removeUser(
  trx: Runner,
  catalog: Catalog,
  userId: number,
  options: RemovalOptions = {},
): Promise<RemovalResult> {
  const users = catalog.requireTable('t_user');
  const { rows } = await sql`SELECT pk_i_id FROM ${id(users.name)} WHERE pk_i_id = ${userId} FOR UPDATE`.execute(trx);
  if (rows.length === 0) return { found: false, items: 0, comments: 0, files: [], afterCommit: [] };

  const related = options.related ?? [];
  const itemIds = await idsWhere(trx, catalog.table('t_item'), 'pk_i_id', 'fk_i_user_id', [userId]);
  const items = await lockItems(trx, catalog, itemIds, options.now ?? (await siteNow(trx, catalog)));
  const comments = await commentsOf(trx, catalog, userId, itemIds);
  const resources = await idsWhere(trx, catalog.table('t_item_resource'), 'pk_i_id', 'fk_i_item_id', itemIds);
  const alerts = await idsWhere(trx, catalog.table('t_alerts'), 'pk_i_id', 'fk_i_user_id', [userId]);
  const known = new Set(['t_item', 't_alerts', ...OF_ITEM, ...OF_USER, ...related.map((entry) => entry.table)]);
  await refuseForeignRows(trx, catalog, known, [
    { base: 't_user', ids: [userId] },
    { base: 't_item', ids: itemIds },
    { base: 't_item_comment', ids: comments },
    { base: 't_item_resource', ids: resources },
    { base: 't_alerts', ids: alerts },
  ]);
  const files = await imageFiles(trx, catalog.table('t_item_resource'), resources);

  try {
    await moveStatistics(
      trx,
      catalog,
      items.filter((item) => item.visible),
      { by: -1, ofUsers: false },
    );
    const parts = OF_ITEM.map((base) => catalog.table(base)).filter((table) => table !== undefined);
    for (const table of parts) if (isSafe(table)) await deleteWhere(trx, table, 'fk_i_item_id', itemIds);
    await deleteWhere(trx, catalog.table('t_item'), 'pk_i_id', itemIds);
    await deleteWhere(trx, catalog.table('t_alerts'), 'pk_i_id', alerts);
    for (const base of OF_USER) await deleteWhere(trx, catalog.table(base), 'fk_i_user_id', [userId]);
    for (const { table, key } of related) await deleteWhere(trx, catalog.table(table), key, [userId]);
    await deleteWhere(trx, users, 'pk_i_id', [userId]);
    return {
      found: true,
      items: itemIds.length,
      comments: comments.length,
      files,
      afterCommit: parts.every(isSafe) ? [] : itemIds,
    };
  } catch (error) {
    if (!isRowReferenced(error)) throw error;
    // A row deeper down, or one that came in this moment; the server names table and constraint.
    throw new SyncError('FOREIGN_KEY', error instanceof Error ? error.message : undefined, { cause: error });
  }
}

/**
 * Deletes what belongs to items that are gone from tables without transactions, one statement for each: MySQL 9.7
 * refuses them beside others. To be called outside of any transaction, after the one that removed the items, and
 * repeated until it succeeds. An id that an item has (again) is left alone. May be repeated.
 */
export async function removeItemDescriptions(db: Runner, catalog: Catalog, itemIds: readonly number[]): Promise<void> {
  const alive = new Set(await idsWhere(db, catalog.table('t_item'), 'pk_i_id', 'pk_i_id', itemIds));
  const deleted = itemIds.filter((item) => !alive.has(item));
  for (const base of OF_ITEM) {
    const table = catalog.table(base);
    if (table !== undefined && !isSafe(table)) await deleteWhere(db, table, 'fk_i_item_id', deleted);
  }
}

function isSafe(table: Table): boolean {
  return table.engine.toLowerCase() === 'innodb';
}

/** Those the user wrote, and those anyone wrote on the user's items. */
async function commentsOf(trx: Runner, catalog: Catalog, userId: number, itemIds: number[]): Promise<number[]> {
  const table = catalog.table('t_item_comment');
  const own = await idsWhere(trx, table, 'pk_i_id', 'fk_i_user_id', [userId]);
  const onItems = await idsWhere(trx, table, 'pk_i_id', 'fk_i_item_id', itemIds);
  return [...new Set([...own, ...onItems])];
}

/** `oc-content/uploads/3/312.jpg`: path, id and extension; Osclass keeps further sizes beside each. */
async function imageFiles(trx: Runner, table: Table | undefined, resources: number[]): Promise<string[]> {
  const files: string[] = [];
  if (table === undefined) return files;
  await inChunks(resources, async (chunk) => {
    const { rows } = await sql<{ path: string | null; id: number; extension: string | null }>`
      SELECT s_path AS path, pk_i_id AS id, s_extension AS extension FROM ${id(table.name)}
      WHERE pk_i_id IN (${sql.join(chunk)}) ORDER BY pk_i_id`.execute(trx);
    for (const row of rows) if (row.path !== null) files.push(`${row.path}${row.id}.${row.extension ?? ''}`);
  });
  return files;
}

/** `DELETE FROM table WHERE key IN (…)`; nothing if the site has no such table or column. */
async function deleteWhere(trx: Runner, table: Table | undefined, key: string, keys: readonly number[]): Promise<void> {
  const column = table?.column(key);
  if (table === undefined || column === undefined) return;
  await inChunks(keys, (chunk) =>
    sql`DELETE FROM ${id(table.name)} WHERE ${id(column.name)} IN (${sql.join(chunk)})`.execute(trx),
  );
}
