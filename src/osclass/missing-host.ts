/** Telling a site whose tables were renamed or dropped while the daemon runs from one that was only changed. */
import { sql } from 'kysely';
import type { Runner } from '../db/transaction.ts';
import { isMissingTable } from '../db/failures.ts';
import { SyncError } from '../model/errors.ts';
import { findPrefixes } from './survey.ts';

/** Where the tables of the site are to be. */
export interface HostPlace {
  /** Name of the database. */
  readonly name: string;
  readonly tablePrefix: string;
}

/**
 * `HOST_TABLE_MISSING` in the place of an error that says that some table is missing, if `t_user` is missing too, with the
 * prefixes under which there are tables of Osclass; any other error as it is. `SELECT … FROM information_schema.TABLES`
 */
export async function explainMissing(db: Runner, place: HostPlace, error: unknown): Promise<unknown> {
  if (!(error instanceof SyncError) || error.remedy !== undefined) return error;
  const isMissing = error.code === 'HOST_CHANGED' && isMissingTable(error);
  if (!isMissing && error.code !== 'HOST_TABLE_MISSING') return error;
  try {
    if (await hasUsers(db, place)) return error;
    const table = `${place.tablePrefix}t_user`;
    const message = `The table ${table} is not in the database ${place.name} any more.`;
    const prefixes = (await findPrefixes(db, place.name)).map((prefix) => JSON.stringify(prefix));
    const remedy = prefixes.length === 0 ? ASK : movedTo(prefixes);
    return new SyncError('HOST_TABLE_MISSING', message, { cause: error, remedy });
  } catch {
    return error;
  }
}

const ASK =
  'Bring it back, or check `database.name` and `database.table_prefix`. The daemon goes on by itself when the table is there.';

function movedTo(prefixes: readonly string[]): string {
  return `This database has tables of Osclass with the prefix ${prefixes.join(', ')}. If they were renamed for good: stop the daemon, rename the tables account_sync_* too, set \`database.table_prefix\`, run "account-sync install", and start it again.`;
}

/** Whether the table of users is there. */
export async function hasUsers(db: Runner, { name, tablePrefix }: HostPlace): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = ${name} AND TABLE_NAME = ${`${tablePrefix}t_user`} LIMIT 1`.execute(db);
  return rows.length > 0;
}
