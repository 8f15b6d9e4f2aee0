/** The daemon's memory of users: tables `user`, `uid` and `tombstone`. */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import { areOfStamp, birthsOf, formatBirths, parseBirths } from '../model/births.ts';
import { formatProof, parseProof, type Provenance } from '../model/proof.ts';
import { decodeShadow, encodeShadow, type Shadow } from '../model/shadow.ts';
import { formatStamp, parseStamp, type Stamp } from '../model/stamp.ts';
import { gatherTombstones, removalIdOf, type Tombstone, type TombstoneRow } from '../model/tombstone.ts';
import { parseUid, uidToBytes, uidsFromBytes, uidsToBytes, type Uid } from '../model/uid.ts';
import { bindList, bindRows, dividedForStatements, type Bindable } from '../db/bind.ts';
import { fromSqlTime, toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** A user as remembered. */
export interface StoredUser {
  readonly userId: number;
  /** The first is the main one. Empty: the account stayed here after its removal elsewhere, and is no peer's business. */
  readonly uids: readonly Uid[];
  readonly shadow: Shadow;
  readonly provenance: Provenance;
}

/**
 * Ids from here on stand for no row. An account whose id another account has got waits under one of them until the row that it
 * has now is found. No site has so many users: an INT UNSIGNED ends 4,967,295 further on.
 */
export const FIRST_WAITING_ID = 4_290_000_000;

interface UserRow {
  user_id: number;
  uids: Buffer;
  shadow: Buffer;
  births: string | null;
  proof: string | null;
  reset_code: string | null;
  held_until: string | null;
  doubted_until: string | null;
}

const COLUMNS = sql`user_id, uids, shadow, births, proof, reset_code, held_until, doubted_until`;

/**
 * `SELECT … FROM user WHERE user_id IN (…) ORDER BY user_id [FOR UPDATE]`. Locks are always taken
 * here before host rows, in the order of ids; a scan would wait for locks on others.
 */
export async function readShadows(
  runner: Runner,
  userIds: readonly number[],
  { lock = false } = {},
): Promise<Map<number, StoredUser>> {
  if (userIds.length === 0) return new Map();
  const { rows } = await sql<UserRow>`
    SELECT ${COLUMNS} FROM ${own.user} ${lock ? sql`FORCE INDEX (PRIMARY)` : sql``}
    WHERE user_id IN (${bindList(userIds)}) ORDER BY user_id ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
  return new Map(rows.map((row) => [row.user_id, toStoredUser(row)]));
}

/** `INSERT INTO user … ON DUPLICATE KEY UPDATE`, and the uids that name them. */
export async function writeShadows(runner: Runner, users: readonly StoredUser[]): Promise<void> {
  for (const rows of dividedForStatements(users.map(toRow), (row) => row)) {
    await sql`
      INSERT INTO ${own.user} (${COLUMNS}) VALUES ${bindRows(rows)}
      ON DUPLICATE KEY UPDATE uids = VALUES(uids), shadow = VALUES(shadow), births = VALUES(births),
        proof = VALUES(proof), reset_code = VALUES(reset_code), held_until = VALUES(held_until),
        doubted_until = VALUES(doubted_until)`.execute(runner);
  }
}

/**
 * As {@link writeShadows}, for users that had none when they were read without a lock: whoever gave them one meanwhile
 * knows more. `INSERT INTO user … ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)`
 */
export async function addShadows(runner: Runner, users: readonly StoredUser[]): Promise<void> {
  for (const rows of dividedForStatements(users.map(toRow), (row) => row)) {
    await sql`
      INSERT INTO ${own.user} (${COLUMNS}) VALUES ${bindRows(rows)}
      ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)`.execute(runner);
  }
}

/** Lets uids name a user, taking them from whom they named before. */
export async function bindUids(
  runner: Runner,
  bindings: readonly { readonly uid: Uid; readonly userId: number }[],
): Promise<void> {
  if (bindings.length === 0) return;
  await sql`
    INSERT INTO ${own.uid} (uid, user_id) VALUES ${bindRows(bindings.map(({ uid, userId }) => [uidToBytes(uid), userId]))}
    ON DUPLICATE KEY UPDATE user_id = VALUES(user_id)`.execute(runner);
}

/** No uid names the user any more, nor is reserved for it. `DELETE FROM uid WHERE user_id = ?` */
export async function unbindUids(runner: Runner, userId: number): Promise<void> {
  await sql`DELETE FROM ${own.uid} WHERE user_id = ${userId}`.execute(runner);
}

/**
 * The user each uid names or is reserved for. A uid is reserved for a user that took an address later: nobody else is
 * derived from that address, but the uid is not among the user's own. `lock`: as it was committed last, waiting for who writes one.
 */
export async function usersByUid(
  runner: Runner,
  uids: readonly Uid[],
  { lock = false } = {},
): Promise<Map<Uid, number>> {
  if (uids.length === 0) return new Map();
  const { rows } = await sql<{ uid: Buffer; user_id: number }>`
    SELECT uid, user_id FROM ${own.uid} ${lock ? sql`FORCE INDEX (PRIMARY)` : sql``}
    WHERE uid IN (${bindList(uids.map(uidToBytes))}) ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
  return new Map(rows.map((row) => [uidsFromBytes(row.uid)[0] as Uid, row.user_id]));
}

/** A row of tombstones, as the database gives it. */
interface TombstoneColumns {
  readonly uid: Buffer;
  readonly removal: Buffer;
  readonly removal_id: string;
  readonly stamp: string;
  readonly email_hash: Buffer | null;
  readonly births: string | null;
  readonly held_until: string | null;
}

function toTombstoneRow(row: TombstoneColumns): TombstoneRow {
  return {
    uid: uidsFromBytes(row.uid)[0] as Uid,
    main: uidsFromBytes(row.removal)[0] as Uid,
    removalId: Number(row.removal_id),
    stamp: stampOf(row.stamp),
    emailHash: row.email_hash?.toString('hex') ?? null,
    births: row.births === null ? undefined : parseBirths(row.births),
    heldUntilMs: row.held_until === null ? undefined : fromSqlTime(row.held_until),
  };
}

/** Removals of the uids, by uid. `lock`: as they were committed last, waiting for who writes one. */
export async function tombstonesByUid(
  runner: Runner,
  uids: readonly Uid[],
  { lock = false } = {},
): Promise<Map<Uid, TombstoneRow>> {
  if (uids.length === 0) return new Map();
  const { rows } = await sql<TombstoneColumns>`
    SELECT uid, removal, removal_id, stamp, email_hash, births, held_until FROM ${own.tombstone} ${lock ? sql`FORCE INDEX (PRIMARY)` : sql``}
    WHERE uid IN (${bindList(uids.map(uidToBytes))}) ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
  return new Map(rows.map(toTombstoneRow).map((row) => [row.uid, row]));
}

/** `SELECT … FROM tombstone WHERE removal_id IN (…)`, put together per removal. */
export async function readTombstones(runner: Runner, removalIds: readonly number[]): Promise<Map<number, Tombstone>> {
  if (removalIds.length === 0) return new Map();
  const { rows } = await sql<TombstoneColumns>`
    SELECT uid, removal, removal_id, stamp, email_hash, births, held_until FROM ${own.tombstone}
    WHERE removal_id IN (${bindList(removalIds)}) ORDER BY removal_id, uid`.execute(runner);
  return gatherTombstones(rows.map(toTombstoneRow));
}

/** What {@link writeTombstones} writes. */
export interface TombstoneWrite extends Omit<Tombstone, 'removalId'> {
  readonly nowMs: number;
}

/**
 * Writes the tombstones of one removal. Uids that have one already stay with the removal they have, for entries in outboxes
 * tell of it by its number; only their stamp is renewed, and whose births it is of.
 */
export async function writeTombstones(runner: Runner, removal: TombstoneWrite): Promise<void> {
  const main = removal.uids[0];
  if (main === undefined) throw new RangeError('a removal needs a uid');
  const bytes = uidToBytes(main);
  const hash = removal.emailHash === null ? null : Buffer.from(removal.emailHash, 'hex');
  const created = toSqlTime(removal.nowMs);
  const births = removal.births === undefined ? null : formatBirths(removal.births);
  const heldUntil = removal.heldUntilMs === undefined ? null : toSqlTime(removal.heldUntilMs);
  const rows = removal.uids.map(
    (uid) =>
      sql`(${uidToBytes(uid)}, ${bytes}, ${removalIdOf(main)}, ${hash}, ${formatStamp(removal.stamp)}, ${created}, ${births}, ${heldUntil})`,
  );
  await sql`
    INSERT INTO ${own.tombstone} (uid, removal, removal_id, email_hash, stamp, created_at, births, held_until)
    VALUES ${sql.join(rows)}
    ON DUPLICATE KEY UPDATE stamp = VALUES(stamp), births = VALUES(births), held_until = VALUES(held_until)`.execute(
    runner,
  );
}

/** Forgets users that were removed: their shadows and the uids that named them. */
export async function forgetUsers(runner: Runner, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0) return;
  const stored = await readShadows(runner, userIds);
  const uids = [...stored.values()].flatMap((user) => user.uids).map(uidToBytes);
  await sql`DELETE FROM ${own.user} WHERE user_id IN (${bindList(userIds)})`.execute(runner);
  if (uids.length === 0) return;
  await sql`
    DELETE FROM ${own.uid} WHERE uid IN (${sql.join(uids)})
    AND user_id IN (${bindList(userIds)})`.execute(runner);
}

/**
 * Lets what is remembered of users, and every uid that names them or is reserved for them, follow to other ids: old id → new
 * id, all at once, so that two may change places. The shadows under the old ids have to be locked, and none may be left under
 * the new ones but those that move on.
 */
export async function renumberShadows(runner: Runner, moves: ReadonlyMap<number, number>): Promise<void> {
  if (moves.size === 0) return;
  const before = [...moves.keys()];
  const toNew = (userId: number): number => moves.get(userId) ?? userId;
  const stored = await readShadows(runner, before);
  const { rows } = await sql<{ uid: Buffer; user_id: number }>`
    SELECT uid, user_id FROM ${own.uid} WHERE user_id IN (${bindList(before)})`.execute(runner);
  await sql`DELETE FROM ${own.user} WHERE user_id IN (${bindList(before)})`.execute(runner);
  await writeShadows(
    runner,
    [...stored.values()].map((user) => ({ ...user, userId: toNew(user.userId) })),
  );
  await bindUids(
    runner,
    rows.map((row) => ({ uid: uidsFromBytes(row.uid)[0] as Uid, userId: toNew(row.user_id) })),
  );
}

/** The last of the ids that nobody has, under which accounts wait whose row has not been found yet; undefined: none does. */
export async function lastWaitingId(runner: Runner): Promise<number | undefined> {
  const { rows } = await sql<{ last: number | null }>`
    SELECT MAX(user_id) AS last FROM ${own.user} WHERE user_id >= ${FIRST_WAITING_ID}`.execute(runner);
  return rows[0]?.last ?? undefined;
}

/** The first of the accounts that wait. `SELECT user_id FROM user WHERE user_id >= … ORDER BY user_id LIMIT ?` */
export async function waitingUsers(runner: Runner, limit: number): Promise<number[]> {
  const { rows } = await sql<{ user_id: number }>`
    SELECT user_id FROM ${own.user} WHERE user_id >= ${FIRST_WAITING_ID}
    ORDER BY user_id LIMIT ${limit}`.execute(runner);
  return rows.map((row) => row.user_id);
}

/**
 * Forgets removals that are old enough and that every peer has confirmed; at most 1,000 rows. Returns how many.
 * `DELETE FROM tombstone WHERE created_at < ? AND NOT EXISTS (an entry in an outbox)`
 */
export async function expireTombstones(runner: Runner, beforeMs: number): Promise<number> {
  const { rows } = await sql<{ uid: Buffer }>`
    SELECT t.uid FROM ${own.tombstone} t WHERE t.created_at < ${toSqlTime(beforeMs)}
    AND NOT EXISTS (SELECT 1 FROM ${own.outbox} o WHERE o.kind = 'r' AND o.ref = t.removal_id)
    LIMIT 1000`.execute(runner);
  if (rows.length === 0) return 0;
  await sql`DELETE FROM ${own.tombstone} WHERE uid IN (${bindList(rows.map((row) => row.uid))})`.execute(runner);
  return rows.length;
}

function toRow({ userId, uids, shadow, provenance }: StoredUser): Bindable[] {
  const { births, proof, resetCode, heldUntilMs, doubtedUntilMs } = provenance;
  return [
    userId,
    uidsToBytes(uids),
    encodeShadow(shadow),
    areOfStamp(births, shadow.born) ? null : formatBirths(births),
    proof === undefined ? null : formatProof(proof),
    resetCode ?? null,
    heldUntilMs === undefined ? null : toSqlTime(heldUntilMs),
    doubtedUntilMs === undefined ? null : toSqlTime(doubtedUntilMs),
  ];
}

function toStoredUser(row: UserRow): StoredUser {
  const shadow = decodeShadow(row.shadow);
  const provenance: Provenance = {
    births: row.births === null ? birthsOf(shadow.born) : parseBirths(row.births),
    proof: row.proof === null ? undefined : parseProof(row.proof),
    resetCode: row.reset_code ?? undefined,
    heldUntilMs: row.held_until === null ? undefined : fromSqlTime(row.held_until),
    doubtedUntilMs: row.doubted_until === null ? undefined : fromSqlTime(row.doubted_until),
  };
  return { userId: row.user_id, uids: uidsFromBytes(row.uids), shadow, provenance };
}

function stampOf(text: string): Stamp {
  const stamp = parseStamp(text);
  if (stamp === undefined) throw new RangeError('not a stamp in table tombstone');
  return stamp;
}

/** The text as a uid; throws a RangeError if it is none. For uids that a schema has checked. */
export function requireUid(text: string): Uid {
  const uid = parseUid(text);
  if (uid === undefined) throw new RangeError('not a uid');
  return uid;
}

/** All users of the site, and those that have a shadow. */
export async function countUsers(runner: Runner, catalog: Catalog): Promise<{ total: number; known: number }> {
  const users = id(catalog.requireTable('t_user').name);
  const { rows } = await sql<{ total: string; known: string }>`
    SELECT (SELECT COUNT(*) FROM ${users}) AS total, (SELECT COUNT(*) FROM ${own.user}) AS known`.execute(runner);
  return { total: Number(rows[0]?.total ?? 0), known: Number(rows[0]?.known ?? 0) };
}

/**
 * Ids behind `after`, in order, without accounts that wait for their row.
 * `SELECT user_id FROM user WHERE user_id > ? AND user_id < ? ORDER BY user_id LIMIT ?`
 */
export async function shadowIdsAfter(runner: Runner, after: number, limit: number): Promise<number[]> {
  const { rows } = await sql<{ user_id: number }>`
    SELECT user_id FROM ${own.user} WHERE user_id > ${after} AND user_id < ${FIRST_WAITING_ID}
    ORDER BY user_id LIMIT ${limit}`.execute(runner);
  return rows.map((row) => row.user_id);
}

/** The highest id of a row that has a shadow; 0 if there is none. `SELECT MAX(user_id) FROM user WHERE user_id < ?` */
export async function lastShadowId(runner: Runner): Promise<number> {
  const { rows } = await sql<{ newest: number | null }>`
    SELECT MAX(user_id) AS newest FROM ${own.user} WHERE user_id < ${FIRST_WAITING_ID}`.execute(runner);
  return rows[0]?.newest ?? 0;
}

/**
 * Numbers of the removals behind `after`, in order, without those that are still on their way to the peer.
 * `SELECT DISTINCT removal_id FROM tombstone WHERE removal_id > ? AND NOT EXISTS (an entry for the peer) ORDER BY … LIMIT ?`
 */
export async function removalIdsAfter(
  runner: Runner,
  peer: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<number[]> {
  const { rows } = await sql<{ removal_id: string }>`
    SELECT DISTINCT t.removal_id FROM ${own.tombstone} t
    WHERE t.removal_id > ${after} AND NOT EXISTS (
      SELECT 1 FROM ${own.outbox} o WHERE o.peer = ${peer} AND o.kind = 'r' AND o.ref = t.removal_id)
    ORDER BY t.removal_id LIMIT ${limit}`.execute(runner);
  return rows.map((row) => Number(row.removal_id));
}
