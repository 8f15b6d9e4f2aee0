/** Our own tables: made and changed by the numbered files in `sql/`. */
import { setTimeout as wait } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { SyncError } from '../model/errors.ts';
import { isAlterDoneBefore, isConflict, isMissingTable } from './failures.ts';
import { readMigrations, type Migration } from './sql-script.ts';
import type { Runner } from './transaction.ts';
import { own, ownName, type OwnTable } from './own-tables.ts';

/** About a minute in all, like that of triggers. */
const TRIES = 13;
const PAUSE_MS = 500;

/** Every statement that a first installation runs on our tables, for `--dry-run`. */
export function migrationStatements(prefix: string): string[] {
  return readMigrations(prefix).flatMap((migration) => migration.statements);
}

/**
 * Brings our tables to the newest form and returns the names of the files that were run (none: nothing to do). The row
 * of a file is written before its first statement and finished after its last; a file that was begun is run again from
 * its start, which its statements allow. Two daemons may do this at once.
 * Throws `SCHEMA_NEWER` if the tables know a file that this version does not have.
 */
export async function migrate(
  db: Kysely<unknown>,
  prefix: string,
  migrations: readonly Migration[] = readMigrations(prefix),
): Promise<string[]> {
  // The first statement of the first file makes the table of migrations itself.
  const [first] = migrations;
  if (first?.statements[0] !== undefined) await sql.raw(first.statements[0]).execute(db);
  const pending = await pendingMigrations(db, migrations);
  for (const migration of pending) {
    await sql`INSERT INTO ${own.migration} (id, name, started_at)
      VALUES (${migration.id}, ${migration.name}, UTC_TIMESTAMP(3))
      ON DUPLICATE KEY UPDATE name = VALUES(name)`.execute(db);
    for (const statement of migration.statements) await runOnce(db, statement);
    await sql`UPDATE ${own.migration} SET finished_at = UTC_TIMESTAMP(3) WHERE id = ${migration.id}`.execute(db);
  }
  return pending.map((migration) => migration.name);
}

/** Makes one table of ours again, or brings it to the newest form, with what the files say of it. */
export async function remakeTable(db: Kysely<unknown>, prefix: string, { purpose }: OwnTable): Promise<void> {
  const isAbout = /^(?:CREATE TABLE IF NOT EXISTS|ALTER TABLE) `([^`]+)`/;
  const table = ownName(prefix, purpose);
  const statements = migrationStatements(prefix).filter((statement) => isAbout.exec(statement)?.[1] === table);
  if (statements.length === 0) throw new SyncError('INTERNAL', `No statement makes ${table}.`);
  for (const statement of statements) await runOnce(db, statement);
}

/**
 * Runs it, or finds that it was run. A transaction of the site that has put markers into a table keeps it until it ends, and
 * others wait behind us, so we wait for no longer than `lock_wait_timeout` (1 s) at a time.
 */
async function runOnce(db: Kysely<unknown>, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await sql.raw(statement).execute(db);
      return;
    } catch (error) {
      // An ALTER is one statement, so all or nothing: it had been run before a crash.
      if (isAlterDoneBefore(error)) return;
      if (!isConflict(error)) throw error;
      if (attempt >= TRIES) throw new SyncError('TABLE_BUSY', undefined, { cause: error });
      await wait(Math.min(PAUSE_MS * 2 ** (attempt - 1), 10 * PAUSE_MS));
    }
  }
}

/**
 * The files that still have to be run (or run again), in order; all of them on a database without our tables.
 * Throws `SCHEMA_NEWER` as {@link migrate} does. Writes nothing.
 */
export async function pendingMigrations(db: Runner, migrations: readonly Migration[]): Promise<Migration[]> {
  const rows = await startedMigrations(db);
  const newest = Math.max(0, ...migrations.map((migration) => migration.id));
  const newer = rows.find((row) => row.id > newest);
  if (newer !== undefined) {
    throw new SyncError('SCHEMA_NEWER', `The tables were changed by ${newer.name}, which this version does not have.`);
  }
  const finished = new Set(rows.filter((row) => row.finished).map((row) => row.id));
  return migrations.filter((migration) => !finished.has(migration.id));
}

/** True if our tables are there, complete at least as of the first migration. */
export async function isInstalled(db: Runner): Promise<boolean> {
  const rows = await startedMigrations(db);
  return rows.some((row) => row.finished);
}

/** Removes all our tables, the list of migrations last, so that what was interrupted can be repeated. */
export async function dropOwnTables(db: Runner): Promise<void> {
  const { migration, ...others } = own;
  for (const table of [...Object.values(others), migration]) await sql`DROP TABLE IF EXISTS ${table}`.execute(db);
}

interface StartedMigration {
  id: number;
  name: string;
  finished: boolean;
}

async function startedMigrations(db: Runner): Promise<StartedMigration[]> {
  try {
    const { rows } = await sql<{ id: number; name: string; finished_at: string | null }>`
      SELECT id, name, finished_at FROM ${own.migration} ORDER BY id`.execute(db);
    return rows.map((row) => ({ id: row.id, name: row.name, finished: row.finished_at !== null }));
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}
