/** Removals and disablings that were let through lately, per peer and direction: table `guard`. */
import { sql } from 'kysely';
import { allowance, type GuardLimits } from '../model/guard.ts';
import { id, type Ident } from '../db/catalog.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** `in`: the peer removes here; `out`: we remove there. */
export type GuardDirection = 'in' | 'out';

/**
 * How many more removals and disablings may go through now. Users are counted only once the plain number is used up.
 * `SELECT COUNT(*) FROM guard WHERE peer = ? AND direction = ? AND happened_at > ?`
 */
export async function guardAllowance(
  runner: Runner,
  limits: GuardLimits,
  peer: string,
  direction: GuardDirection,
  userTable: Ident,
  nowMs: number,
): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.guard}
    WHERE peer = ${peer} AND direction = ${direction[0]} AND happened_at > ${toSqlTime(nowMs - limits.windowMs)}`.execute(
    runner,
  );
  const used = Number(rows[0]?.n ?? 0);
  const counted = await sql<{ n: string }>`SELECT COUNT(*) AS n FROM ${id(userTable)}`.execute(runner);
  // Those already let through were users when the window began.
  return allowance(limits, used, Number(counted.rows[0]?.n ?? 0) + used);
}

/**
 * Makes all others that ask it wait until `trx` ends: requests of a peer that come at once share one allowance.
 * `INSERT INTO peer … ON DUPLICATE KEY UPDATE name = name`: locks the row of the peer, whether it was there or not.
 */
export async function guardAlone(trx: Runner, peer: string): Promise<void> {
  await sql`INSERT INTO ${own.peer} (name) VALUES (${peer}) ON DUPLICATE KEY UPDATE name = VALUES(name)`.execute(trx);
}

/** Notes that so many were let through. */
export async function noteGuarded(
  runner: Runner,
  peer: string,
  direction: GuardDirection,
  count: number,
  nowMs: number,
): Promise<void> {
  if (count === 0) return;
  const row = sql`(${peer}, ${direction[0]}, ${toSqlTime(nowMs)})`;
  await sql`
    INSERT INTO ${own.guard} (peer, direction, happened_at)
    VALUES ${sql.join(Array.from({ length: count }, () => row))}`.execute(runner);
}

/** `DELETE FROM guard WHERE happened_at < ?` */
export async function forgetGuarded(runner: Runner, beforeMs: number): Promise<void> {
  await sql`DELETE FROM ${own.guard} WHERE happened_at < ${toSqlTime(beforeMs)} LIMIT 10000`.execute(runner);
}
