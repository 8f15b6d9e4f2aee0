import type { Connection } from 'mysql2/promise';
import { localTime, select, selectOne, write, type Row, type Site, type Value } from './site.ts';

/** SQL: an item that people see, and that counts. Takes the site's local time once. */
const VISIBLE = 'i.b_active = 1 AND i.b_enabled = 1 AND i.b_spam = 0 AND i.dt_expiration >= ?';

/** Whether an item is seen, apart from the column that is just being changed. */
export const isVisible = (site: Site, item: Row): boolean =>
  item.b_active === 1 && item.b_enabled === 1 && item.b_spam === 0 && String(item.dt_expiration) >= localTime(site);

/** An item with its place. */
export const findItem = async (site: Site, id: number): Promise<Row | undefined> =>
  selectOne(
    site,
    `SELECT i.*, l.fk_c_country_code, l.fk_i_region_id, l.fk_i_city_id
       FROM {item} i LEFT JOIN {item_location} l ON l.fk_i_item_id = i.pk_i_id WHERE i.pk_i_id = ?`,
    [id],
  );

/** A category and those above it. */
const lineage = async (site: Site, category: Value | undefined): Promise<Value[]> => {
  if (category === null || category === undefined) return [];
  const row = await selectOne(site, 'SELECT fk_i_parent_id FROM {category} WHERE pk_i_id = ?', [category]);
  return [category, ...(await lineage(site, row?.fk_i_parent_id))];
};

const places = async (site: Site, item: Row): Promise<(readonly [table: string, column: string, key: Value])[]> => [
  ...(await lineage(site, item.fk_i_category_id)).map((id) => ['category_stats', 'fk_i_category_id', id] as const),
  ['country_stats', 'fk_c_country_code', item.fk_c_country_code ?? null],
  ['region_stats', 'fk_i_region_id', item.fk_i_region_id ?? null],
  ['city_stats', 'fk_i_city_id', item.fk_i_city_id ?? null],
];

/** An item became visible: its user, its category and those above, its country, region and city count one more. */
export const raiseStatistics = async (site: Site, item: Row): Promise<void> => {
  if (item.fk_i_user_id !== null) {
    await write(site, 'UPDATE {user} SET i_items = i_items + 1 WHERE pk_i_id = ?', [item.fk_i_user_id]);
  }
  for (const [table, column, key] of await places(site, item)) {
    if (key !== null) {
      await write(
        site,
        `INSERT INTO {${table}} (${column}, i_num_items) VALUES (?, 1) ON DUPLICATE KEY UPDATE i_num_items = i_num_items + 1`,
        [key],
      );
    }
  }
};

/**
 * An item is visible no longer. Places never go below 0; the user's counter is lowered blindly, so that 0 fails with
 * MySQL error 1690, as it does in Osclass.
 */
export const lowerStatistics = async (site: Site, item: Row): Promise<void> => {
  if (item.fk_i_user_id !== null) {
    await write(site, 'UPDATE {user} SET i_items = i_items - 1 WHERE pk_i_id = ?', [item.fk_i_user_id]);
  }
  for (const [table, column, key] of await places(site, item)) {
    await write(site, `UPDATE {${table}} SET i_num_items = i_num_items - 1 WHERE i_num_items > 0 AND ${column} = ?`, [
      key,
    ]);
  }
};

/** A counter that does not hold what a recount gives. */
export interface StatisticsDifference {
  /** Table without prefix: `user`, `category_stats`, … */
  table: string;
  key: string;
  stored: number;
  counted: number;
}

const wallClock = (): string => new Date().toISOString().slice(0, 19).replace('T', ' ');

/** One more round of parents than any site nests. */
const DEPTH = 6;

const ancestors = (): string =>
  Array.from({ length: DEPTH }, (_, depth) => {
    const joins = Array.from(
      { length: depth },
      (__, i) => `JOIN {category} c${i + 1} ON c${i + 1}.pk_i_id = c${i}.fk_i_parent_id`,
    );
    return `SELECT c0.pk_i_id AS leaf, c${depth}.pk_i_id AS id FROM {category} c0 ${joins.join(' ')}`;
  }).join(' UNION ALL ');

/**
 * Counts everything again and gives the counters that are wrong: `i_items` of users, and items by category (with those
 * below), country, region and city. Empty when all is right. `now` (the site's local time as a DATETIME) decides which
 * items have expired; the real UTC time unless given.
 */
export const recountStatistics = async (
  connection: Connection,
  { prefix = 'oc_', now = wallClock() }: { prefix?: string; now?: string } = {},
): Promise<StatisticsDifference[]> => {
  const site = { db: connection, prefix };
  const place = (table: string, column: string): [string, string] => [
    table,
    `SELECT k, MAX(s) AS held, COUNT(n) AS counted FROM (
       SELECT ${column} AS k, i_num_items AS s, NULL AS n FROM {${table}}
       UNION ALL
       SELECT l.${column}, 0, 1 FROM {item} i JOIN {item_location} l ON l.fk_i_item_id = i.pk_i_id
        WHERE l.${column} IS NOT NULL AND ${VISIBLE}) a GROUP BY k HAVING held <> counted`,
  ];
  const counts: [string, string][] = [
    [
      'user',
      `SELECT u.pk_i_id AS k, IFNULL(u.i_items, 0) AS held, COUNT(i.pk_i_id) AS counted
         FROM {user} u LEFT JOIN {item} i ON i.fk_i_user_id = u.pk_i_id AND ${VISIBLE}
        GROUP BY u.pk_i_id, u.i_items HAVING held <> counted`,
    ],
    [
      'category_stats',
      `SELECT k, MAX(s) AS held, COUNT(n) AS counted FROM (
         SELECT fk_i_category_id AS k, i_num_items AS s, NULL AS n FROM {category_stats}
         UNION ALL
         SELECT up.id, 0, 1 FROM {item} i JOIN (${ancestors()}) up ON up.leaf = i.fk_i_category_id WHERE ${VISIBLE}
       ) a GROUP BY k HAVING held <> counted`,
    ],
    place('country_stats', 'fk_c_country_code'),
    place('region_stats', 'fk_i_region_id'),
    place('city_stats', 'fk_i_city_id'),
  ];
  const differences: StatisticsDifference[] = [];
  for (const [table, sql] of counts) {
    for (const row of await select(site, sql, [now])) {
      differences.push({
        table,
        key: String(row.k),
        stored: Number(row.held),
        counted: Number(row.counted),
      });
    }
  }
  return differences;
};
