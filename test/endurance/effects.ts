/**
 * What really happened to the users of a site, row by row: triggers of the test's own write down each value that a user
 * gets, whoever writes it. Values are never used twice, so one that a site got twice was applied twice.
 */
import type { WorldSite } from '../support/world.ts';

/** Columns whose every value is written down. */
const WATCHED = ['s_phone_mobile', 's_phone_land', 's_website'] as const;

const TABLE = 'test_effects';

/** Begins to write down. */
export async function watchEffects({ db }: WorldSite): Promise<void> {
  await db.query(`CREATE TABLE ${TABLE} (seq BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20) NOT NULL,
    value VARCHAR(150) NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`);
  const note = (what: string, value: string): string =>
    `INSERT INTO ${TABLE} (what, value) VALUES ('${what}', ${value});`;
  const noteValue = (column: string): string => note(column, `NEW.${column}`);
  const inserted = WATCHED.map((column) => `IF NEW.${column} <> '' THEN ${noteValue(column)} END IF;`).join('\n');
  const updated = [...WATCHED, 's_email']
    .map(
      (column) => `IF NEW.${column} <> '' AND NOT (NEW.${column} <=> OLD.${column}) THEN ${noteValue(column)} END IF;`,
    )
    .join('\n');
  for (const [event, body] of [
    ['INSERT', `${note('inserted', 'NEW.s_email')} ${inserted}`],
    ['UPDATE', updated],
    ['DELETE', note('deleted', 'OLD.s_email')],
  ]) {
    await db.query(`CREATE TRIGGER ${TABLE}_${event} AFTER ${event} ON oc_t_user FOR EACH ROW BEGIN ${body} END`);
  }
}

/** Values that the site got more than once: `cars: s_website https://x/17 twice`. */
export async function doubledEffects({ name, db }: WorldSite): Promise<string[]> {
  const rows = await db.query<{ what: string; value: string; n: string }>(
    `SELECT what, value, COUNT(*) AS n FROM ${TABLE} GROUP BY what, value HAVING COUNT(*) > 1 LIMIT 100`,
  );
  return rows.map(({ what, value, n }) => `${name}: ${what} ${value} ${n} times`);
}
