/** Entries of outboxes that wait because nobody proved the address of the account here. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import { own } from '../db/own-tables.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';

const IS_UNPROVEN = sql`kind = 'u' AND state = 'p' AND code = 'EMAIL_UNPROVEN'`;

/** Users with such an entry for a peer, by rising id. `SELECT ref FROM outbox WHERE peer = ? AND kind = 'u' AND ref > ? … LIMIT ?` */
export async function usersUntold(runner: Runner, peer: string, after: number, limit: number): Promise<number[]> {
  const { rows } = await sql<{ ref: string }>`
    SELECT ref FROM ${own.outbox} WHERE peer = ${peer} AND ${IS_UNPROVEN} AND ref > ${after}
    ORDER BY ref LIMIT ${limit}`.execute(runner);
  return rows.map((row) => Number(row.ref));
}

/** These go out again, now. `UPDATE outbox SET state = 'w' … WHERE peer = ? AND ref IN (…)` */
export async function wakeUntold(
  runner: Runner,
  peer: string,
  userIds: readonly number[],
  nowMs: number,
): Promise<void> {
  if (userIds.length === 0) return;
  await sql`
    UPDATE ${own.outbox} SET state = 'w', due_at = ${toSqlTime(nowMs)}, attempts = 0, code = NULL
    WHERE peer = ${peer} AND ${IS_UNPROVEN} AND ref IN (${bindList(userIds)})`.execute(runner);
}
