/** Places of this site, read from `t_country`, `t_region`, `t_city` and `t_city_area`, with the columns each version has. */
import { sql, type RawBuilder } from 'kysely';
import { id, type Ident, type Table } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { foldName, slugOf, type Place, type WantedPlace } from './place-match.ts';

/** All rows of a table of places; none if the site lacks it. For countries, which are few. */
export async function readAllPlaces(runner: Runner, table: Table | undefined, key: string): Promise<Place[]> {
  return select(runner, table, { key, parent: undefined }, sql``);
}

/**
 * The places that may be meant: the site's collation folds more than we do, and {@link findPlace} decides.
 *
 *     SELECT … FROM t_city WHERE fk_i_region_id IN (…) AND (s_name IN (…) OR s_name_native IN (…) OR s_slug IN (…))
 */
export async function readPlaces(
  runner: Runner,
  table: Table | undefined,
  level: { readonly key: string; readonly parent: string },
  wanted: readonly WantedPlace[],
): Promise<Place[]> {
  const parent = table?.column(level.parent);
  if (parent === undefined) return [];
  const names = distinct(wanted.flatMap((place) => place.names));
  const slugs = distinct(names.map(slugOf));
  const any = [
    ...among(table?.column('s_name')?.name, names),
    ...among(table?.column('s_name_native')?.name, names),
    ...among(table?.column('s_slug')?.name, slugs),
  ];
  const parents = distinct(wanted.map((place) => place.parent));
  const where = sql`WHERE ${id(parent.name)} IN (${sql.join(parents)}) AND (${sql.join(any, sql` OR `)})`;
  return select(runner, table, level, where);
}

interface PlaceRow {
  id: string | number;
  parent: string | number | null;
  name: string;
  native: string | null;
  slug: string | null;
}

async function select(
  runner: Runner,
  table: Table | undefined,
  level: { readonly key: string; readonly parent: string | undefined },
  where: RawBuilder<unknown>,
): Promise<Place[]> {
  const key = table?.column(level.key);
  const name = table?.column('s_name');
  if (table === undefined || key === undefined || name === undefined) return [];
  const parent = level.parent === undefined ? undefined : table.column(level.parent);
  const { rows } = await sql<PlaceRow>`SELECT ${id(key.name)} AS id, ${orNull(parent?.name)} AS parent,
      ${id(name.name)} AS name, ${orNull(table.column('s_name_native')?.name)} AS native,
      ${orNull(table.column('s_slug')?.name)} AS slug
    FROM ${id(table.name)} ${where} ORDER BY 1`.execute(runner);
  return rows.map((row) => ({
    id: String(row.id),
    parent: row.parent === null ? '' : String(row.parent),
    name: row.name,
    folded: [foldName(row.name), foldName(row.native ?? '')],
    slug: row.slug ?? '',
  }));
}

function orNull(ident: Ident | undefined): RawBuilder<unknown> {
  return ident === undefined ? sql`NULL` : id(ident);
}

function among(ident: Ident | undefined, values: string[]): RawBuilder<unknown>[] {
  return ident === undefined || values.length === 0 ? [] : [sql`${id(ident)} IN (${sql.join(values)})`];
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].filter((value) => value !== '');
}
