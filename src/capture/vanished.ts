/**
 * Accounts that went without being deleted: the table was emptied by TRUNCATE, or an older backup restored. They are
 * removed nowhere, but a person should know.
 */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import { FIRST_WAITING_ID } from '../store/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/**
 * How many accounts that we remember are not in `t_user` and have no delete marker. Whoever restores or empties a table
 * loses its last rows, so only when the last account we know is missing are all of them looked at.
 */
export async function countVanished(runner: Runner, catalog: Catalog): Promise<number> {
  const users = id(catalog.requireTable('t_user').name);
  const isGone = sql`NOT EXISTS (SELECT 1 FROM ${users} u WHERE u.pk_i_id = s.user_id)
    AND NOT EXISTS (SELECT 1 FROM ${own.queue} q WHERE q.user_id = s.user_id AND q.op = 'D')`;
  const last = await sql`
    SELECT 1 FROM (SELECT MAX(user_id) AS user_id FROM ${own.user} WHERE user_id < ${FIRST_WAITING_ID}) s
    WHERE s.user_id IS NOT NULL AND ${isGone}`.execute(runner);
  if (last.rows.length === 0) return 0;
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.user} s WHERE ${isGone}`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}
