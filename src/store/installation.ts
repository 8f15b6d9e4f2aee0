/** The id of this installation: what tells its user ids from those of one before it, or of one restored from a backup. */
import { sql } from 'kysely';
import { v4 } from 'uuid';
import { readState, writeState } from './state.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** Random, and made when it is first asked for; all daemons of a site have the same. */
export async function installationId(runner: Runner): Promise<string> {
  const known = await readState(runner, 'installation_id');
  if (known !== undefined) return known;
  const fresh = v4();
  // Another process may have been first.
  await sql`INSERT IGNORE INTO ${own.state} (name, value) VALUES ('installation_id', ${fresh})`.execute(runner);
  return (await readState(runner, 'installation_id')) ?? fresh;
}

/** From now on this is another one: peers feed from it from the start. */
export async function renewInstallation(runner: Runner): Promise<void> {
  await writeState(runner, 'installation_id', v4());
}
