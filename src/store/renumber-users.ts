/** New ids for users whose key the site changed in place. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import type { OwnTable } from '../db/own-tables.ts';
import type { Runner } from '../db/transaction.ts';

/**
 * Gives the rows of users in a table of ours the users' new ids, all at once, so that two users may change places:
 * `UPDATE table SET user_id = ELT(FIELD(user_id, 5, 9), 9, 5) WHERE user_id IN (5, 9)`
 *
 * @param moves old id → new id
 */
export async function renumberUsers(
  runner: Runner,
  table: OwnTable,
  moves: ReadonlyMap<number, number>,
): Promise<void> {
  if (moves.size === 0) return;
  const before = bindList(moves.keys());
  await sql`
    UPDATE ${table} SET user_id = ELT(FIELD(user_id, ${before}), ${bindList(moves.values())})
    WHERE user_id IN (${before})`.execute(runner);
}
