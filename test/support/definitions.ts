/** How the tables and triggers of a database are defined, in the server's own words: to be compared byte for byte. */
import type { TestDatabase } from './database.ts';

/** How every table of the database was made, as the server says it. */
export async function tablesOf(database: TestDatabase): Promise<Record<string, unknown>> {
  const names = await database.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME`,
    [database.name],
  );
  const made: Record<string, unknown> = {};
  for (const { name } of names) {
    const [row] = await database.query(`SHOW CREATE TABLE \`${name}\``);
    made[name] = row?.['Create Table'];
  }
  return made;
}

/** All triggers, with everything the server knows of them. */
export async function triggersOf(database: TestDatabase): Promise<unknown[]> {
  return database.query(
    `SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_STATEMENT, SQL_MODE, DEFINER,
       CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION
     FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY TRIGGER_NAME`,
    [database.name],
  );
}

/** Without the next number of each table: that goes on as rows are written. */
export function withoutCounters(made: unknown): unknown {
  return JSON.parse(JSON.stringify(made).replaceAll(/ AUTO_INCREMENT=\d+/g, ''));
}
