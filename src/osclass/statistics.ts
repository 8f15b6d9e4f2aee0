/** Osclass's counters of visible items: per user, category (and those above it), country, region and city. */
import { sql } from 'kysely';
import { id, type Catalog, type Table } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { inChunks } from './ids.ts';
import { makeZone, readSiteTimezone } from './timezone.ts';

/** An item with what its visibility and its counters depend on. */
export interface CountedItem {
  readonly id: number;
  readonly userId: number | null;
  /** Active, enabled, not spam, not expired: people see it, and it counts. */
  readonly visible: boolean;
  readonly enabled: boolean;
  readonly category: number | null;
  readonly country: string | null;
  readonly region: number | null;
  readonly city: number | null;
}

/** The site's local time by the database's clock, as a DATETIME; UTC if the site states no zone. */
export async function siteNow(runner: Runner, catalog: Catalog): Promise<string> {
  const { rows } = await sql<{ now: string }>`SELECT UTC_TIMESTAMP() AS now`.execute(runner);
  return makeZone(await readSiteTimezone(runner, catalog)).toLocal(rows[0]?.now ?? '');
}

/** The items with these ids, in that order, locked: nobody hides, deletes or comments them until the end. */
export async function lockItems(
  trx: Runner,
  catalog: Catalog,
  itemIds: readonly number[],
  now: string,
): Promise<CountedItem[]> {
  const table = catalog.table('t_item');
  if (table === undefined) return [];
  const items: CountedItem[] = [];
  await inChunks(itemIds, async (chunk) => {
    const places = await readItemPlaces(trx, catalog, chunk);
    const { rows } = await sql<ItemRow>`SELECT * FROM ${id(table.name)}
      WHERE pk_i_id IN (${sql.join(chunk)}) ORDER BY pk_i_id FOR UPDATE`.execute(trx);
    for (const row of rows) items.push(toItem(row, places.get(row.pk_i_id), now));
  });
  return items;
}

/**
 * Counts the items out (`-1`) or in (`+1`), whether visible or not: the caller chooses. `i_items` of the users only if
 * `ofUsers`. Nothing goes below 0, where an unsigned column would fail.
 *
 *     UPDATE t_city_stats SET i_num_items = i_num_items - LEAST(i_num_items, ?) WHERE fk_i_city_id = ?
 */
export async function moveStatistics(
  trx: Runner,
  catalog: Catalog,
  items: readonly CountedItem[],
  { by, ofUsers }: { by: 1 | -1; ofUsers: boolean },
): Promise<void> {
  const lineage = await readLineage(trx, catalog, items);
  const moves: [table: string, key: string, counter: string, keys: (string | number | null)[]][] = [
    ['t_category_stats', 'fk_i_category_id', 'i_num_items', items.flatMap((item) => lineage(item.category))],
    ['t_country_stats', 'fk_c_country_code', 'i_num_items', items.map((item) => item.country)],
    ['t_region_stats', 'fk_i_region_id', 'i_num_items', items.map((item) => item.region)],
    ['t_city_stats', 'fk_i_city_id', 'i_num_items', items.map((item) => item.city)],
  ];
  if (ofUsers) moves.unshift(['t_user', 'pk_i_id', 'i_items', items.map((item) => item.userId)]);
  for (const [base, key, counter, keys] of moves) {
    const table = catalog.table(base);
    if (table?.column(key) === undefined || table.column(counter) === undefined) continue;
    for (const [value, count] of counted(keys)) await move(trx, table, { key, counter, value, by: by * count });
  }
}

interface ItemRow {
  pk_i_id: number;
  fk_i_user_id?: number | null;
  fk_i_category_id?: number | null;
  b_enabled?: number;
  b_active?: number;
  b_spam?: number;
  dt_expiration?: string | null;
}

interface PlaceRow {
  fk_i_item_id: number;
  fk_c_country_code?: string | null;
  fk_i_region_id?: number | null;
  fk_i_city_id?: number | null;
}

async function readItemPlaces(trx: Runner, catalog: Catalog, itemIds: number[]): Promise<Map<number, PlaceRow>> {
  const table = catalog.table('t_item_location');
  if (table === undefined) return new Map();
  const { rows } = await sql<PlaceRow>`SELECT * FROM ${id(table.name)}
    WHERE fk_i_item_id IN (${sql.join(itemIds)})`.execute(trx);
  return new Map(rows.map((row) => [row.fk_i_item_id, row]));
}

/** Columns that this version of Osclass does not have hide nothing. */
function toItem(row: ItemRow, place: PlaceRow | undefined, now: string): CountedItem {
  const { b_active: active = 1, b_enabled: enabled = 1, b_spam: spam = 0, dt_expiration: until } = row;
  const lasts = until === undefined || until === null || until >= now;
  return {
    id: row.pk_i_id,
    userId: row.fk_i_user_id ?? null,
    visible: active === 1 && enabled === 1 && spam === 0 && lasts,
    enabled: enabled === 1,
    category: row.fk_i_category_id ?? null,
    country: place?.fk_c_country_code ?? null,
    region: place?.fk_i_region_id ?? null,
    city: place?.fk_i_city_id ?? null,
  };
}

/** Category → itself and all above it. Rings, which a broken site may have, end. */
async function readLineage(
  trx: Runner,
  catalog: Catalog,
  items: readonly CountedItem[],
): Promise<(category: number | null) => number[]> {
  const table = catalog.table('t_category');
  if (table === undefined) return (category) => (category === null ? [] : [category]);
  const parents = new Map<number, number | null>();
  let wanted = new Set(items.flatMap((item) => item.category ?? []));
  while (wanted.size > 0) {
    const { rows } = await sql<{ id: number; parent: number | null }>`SELECT pk_i_id AS id, fk_i_parent_id AS parent
      FROM ${id(table.name)} WHERE pk_i_id IN (${sql.join([...wanted])})`.execute(trx);
    for (const category of wanted) parents.set(category, null);
    for (const row of rows) parents.set(row.id, row.parent);
    wanted = new Set(rows.flatMap((row) => (row.parent === null || parents.has(row.parent) ? [] : row.parent)));
  }
  return (category) => {
    const line = new Set<number>();
    for (let at = category; at !== null && !line.has(at); at = parents.get(at) ?? null) line.add(at);
    return [...line];
  };
}

/** How often each key occurs, in one order everywhere, so that two transactions lock rows in the same one. */
function counted(keys: readonly (string | number | null)[]): [string | number, number][] {
  const counts = new Map<string | number, number>();
  for (const key of keys) if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

interface CounterChange {
  readonly key: string;
  readonly counter: string;
  readonly value: string | number;
  readonly by: number;
}

async function move(trx: Runner, table: Table, { key, counter, value, by }: CounterChange): Promise<void> {
  const keyColumn = table.column(key);
  const column = table.column(counter);
  if (keyColumn === undefined || column === undefined) return;
  const [to, where] = [id(column.name), id(keyColumn.name)];
  if (by < 0) {
    await sql`UPDATE ${id(table.name)} SET ${to} = ${to} - LEAST(${to}, ${-by}) WHERE ${where} = ${value}`.execute(trx);
    return;
  }
  const result = await sql`UPDATE ${id(table.name)} SET ${to} = COALESCE(${to}, 0) + ${by}
    WHERE ${where} = ${value}`.execute(trx);
  if (result.numAffectedRows !== 0n || counter !== 'i_num_items') return;
  await sql`INSERT INTO ${id(table.name)} (${where}, ${to}) VALUES (${value}, ${by})`.execute(trx);
}
