/** What was let through lately, per class, peer and direction: table `guard`. */
import { sql } from 'kysely';
import { bindList, bindRows, dividedForStatements } from '../db/bind.ts';
import { id, type Ident } from '../db/catalog.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';
import type { GuardClass } from '../model/guard.ts';
import type { StateName } from './state.ts';

/** `in`: the peer changes accounts here; `out`: we change them there. */
export type GuardDirection = 'in' | 'out';

/** Whose changes are counted, and which way they go. */
export interface GuardedPeer {
  readonly peer: string;
  readonly direction: GuardDirection;
}

/** Something that was let through. */
export interface GuardEvent {
  readonly name: GuardClass;
  /** How much it counts; 0: it is only remembered. */
  readonly weight: number;
  /** The account that was made, or that is gone (0 where its id is not known); null for all else. */
  readonly userId: number | null;
}

/** How much was let through. */
export interface GuardUse {
  readonly byPeer: number;
  /** By all peers together in that direction. */
  readonly byAll: number;
  /** Accounts that are there, or are gone, for it. */
  readonly accounts: number;
}

/**
 * How much of a class was let through since a time.
 * `SELECT peer, SUM(weight), COUNT(user_id) FROM guard WHERE class = ? AND direction = ? AND happened_at > ? GROUP BY peer`
 */
export async function guardUse(
  runner: Runner,
  { peer, direction }: GuardedPeer,
  name: GuardClass,
  sinceMs: number,
): Promise<GuardUse> {
  const { rows } = await sql<{ peer: string; used: string; accounts: string }>`
    SELECT peer, SUM(weight) AS used, COUNT(user_id) AS accounts FROM ${own.guard}
    WHERE class = ${name} AND direction = ${direction[0]} AND happened_at > ${toSqlTime(sinceMs)}
    GROUP BY peer`.execute(runner);
  return {
    byPeer: Number(rows.find((row) => row.peer === peer)?.used ?? 0),
    byAll: rows.reduce((sum, row) => sum + Number(row.used), 0),
    accounts: rows.reduce((sum, row) => sum + Number(row.accounts), 0),
  };
}

/** How many users there are, as far as `most`. `SELECT COUNT(*) FROM (SELECT 1 FROM t_user LIMIT ?)` */
export async function countUsersUpTo(runner: Runner, userTable: Ident, most: number): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM (SELECT 1 FROM ${id(userTable)} LIMIT ${most}) some`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}

const TURN: StateName = 'guard_turn';

/**
 * Makes all others that ask it wait until `trx` ends: what comes at once, from one peer or several, shares one allowance. The
 * value changes each time, so that on a cluster too only one of two that did not wait for each other commits.
 * `INSERT INTO state … ON DUPLICATE KEY UPDATE value = value + 1`
 */
export async function takeGuardTurn(trx: Runner): Promise<void> {
  await sql`
    INSERT INTO ${own.state} (name, value) VALUES (${TURN}, '1')
    ON DUPLICATE KEY UPDATE value = (value + 1) MOD 1000000`.execute(trx);
}

/** Those of the accounts whose creation was let through lately. `SELECT user_id FROM guard WHERE user_id IN (…) AND peer = ? …` */
export async function createdLately(
  runner: Runner,
  { peer, direction }: GuardedPeer,
  userIds: readonly number[],
): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await sql<{ user_id: number }>`
    SELECT DISTINCT user_id FROM ${own.guard}
    WHERE user_id IN (${bindList(userIds)}) AND class = 'creations' AND peer = ${peer} AND direction = ${direction[0]}`.execute(
    runner,
  );
  return new Set(rows.map((row) => row.user_id));
}

/** `INSERT INTO guard …` */
export async function noteGuarded(
  runner: Runner,
  { peer, direction }: GuardedPeer,
  events: readonly GuardEvent[],
  nowMs: number,
): Promise<void> {
  const now = toSqlTime(nowMs);
  const tuples = events.map(({ name, weight, userId }) => [peer, direction.slice(0, 1), now, name, weight, userId]);
  for (const some of dividedForStatements(tuples, (tuple) => tuple)) {
    await sql`
      INSERT INTO ${own.guard} (peer, direction, happened_at, class, weight, user_id)
      VALUES ${bindRows(some)}`.execute(runner);
  }
}

/** Who was created is remembered for so long: accounts are activated some time after they are made. */
const CREATED_MS = 7 * 86_400_000;

/** Forgets what counts no more, at most 10,000. `DELETE FROM guard WHERE happened_at < ? AND (class <> 'creations' OR …)` */
export async function forgetGuarded(runner: Runner, windowMs: number, nowMs: number): Promise<void> {
  await sql`
    DELETE FROM ${own.guard} WHERE happened_at < ${toSqlTime(nowMs - windowMs)}
      AND (class <> 'creations' OR happened_at < ${toSqlTime(nowMs - CREATED_MS)}) LIMIT 10000`.execute(runner);
}
