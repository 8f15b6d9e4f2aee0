/** The outboxes: one entry per peer and user still to be sent. An entry holds no values, so changes of a user coalesce. */
import { sql, type RawBuilder } from 'kysely';
import { bindList, bindRows, dividedForStatements } from '../db/bind.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import type { ErrorCode } from '../model/errors.ts';
import { CHANGE, type Changes } from '../model/guard.ts';
import type { OutboxEntry } from '../model/route.ts';
import { own } from '../db/own-tables.ts';

/** An entry as read: confirming it needs the generation, so that a change made meanwhile is not lost (invariant 3). */
export interface DueEntry {
  readonly kind: OutboxEntry['kind'];
  readonly ref: number;
  readonly generation: number;
  readonly attempts: number;
  /** Oldest change not yet confirmed, UTC. */
  readonly changedAt: string;
  /** What of it the guard counts. */
  readonly changes: Changes;
  /** Those that the guard, or a person, let through. */
  readonly passed: Changes;
  /** Those that wait for a person: they are left out of what is sent. */
  readonly held: Changes;
  /** Why it was not confirmed when it was tried last; null at first. */
  readonly code: ErrorCode | null;
}

const KIND = { user: 'u', removal: 'r' } as const;

/** An account that is blocked and unblocked before a peer heard of it is as it was. */
const STATUS_CHANGES = CHANGE.removal | CHANGE.revival;

/**
 * What the guard counts of an entry that waits, and of the same user now: both; but of two changes of status that undo each
 * other neither. `VALUES` is what comes.
 */
const JOINED_CHANGES = sql`(COALESCE(guarded, 0) | VALUES(guarded)) & ~IF(
  (guarded & ${STATUS_CHANGES}) <> 0 AND (VALUES(guarded) & ${STATUS_CHANGES}) <> 0
    AND (guarded & ${STATUS_CHANGES}) <> (VALUES(guarded) & ${STATUS_CHANGES}), ${STATUS_CHANGES}, 0)`;

/**
 * `INSERT INTO outbox … ON DUPLICATE KEY UPDATE generation = generation + 1`: an entry that waits is due at once again. What of
 * it the guard holds stays held, and the rest goes out; a removal or a new account is held as a whole.
 */
export async function enqueue(runner: Runner, entries: readonly OutboxEntry[], nowMs: number): Promise<void> {
  const now = toSqlTime(nowMs);
  const tuples = entries.map(({ peer, kind, ref, changes = 0 }) => [peer, KIND[kind], ref, now, now, changes]);
  for (const some of dividedForStatements(tuples, (tuple) => tuple)) {
    await sql`
      INSERT INTO ${own.outbox} (peer, kind, ref, changed_at, due_at, guarded) VALUES ${bindRows(some)}
      ON DUPLICATE KEY UPDATE generation = generation + 1, due_at = VALUES(due_at), attempts = 0,
        guarded = ${JOINED_CHANGES}, passed = passed & guarded, held = held & guarded,
        state = IF(state = 'h' AND ${IS_HELD_WHOLE}, 'h', 'w'), code = IF(state = 'h', code, NULL)`.execute(runner);
  }
}

/** Of these there is no rest that could go out. */
const IS_HELD_WHOLE = sql`held <> 0 AND (kind = 'r' OR (held & ${CHANGE.creation}) <> 0)`;

/** No entry is made to wait as long: one that would has been waiting since before the clock was set back. */
const LONGEST_WAIT_MS = 10 * 60_000;

/** `due_at <= now`, whatever happened to the clock since. */
function isDue(nowMs: number): RawBuilder<unknown> {
  return sql`(due_at <= ${toSqlTime(nowMs)} OR due_at > ${toSqlTime(nowMs + LONGEST_WAIT_MS)})`;
}

/** `SELECT … WHERE peer = ? AND state = 'w' AND due_at <= now ORDER BY due_at LIMIT ?` */
export async function dueEntries(runner: Runner, peer: string, nowMs: number, limit: number): Promise<DueEntry[]> {
  const { rows } = await sql<{
    kind: 'u' | 'r';
    ref: string;
    generation: number;
    attempts: number;
    changed_at: string;
    guarded: number | null;
    passed: number;
    held: number;
    code: ErrorCode | null;
  }>`
    SELECT kind, ref, generation, attempts, changed_at, guarded, passed, held, code FROM ${own.outbox}
    WHERE peer = ${peer} AND state = 'w' AND ${isDue(nowMs)}
    ORDER BY due_at, kind, ref LIMIT ${limit}`.execute(runner);
  return rows.map((row) => ({
    kind: row.kind === 'u' ? 'user' : 'removal',
    ref: Number(row.ref),
    generation: row.generation,
    attempts: row.attempts,
    changedAt: row.changed_at,
    changes: row.guarded ?? 0,
    passed: row.passed,
    held: row.held,
    code: row.code,
  }));
}

/**
 * Those of the peers that have an entry which is due. One statement for all, which looks at one entry of each, however many
 * wait: `SELECT ? AS peer FROM DUAL WHERE EXISTS (SELECT 1 … WHERE peer = ? AND state = 'w' AND due_at <= now) UNION ALL …`
 */
export async function peersWithDue(runner: Runner, peers: readonly string[], nowMs: number): Promise<string[]> {
  if (peers.length === 0) return [];
  const asked = peers.map(
    (peer) => sql`SELECT ${peer} AS peer FROM DUAL WHERE EXISTS
      (SELECT 1 FROM ${own.outbox} WHERE peer = ${peer} AND state = 'w' AND ${isDue(nowMs)})`,
  );
  const { rows } = await sql<{ peer: string }>`${sql.join(asked, sql` UNION ALL `)}`.execute(runner);
  return rows.map((row) => row.peer);
}

/**
 * `DELETE … WHERE peer = ? AND kind = ? AND generation = ? AND changed_at <= ? AND ref IN (…)`, once for each generation, of
 * which there are few: what changed since it was read has another one and stays. Where something was left out, only the rest is
 * confirmed: `UPDATE … SET state = 'h'`.
 */
export async function confirm(runner: Runner, peer: string, entries: readonly DueEntry[]): Promise<void> {
  for (const alike of conditionsOf(entries.filter(({ held }) => held === 0))) {
    await sql`DELETE FROM ${own.outbox} WHERE peer = ${peer} AND ${alike}`.execute(runner);
  }
  const message = heldMessage(peer);
  for (const alike of conditionsOf(entries.filter(({ held }) => held !== 0))) {
    await sql`
      UPDATE ${own.outbox} SET state = 'h', guarded = held, passed = 0, attempts = 0, code = 'GUARD_HELD', message = ${message}
      WHERE peer = ${peer} AND ${alike}`.execute(runner);
  }
}

/** What is said of an entry that waits for approval. */
function heldMessage(peer: string): string {
  return `More than the guard lets through to ${peer}; see "account-sync approve ${peer}".`;
}

/** What the guard decided of an entry. `isWhole`: nothing of it may go out. */
export interface GuardDecision {
  readonly passed: Changes;
  readonly held: Changes;
  readonly isWhole: boolean;
}

/**
 * Writes down what was decided of entries, the same of all: those that are held as a whole are not due any more.
 * `UPDATE outbox SET passed = passed | ?, held = held | ? … WHERE …`
 */
export async function noteDecided(
  runner: Runner,
  peer: string,
  entries: readonly DueEntry[],
  { passed, held, isWhole }: GuardDecision,
): Promise<void> {
  const state = isWhole ? sql`, state = 'h', code = 'GUARD_HELD', message = ${heldMessage(peer)}` : sql``;
  for (const alike of conditionsOf(entries)) {
    await sql`
      UPDATE ${own.outbox} SET passed = passed | ${passed}, held = held | ${held} ${state}
      WHERE peer = ${peer} AND ${alike}`.execute(runner);
  }
}

/** Removals for a peer of which the guard has not decided that they pass. `SELECT COUNT(*) FROM outbox WHERE kind = 'r' …` */
export async function undecidedRemovals(runner: Runner, peer: string): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.outbox}
    WHERE peer = ${peer} AND kind = 'r' AND (passed & ${CHANGE.removal}) = 0`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}

/** An entry that waits for another try. */
export interface Postponed extends DueEntry {
  readonly dueAtMs: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Entries that wait for another try, each with its reason. */
export async function postpone(runner: Runner, peer: string, entries: readonly Postponed[]): Promise<void> {
  for (const entry of entries) {
    await sql`
      UPDATE ${own.outbox}
      SET attempts = attempts + 1, due_at = ${toSqlTime(entry.dueAtMs)}, code = ${entry.code},
        message = ${entry.message.slice(0, 255)}
      WHERE peer = ${peer} AND ${same(entry)}`.execute(runner);
  }
}

/** An entry that cannot succeed by waiting: kept for a person. A new change of the user lets it go out again. */
export async function park(
  runner: Runner,
  peer: string,
  entry: DueEntry,
  reason: { code: ErrorCode; message: string },
): Promise<void> {
  await sql`
    UPDATE ${own.outbox}
    SET state = 'p', attempts = attempts + 1, code = ${reason.code}, message = ${reason.message.slice(0, 255)}
    WHERE peer = ${peer} AND ${same(entry)}`.execute(runner);
}

/** One entry, named as lists name it. */
export type EntryName = Pick<OutboxEntry, 'peer' | 'kind' | 'ref'>;

/** A parked entry is sent again, now. True if there was one. */
export async function retryEntry(runner: Runner, entry: EntryName, nowMs: number): Promise<boolean> {
  const result = await sql`
    UPDATE ${own.outbox} SET state = 'w', due_at = ${toSqlTime(nowMs)}, attempts = 0
    WHERE peer = ${entry.peer} AND kind = ${KIND[entry.kind]} AND ref = ${entry.ref} AND state = 'p'`.execute(runner);
  return result.numAffectedRows === 1n;
}

/** A parked entry is given up. True if there was one. */
export async function dropEntry(runner: Runner, entry: EntryName): Promise<boolean> {
  const result = await sql`
    DELETE FROM ${own.outbox}
    WHERE peer = ${entry.peer} AND kind = ${KIND[entry.kind]} AND ref = ${entry.ref} AND state = 'p'`.execute(runner);
  return result.numAffectedRows === 1n;
}

/**
 * What the guard holds for a peer goes out, as far as it is one of the `changes`; a delivery under way is about the rest only.
 * Returns how many entries.
 * `UPDATE outbox SET generation = generation + 1, passed = passed | (held & ?), held = held & ~? … WHERE peer = ? AND held & ?`
 */
export async function releaseHeld(runner: Runner, peer: string, changes: Changes, nowMs: number): Promise<number> {
  const result = await sql`
    UPDATE ${own.outbox}
    SET generation = generation + 1, passed = passed | (held & ${changes}), held = held & ~${changes},
      state = IF(state = 'p' OR (${IS_HELD_WHOLE}), state, 'w'), due_at = ${toSqlTime(nowMs)},
      code = IF(state = 'w', NULL, code)
    WHERE peer = ${peer} AND (held & ${changes}) <> 0`.execute(runner);
  return Number(result.numAffectedRows ?? 0n);
}

/** By which changes how many entries of a peer are held. `SELECT held, COUNT(*) FROM outbox WHERE peer = ? AND held & ? GROUP BY held` */
export async function countHeld(runner: Runner, peer: string, changes: Changes): Promise<HeldCount[]> {
  const { rows } = await sql<{ held: number; n: string }>`
    SELECT held, COUNT(*) AS n FROM ${own.outbox}
    WHERE peer = ${peer} AND (held & ${changes}) <> 0 GROUP BY held`.execute(runner);
  return rows.map(({ held, n }) => ({ held, count: Number(n) }));
}

/** So many are held for the same changes. */
export interface HeldCount {
  readonly held: Changes;
  readonly count: number;
}

/** Entries that wait to be sent, of all peers. */
export async function countWaiting(runner: Runner): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.outbox} WHERE state = 'w'`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}

/** Users with an entry in any outbox: changes of theirs that some peer has not seen. */
export async function usersWaiting(
  runner: Runner,
  peers: readonly string[],
  userIds: readonly number[],
): Promise<Set<number>> {
  if (peers.length === 0 || userIds.length === 0) return new Set();
  const { rows } = await sql<{ ref: string }>`
    SELECT DISTINCT ref FROM ${own.outbox}
    WHERE peer IN (${bindList(peers)}) AND kind = 'u' AND ref IN (${bindList(userIds)})`.execute(runner);
  return new Set(rows.map((row) => Number(row.ref)));
}

/** Entries of users that were removed; their removals have entries of their own. */
export async function dropUsers(runner: Runner, peers: readonly string[], userIds: readonly number[]): Promise<void> {
  if (peers.length === 0 || userIds.length === 0) return;
  await sql`
    DELETE FROM ${own.outbox}
    WHERE peer IN (${bindList(peers)}) AND kind = 'u' AND ref IN (${bindList(userIds)})`.execute(runner);
}

/**
 * Entries of users whose ids changed: `DELETE … WHERE peer = ? AND kind = 'u' AND ref IN (…)`, and the same again under the new
 * ids. They count as changed now, in a generation that no entry under those ids had: a delivery under way is about others.
 */
export async function renumberEntries(
  runner: Runner,
  moves: ReadonlyMap<number, number>,
  nowMs: number,
): Promise<void> {
  if (moves.size === 0) return;
  const ids = bindList([...moves.keys()]);
  const { rows } = await sql<MovedRow>`
    SELECT peer, ref, generation, state, due_at, attempts, guarded, passed, held, code, message FROM ${own.outbox}
    WHERE kind = 'u' AND ref IN (${ids})`.execute(runner);
  if (rows.length === 0) return;
  for (const peer of new Set(rows.map((row) => row.peer))) {
    await sql`DELETE FROM ${own.outbox} WHERE peer = ${peer} AND kind = 'u' AND ref IN (${ids})`.execute(runner);
  }
  const generation = Math.max(...rows.map((row) => row.generation)) + 1;
  const now = toSqlTime(nowMs);
  const tuples = rows.map(({ peer, ref, state, due_at, attempts, guarded, passed, held, code, message }) => {
    const moved = moves.get(Number(ref)) ?? Number(ref);
    return [peer, 'u', moved, generation, state, now, due_at, attempts, guarded, passed, held, code, message];
  });
  await sql`
    INSERT INTO ${own.outbox}
      (peer, kind, ref, generation, state, changed_at, due_at, attempts, guarded, passed, held, code, message)
    VALUES ${bindRows(tuples)}`.execute(runner);
}

/** An entry as it is stored. */
interface MovedRow {
  peer: string;
  ref: string;
  generation: number;
  state: string;
  due_at: string;
  attempts: number;
  guarded: number | null;
  passed: number;
  held: number;
  code: string | null;
  message: string | null;
}

function same({ kind, ref, generation, changedAt }: DueEntry): RawBuilder<unknown> {
  return sql`(kind = ${KIND[kind]} AND ref = ${ref} AND generation = ${generation} AND changed_at = ${changedAt})`;
}

/**
 * One condition for all entries of a kind and generation: servers need 100 ms to make a plan of 500 that are joined by OR.
 * An entry dropped since they were read, and made again for another account that has the id now, has the first generation
 * again, and is younger than all of them.
 */
function conditionsOf(entries: readonly DueEntry[]): RawBuilder<unknown>[] {
  const groups = Map.groupBy(entries, ({ kind, generation }) => `${kind} ${generation}`);
  const youngest = entries.reduce((latest, { changedAt }) => (changedAt > latest ? changedAt : latest), '');
  return [...groups.values()].map((group) => {
    const [{ kind, generation }] = group as [DueEntry, ...DueEntry[]];
    const refs = bindList(group.map(({ ref }) => ref));
    return sql`kind = ${KIND[kind]} AND generation = ${generation} AND changed_at <= ${youngest} AND ref IN (${refs})`;
  });
}
