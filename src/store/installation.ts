/** The id of this installation: what tells its user ids from those of one before it, or of one restored from a backup. */
import { sql } from 'kysely';
import { v4 } from 'uuid';
import { id, type OwnTables } from '../db/catalog.ts';
import { readState, writeState } from './state.ts';
import type { Runner } from '../db/transaction.ts';

/** Random, and made when it is first asked for; all daemons of a site have the same. */
export async function installationId(runner: Runner, own: OwnTables): Promise<string> {
  const known = await readState(runner, own, 'installation_id');
  if (known !== undefined) return known;
  const fresh = v4();
  // Another process may have been first.
  await sql`INSERT IGNORE INTO ${id(own.state)} (name, value) VALUES ('installation_id', ${fresh})`.execute(runner);
  return (await readState(runner, own, 'installation_id')) ?? fresh;
}

/** From now on this is another one: peers feed from it from the start. */
export async function renewInstallation(runner: Runner, own: OwnTables): Promise<void> {
  await writeState(runner, own, 'installation_id', v4());
}
