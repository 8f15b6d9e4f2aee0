import { select, type Row, type Site } from './site.ts';

/** What happened to the rows of one table. */
export interface TableChange {
  inserted: number;
  deleted: number;
  /** Columns that have another value in some row, sorted. */
  updated: string[];
}

type Snapshot = Map<string, Map<string, Row>>;

/** Every row of every table with the prefix, by its key columns (by its whole content where there is no key). */
const takeSnapshot = async (site: Site): Promise<Snapshot> => {
  const keys = new Map<string, string[]>();
  const columns = await select(
    site,
    `SELECT TABLE_NAME AS t, COLUMN_NAME AS c, COLUMN_KEY AS k FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
  for (const { t, c, k } of columns) {
    const table = String(t);
    if (!table.startsWith(`${site.prefix}t_`)) continue;
    keys.set(table, [...(keys.get(table) ?? []), ...(k === 'PRI' ? [String(c)] : [])]);
  }
  const snapshot: Snapshot = new Map();
  for (const [table, key] of keys) {
    const rows = await select(site, `SELECT * FROM \`${table}\``);
    const name = table.slice(site.prefix.length + 2);
    snapshot.set(
      name,
      new Map(rows.map((row, i) => [key.length > 0 ? JSON.stringify(key.map((c) => row[c])) : String(i), row])),
    );
  }
  return snapshot;
};

const changeOf = (before: Map<string, Row>, after: Map<string, Row>): TableChange => {
  const updated = new Set<string>();
  for (const [key, row] of after) {
    const old = before.get(key);
    if (old === undefined) continue;
    for (const column of Object.keys(row)) if (row[column] !== old[column]) updated.add(column);
  }
  return {
    inserted: [...after.keys()].filter((key) => !before.has(key)).length,
    deleted: [...before.keys()].filter((key) => !after.has(key)).length,
    updated: [...updated].toSorted(),
  };
};

/**
 * What `act` changed in the whole database, by table without prefix (`user`, `item`, …); tables it left alone are missing.
 * For small sites: reads everything twice.
 */
export const changesBy = async (site: Site, act: () => Promise<unknown>): Promise<Record<string, TableChange>> => {
  const before = await takeSnapshot(site);
  await act();
  const after = await takeSnapshot(site);
  return Object.fromEntries(
    [...after]
      .map(([table, rows]): [string, TableChange] => [
        table,
        changeOf(before.get(table) ?? new Map<string, Row>(), rows),
      ])
      .filter(([, change]) => change.inserted + change.deleted + change.updated.length > 0),
  );
};
