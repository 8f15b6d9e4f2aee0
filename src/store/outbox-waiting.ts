/** What waits in the outboxes since when: enough to tell whether all that was there at a time is gone. */
import { sql } from 'kysely';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** By peer the time of the youngest change that waits to be sent, as it is stored. */
export async function youngestWaiting(runner: Runner): Promise<Map<string, string>> {
  const { rows } = await sql<{ peer: string; changed_at: string }>`
    SELECT peer, MAX(changed_at) AS changed_at FROM ${own.outbox} WHERE state = 'w' GROUP BY peer`.execute(runner);
  return new Map(rows.map((row) => [row.peer, row.changed_at]));
}

/** When the first is due of the entries of a peer that wait since then or before, as it is stored; null if there are none. */
export async function firstDueSince(runner: Runner, peer: string, changedAt: string): Promise<string | null> {
  const { rows } = await sql<{ due: string | null }>`
    SELECT MIN(due_at) AS due FROM ${own.outbox}
    WHERE peer = ${peer} AND state = 'w' AND changed_at <= ${changedAt}`.execute(runner);
  return rows[0]?.due ?? null;
}
