/** Every row of every table of a database, so that a test can say that nothing at all was written. */
import { createHash } from 'node:crypto';
import { escapeId } from 'mysql2';
import type { TestDatabase } from './database.ts';

/** Table name → digest of its rows. Equal snapshots: equal tables. For small databases. */
export async function snapshotTables(db: TestDatabase): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME`,
    [db.name],
  );
  const snapshot: Record<string, string> = {};
  for (const { name } of tables) {
    const rows = await db.query(`SELECT * FROM ${escapeId(db.name)}.${escapeId(name)}`);
    const texts = rows.map((row) => JSON.stringify(row)).toSorted();
    snapshot[name] = `${rows.length} ${createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16)}`;
  }
  return snapshot;
}
