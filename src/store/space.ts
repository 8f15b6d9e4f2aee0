/** What our tables hold that nobody asks for any more, and how large the log may become. */
import { sql } from 'kysely';
import type { Runner } from '../db/transaction.ts';
import { nameOf, own } from '../db/own-tables.ts';

/** The log table, as the server estimates it. */
export interface LogSpace {
  readonly rows: number;
  readonly bytes: number;
  /** Where the server keeps its files. */
  readonly folder: string;
}

/** `SELECT TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH, @@datadir FROM information_schema.TABLES WHERE TABLE_NAME = log` */
export async function readLogSpace(runner: Runner, schema: string): Promise<LogSpace> {
  const { rows } = await sql<{ n: string | null; bytes: string | null; folder: string }>`
    SELECT TABLE_ROWS AS n, DATA_LENGTH + INDEX_LENGTH AS bytes, @@datadir AS folder FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = ${schema} AND TABLE_NAME = ${nameOf(own.log)}`.execute(runner);
  const [row] = rows;
  return { rows: Number(row?.n ?? 0), bytes: Number(row?.bytes ?? 0), folder: row?.folder ?? '' };
}

/** Entries of outboxes whose peer is not among these. `SELECT peer, COUNT(*) FROM outbox GROUP BY peer` */
export async function entriesOfOthers(
  runner: Runner,
  peers: readonly string[],
): Promise<{ peer: string; entries: number }[]> {
  const { rows } = await sql<{ peer: string; n: string }>`
    SELECT peer, COUNT(*) AS n FROM ${own.outbox} GROUP BY peer`.execute(runner);
  return rows.filter(({ peer }) => !peers.includes(peer)).map(({ peer, n }) => ({ peer, entries: Number(n) }));
}
