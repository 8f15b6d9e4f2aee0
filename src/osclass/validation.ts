/** Whether Osclass asks whoever registers, or changes the address, to open a link that it mails: a preference. */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';

/**
 * False too where the preference is not there, as Osclass takes it.
 * `SELECT s_value FROM t_preference WHERE s_section = 'osclass' AND s_name = 'enabled_user_validation'`
 */
export async function readValidates(runner: Runner, catalog: Catalog): Promise<boolean> {
  const table = catalog.table('t_preference');
  if (table === undefined) return false;
  const { rows } = await sql<{ value: string | null }>`SELECT s_value AS value FROM ${id(table.name)}
    WHERE s_section = 'osclass' AND s_name = 'enabled_user_validation'`.execute(runner);
  // As PHP takes a text for true.
  const value = rows[0]?.value ?? '';
  return value !== '' && value !== '0';
}
