/** Incoming records that wait: for a person, or for a change of this site. One row per peer and user. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import { fromSqlTime, toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { renumberUsers } from './renumber-users.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { Changes } from '../model/guard.ts';
import type { ParkedRef } from '../model/outcome.ts';
import type { WireRecord } from '../model/record.ts';
import { uidToBytes, uidsFromBytes, type Uid } from '../model/uid.ts';
import { keepRecord } from './kept-record.ts';
import { own } from '../db/own-tables.ts';
import type { HeldCount } from './outbox.ts';

/** `tried_at` of a record that is to be tried at once. */
const WOKEN = '1970-01-01 00:00:00.000';

/** A record to be kept. */
export interface ParkedRecord {
  readonly peer: string;
  readonly uid: Uid;
  readonly userId: number | null;
  readonly code: ErrorCode;
  readonly message: string;
  readonly record: WireRecord;
  /** What of it the guard holds; absent: nothing. */
  readonly held?: Changes;
  /** It is of an account that is not that of here: nothing of it is wanted before it is proved, and then it comes again. */
  readonly isStranger?: true;
}

/** A record that was kept. */
export interface ParkedRow extends ParkedRef {
  readonly peer: string;
  readonly userId: number | null;
  readonly code: string;
  readonly record: WireRecord;
  /** Since when a record of this user and peer waits. */
  readonly createdAtMs: number;
}

/**
 * `INSERT INTO parked … ON DUPLICATE KEY UPDATE`: a later record of the same user and peer takes the place, and so does
 * that of an earlier account there which had the address of the same account here.
 */
export async function parkRecords(runner: Runner, records: readonly ParkedRecord[], nowMs: number): Promise<void> {
  const now = toSqlTime(nowMs);
  await unparkReplaced(runner, records);
  for (const { peer, uid, userId, code, message, record, held = 0 } of records) {
    const { body, leftOut } = keepRecord(record);
    const left = leftOut.length === 0 ? '' : ` Too large to be tried again from here: ${leftOut.join(', ')}.`;
    const why = message.slice(0, 500 - Math.min(left.length, 250)) + left.slice(0, 250);
    await sql`
      INSERT INTO ${own.parked} (peer, uid, user_id, code, message, record, held, bytes, created_at, tried_at)
      VALUES (${peer}, ${uidToBytes(uid)}, ${userId}, ${code}, ${why}, ${body}, ${held}, ${body.length}, ${now}, ${now})
      ON DUPLICATE KEY UPDATE user_id = VALUES(user_id), code = VALUES(code), message = VALUES(message),
        record = VALUES(record), held = VALUES(held), bytes = VALUES(bytes), tried_at = VALUES(tried_at), attempts = attempts + 1`.execute(
      runner,
    );
  }
}

/** `DELETE FROM parked WHERE peer = ? AND user_id = ? AND code = … AND uid <> ? AND NOT EXISTS (SELECT … FROM uid …)` */
async function unparkReplaced(runner: Runner, records: readonly ParkedRecord[]): Promise<void> {
  for (const { peer, uid, userId, isStranger } of records) {
    if (isStranger !== true || userId === null) continue;
    // What has a uid of the account here is of that account, and waits for something else.
    await sql`
      DELETE FROM ${own.parked}
      WHERE peer = ${peer} AND user_id = ${userId} AND code = 'EMAIL_UNPROVEN' AND uid <> ${uidToBytes(uid)}
        AND NOT EXISTS (SELECT 1 FROM ${own.uid} k WHERE k.uid = ${own.parked}.uid AND k.user_id = ${userId})`.execute(
      runner,
    );
  }
}

/** Notes why a parked record has to stay. `UPDATE parked SET … WHERE id = ? AND attempts = ?` */
export async function parkAgain(
  runner: Runner,
  { id: parkedId, attempts }: ParkedRef,
  { userId, code, message, held = 0 }: Pick<ParkedRecord, 'userId' | 'code' | 'message' | 'held'>,
  nowMs: number,
): Promise<void> {
  await sql`
    UPDATE ${own.parked} SET user_id = ${userId}, code = ${code}, message = ${message.slice(0, 500)}, held = ${held},
      tried_at = ${toSqlTime(nowMs)}, attempts = attempts + 1
    WHERE id = ${parkedId} AND attempts = ${attempts}`.execute(runner);
}

/** Deletes a parked record that was applied. `DELETE FROM parked WHERE id = ? AND attempts = ?` */
export async function unparkRow(runner: Runner, { id: parkedId, attempts }: ParkedRef): Promise<void> {
  await sql`DELETE FROM ${own.parked} WHERE id = ${parkedId} AND attempts = ${attempts}`.execute(runner);
}

/** Takes out what went through. `DELETE FROM parked WHERE peer = ? AND uid IN (…)` */
export async function unparkRecords(runner: Runner, peer: string, uids: readonly Uid[]): Promise<void> {
  if (uids.length === 0) return;
  await sql`
    DELETE FROM ${own.parked} WHERE peer = ${peer} AND uid IN (${bindList(uids.map(uidToBytes))})`.execute(runner);
}

/**
 * Deletes the parked records of removed users, whichever peer sent them: an account that stays does so under another uid,
 * and is sent again under
 * that. `DELETE FROM parked WHERE uid IN (…)`
 */
export async function unparkRemoved(runner: Runner, uids: readonly Uid[]): Promise<void> {
  await sql`DELETE FROM ${own.parked} WHERE uid IN (${sql.join(uids.map(uidToBytes))})`.execute(runner);
}

/**
 * Deletes what waits for an address of accounts that nobody here has, for the peer was installed again: it has those under other
 * uids now, and a feed that is due tells of them. Removals stay, for such a peer does not remember them. `DELETE FROM parked WHERE
 * peer = ? AND code IN ('EMAIL_TAKEN', 'EMAIL_UNPROVEN') AND … = 'user' AND NOT EXISTS (SELECT … FROM uid …)`
 */
export async function unparkForgotten(runner: Runner, peer: string): Promise<void> {
  await sql`
    DELETE FROM ${own.parked}
    WHERE peer = ${peer} AND code IN ('EMAIL_TAKEN', 'EMAIL_UNPROVEN')
      AND JSON_UNQUOTE(JSON_EXTRACT(CONVERT(record USING utf8mb4), '$.kind')) = 'user'
      AND NOT EXISTS (SELECT 1 FROM ${own.uid} k WHERE k.uid = ${own.parked}.uid)`.execute(runner);
}

/** What nobody proved goes through when somebody does, which wakes it; else it is tried so often, in case a date has come. */
const UNPROVEN_EVERY_MS = 3_600_000;

/**
 * Records not tried within `everyMs`, or those of given ids. What only a person, a language or the config can let through is
 * not tried for nothing: a person decides, or it is woken. One tried after now was so before the clock was set back.
 */
export async function readParked(
  runner: Runner,
  filter:
    { readonly ids: readonly number[] } | { readonly nowMs: number; readonly everyMs: number; readonly limit: number },
): Promise<ParkedRow[]> {
  if ('ids' in filter && filter.ids.length === 0) return [];
  const where =
    'ids' in filter
      ? sql`id IN (${bindList(filter.ids)})`
      : sql`(tried_at <= ${toSqlTime(filter.nowMs - filter.everyMs)} OR tried_at > ${toSqlTime(filter.nowMs)}) AND
          (code <> 'EMAIL_UNPROVEN' OR tried_at <= ${toSqlTime(filter.nowMs - UNPROVEN_EVERY_MS)}) AND
          (code NOT IN ('GUARD_HELD', 'LOCALE_UNKNOWN', 'NOT_ACCEPTED') OR (code <> 'GUARD_HELD' AND tried_at = ${WOKEN})) ORDER BY tried_at, id LIMIT ${filter.limit}`;
  const { rows } = await sql<{
    id: string;
    peer: string;
    user_id: number | null;
    code: string;
    record: Buffer;
    created_at: string;
    attempts: number;
  }>`
    SELECT id, peer, user_id, code, record, created_at, attempts FROM ${own.parked} WHERE ${where}`.execute(runner);
  return rows.map((row) => ({
    id: Number(row.id),
    peer: row.peer,
    userId: row.user_id,
    code: row.code,
    record: JSON.parse(row.record.toString('utf8')) as WireRecord,
    createdAtMs: fromSqlTime(row.created_at),
    attempts: row.attempts,
  }));
}

/**
 * Those of the users that should have another address by now, which is another account's here.
 * `SELECT DISTINCT user_id FROM parked WHERE code = 'EMAIL_TAKEN' AND user_id IN (…)`
 */
export async function usersContested(runner: Runner, userIds: readonly number[]): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await sql<{ user_id: number }>`
    SELECT DISTINCT user_id FROM ${own.parked}
    WHERE code = 'EMAIL_TAKEN' AND user_id IN (${bindList(userIds)})`.execute(runner);
  return new Set(rows.map((row) => row.user_id));
}

/**
 * The addresses that accounts of the users have at the peer, where one of them waits until somebody proves something. `SELECT
 * user_id, record FROM parked JOIN uid ON … WHERE peer = ? AND code = 'EMAIL_UNPROVEN' AND user_id IN (…)`
 */
export async function addressesUnproven(
  runner: Runner,
  peer: string,
  userIds: readonly number[],
): Promise<{ readonly userId: number; readonly email: string }[]> {
  if (userIds.length === 0) return [];
  const { rows } = await sql<{ user_id: number; record: Buffer }>`
    SELECT p.user_id, p.record FROM ${own.parked} p JOIN ${own.uid} k ON k.uid = p.uid AND k.user_id = p.user_id
    WHERE p.peer = ${peer} AND p.code = 'EMAIL_UNPROVEN' AND p.user_id IN (${bindList(userIds)})`.execute(runner);
  return rows.flatMap((row) => {
    const record = JSON.parse(row.record.toString('utf8')) as WireRecord;
    return record.kind === 'user' ? [{ userId: row.user_id, email: record.email }] : [];
  });
}

/**
 * Those of the users that have the address of an account of the peer which nobody proved there.
 * `SELECT DISTINCT user_id FROM parked WHERE peer = ? AND code = 'EMAIL_UNPROVEN' AND user_id IN (…)`
 */
export async function usersUnproven(runner: Runner, peer: string, userIds: readonly number[]): Promise<Set<number>> {
  if (userIds.length === 0) return new Set();
  const { rows } = await sql<{ user_id: number }>`
    SELECT DISTINCT user_id FROM ${own.parked}
    WHERE peer = ${peer} AND code = 'EMAIL_UNPROVEN' AND user_id IN (${bindList(userIds)})`.execute(runner);
  return new Set(rows.map((row) => row.user_id));
}

/** A record that waits, as far as it matters whether a like one came before. */
export type Waiting = Pick<ParkedRow, 'userId' | 'code'>;

/** What waits of a peer, by the uid that it waits under. `SELECT … FROM parked WHERE peer = ? AND uid IN (…)` */
export async function waitingByUid(runner: Runner, peer: string, uids: readonly Uid[]): Promise<Map<Uid, Waiting>> {
  if (uids.length === 0) return new Map();
  const { rows } = await sql<{ uid: Buffer; user_id: number | null; code: string }>`
    SELECT uid, user_id, code FROM ${own.parked}
    WHERE peer = ${peer} AND uid IN (${bindList(uids.map(uidToBytes))})`.execute(runner);
  return new Map(rows.map((row) => [uidsFromBytes(row.uid)[0] as Uid, { userId: row.user_id, code: row.code }]));
}

/** Lets the next retry pass try again what may go through now that these users changed, and every wanted address. */
export async function wakeParked(runner: Runner, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0) return;
  await sql`
    UPDATE ${own.parked} SET tried_at = ${WOKEN}
    WHERE user_id IN (${bindList(userIds)}) OR code = 'EMAIL_TAKEN'`.execute(runner);
}

/**
 * Lets the next retry pass try again what waits for a language, a column that can hold a value, another config, or a look at
 * its account.
 */
export async function wakeParkedFor(
  runner: Runner,
  code: 'LOCALE_UNKNOWN' | 'VALUE_UNSTORABLE' | 'NOT_ACCEPTED' | 'USER_BUSY' | 'EMAIL_UNPROVEN',
): Promise<void> {
  await sql`UPDATE ${own.parked} SET tried_at = ${WOKEN} WHERE code = ${code}`.execute(runner);
}

/** Records that wait follow their users to new ids; see {@link renumberUsers}. */
export async function renumberParked(runner: Runner, moves: ReadonlyMap<number, number>): Promise<void> {
  await renumberUsers(runner, own.parked, moves);
}

/** Marks records as tried, whatever came of it. */
export async function touchParked(runner: Runner, ids: readonly number[], nowMs: number): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    UPDATE ${own.parked} SET tried_at = ${toSqlTime(nowMs)} WHERE id IN (${sql.join([...ids])})`.execute(runner);
}

/** Ids of what the guard holds of a peer, as far as it is one of the `changes`. `SELECT id FROM parked WHERE peer = ? AND held & ?` */
export async function heldOf(runner: Runner, peer: string, changes: Changes): Promise<number[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM ${own.parked} WHERE peer = ${peer} AND (held & ${changes}) <> 0 ORDER BY id`.execute(runner);
  return rows.map((row) => Number(row.id));
}

/** By which changes how many records of a peer are held. `SELECT held, COUNT(*) FROM parked WHERE peer = ? AND held & ? GROUP BY held` */
export async function countHeldOf(runner: Runner, peer: string, changes: Changes): Promise<HeldCount[]> {
  const { rows } = await sql<{ held: number; n: string }>`
    SELECT held, COUNT(*) AS n FROM ${own.parked}
    WHERE peer = ${peer} AND (held & ${changes}) <> 0 GROUP BY held`.execute(runner);
  return rows.map(({ held, n }) => ({ held, count: Number(n) }));
}

/** What the guard holds of users of a peer, by uid of the record. `SELECT uid, held FROM parked WHERE peer = ? AND uid IN (…)` */
export async function heldByUid(runner: Runner, peer: string, uids: readonly Uid[]): Promise<Map<Uid, Changes>> {
  if (uids.length === 0) return new Map();
  const { rows } = await sql<{ uid: Buffer; held: number }>`
    SELECT uid, held FROM ${own.parked}
    WHERE peer = ${peer} AND uid IN (${bindList(uids.map(uidToBytes))}) AND held <> 0`.execute(runner);
  return new Map(rows.map(({ uid, held }) => [uidsFromBytes(uid)[0] as Uid, held]));
}

/** What waits of a user and peer. `SELECT id FROM parked WHERE peer = ? AND uid = ?` */
export async function parkedIdsOf(runner: Runner, peer: string, uid: Uid): Promise<number[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM ${own.parked} WHERE peer = ${peer} AND uid = ${uidToBytes(uid)}`.execute(runner);
  return rows.map((row) => Number(row.id));
}

/** Gives a parked record up. True if there was one. */
export async function dropParked(runner: Runner, parkedId: number): Promise<boolean> {
  const result = await sql`DELETE FROM ${own.parked} WHERE id = ${parkedId}`.execute(runner);
  return result.numAffectedRows === 1n;
}

/** How much is parked. */
interface Use {
  readonly rows: number;
  readonly bytes: number;
}

/** What is parked of a peer. */
export interface ParkedUse {
  /** Records that wait for a person, or for a change of this site. */
  readonly others: Use;
  /** Records that wait until somebody proves an address (`EMAIL_UNPROVEN`). */
  readonly unproven: Use;
  /** Bytes of the records of the asked-for users. */
  readonly known: Map<Uid, number>;
}

/** `SELECT code = 'EMAIL_UNPROVEN', COUNT(*), SUM(bytes) FROM parked WHERE peer = ? GROUP BY 1`, and the bytes of single users. */
export async function parkedUse(runner: Runner, peer: string, uids: readonly Uid[] = []): Promise<ParkedUse> {
  const all = await sql<{ unproven: number; n: string; bytes: string }>`
    SELECT code = 'EMAIL_UNPROVEN' AS unproven, COUNT(*) AS n, SUM(bytes) AS bytes FROM ${own.parked}
    WHERE peer = ${peer} GROUP BY unproven`.execute(runner);
  const useOf = (unproven: number): Use => {
    const found = all.rows.find((row) => row.unproven === unproven);
    return { rows: Number(found?.n ?? 0), bytes: Number(found?.bytes ?? 0) };
  };
  const known = new Map<Uid, number>();
  if (uids.length > 0) {
    const { rows } = await sql<{ uid: Buffer; bytes: number }>`
      SELECT uid, bytes FROM ${own.parked}
      WHERE peer = ${peer} AND uid IN (${bindList(uids.map(uidToBytes))})`.execute(runner);
    for (const { uid, bytes } of rows) known.set(uidsFromBytes(uid)[0] as Uid, bytes);
  }
  return { others: useOf(0), unproven: useOf(1), known };
}
