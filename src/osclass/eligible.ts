/** Users that a feed has. */
import { sql } from 'kysely';
import { id, type Table } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';

/** How many are active and enabled, with an id above `after`. `SELECT COUNT(*) FROM t_user WHERE pk_i_id > ? AND …` */
export async function countEligible(runner: Runner, table: Table, after: number): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${id(table.name)}
    WHERE pk_i_id > ${after} AND b_enabled = 1 AND b_active = 1`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}
