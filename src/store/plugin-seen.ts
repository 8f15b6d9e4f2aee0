/**
 * Table `seen`: what each plugin peer has, by address, for the plugin knows users by nothing else. The address of a removal
 * is kept here in the clear while the peer has not confirmed it, or whose account it is of is not decided, and no longer.
 */
import { sql } from 'kysely';
import { bindRows, dividedForStatements } from '../db/bind.ts';
import { fromSqlTime, toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { canonicalEmail, uidOfEmail, uidsFromBytes, uidToBytes, type Uid } from '../model/uid.ts';
import { BLANK, SOME_SECRET, packMemory, unpackMemory, type Memory } from '../model/plugin-memory.ts';
import { own } from '../db/own-tables.ts';

/** What is known of one address at one peer. */
export interface Seen {
  /** Null: the peer has no such user, as far as we know. */
  readonly memory: Memory | null;
  /** What it had of a user that it no longer has: by the date of registration an account is told from a later one. */
  readonly earlier: Memory | null;
  /** A removal that the peer has not confirmed. */
  readonly removalId: number | null;
  /** A removal came from the peer, and whether it is of this account is decided later. */
  readonly isUndecided: boolean;
  /** Until then, a removal by the peer is its answer to one that is known here; 0: none is expected. */
  readonly echoUntilMs: number;
  /** When something was last exchanged about it. */
  readonly changedAtMs: number;
  /** Id at the peer of the account that memory or `earlier` is about; null: it never said it. */
  readonly accountId: string | null;
  /** A uid of the user here that this account is. */
  readonly user: Uid | null;
  /** The account there is known to be that user's: a row of it was applied. That the peer was told of the user is no meeting. */
  readonly hasMet: boolean;
  /** The account that had the address there before, if a removal by address may still be about that one. */
  readonly replaced: Replaced | null;
  /** Rows in calls of the peer, newest first: of the account that has the address there, and of those before. */
  readonly rowsSaid: readonly SaidRow[];
}

/** A row in a call of the peer, as digests; see src/plugin/said-rows.ts. */
export interface SaidRow {
  readonly row: string;
  /** Of its date of change. */
  readonly changed: string;
}

/** An account at the peer whose address went to another, or may have done so. */
export interface Replaced {
  readonly accountId: string | null;
  /** A uid of the user here that it is; null: the same user as the present account. */
  readonly user: Uid | null;
  readonly untilMs: number;
}

/** How long a peer may take to repeat a removal: its cron may be rare, or its site down. */
export const ECHO_MS = 7 * 86_400_000;
/** From the first row to the last removal of one run of the plugin's cron. */
export const ONE_RUN_MS = 10 * 60_000;
/** A cron may run once a day, and times that another site says may be off by its zone. */
export const RARE_RUNS_MS = 2 * 86_400_000;

/** Prefix of the memory of a user that the peer has removed. */
const REMOVED = '-';
const REMOVED_LIKE = `${REMOVED}%`;

/** `SELECT … FROM seen WHERE peer = ? AND address IN (…) [FOR UPDATE]`, by canonical e-mail. */
export async function readSeen(
  runner: Runner,
  peer: string,
  emails: readonly string[],
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<Map<string, Seen>> {
  if (emails.length === 0) return new Map();
  const byAddress = new Map<Uid, string>(emails.map((email) => [uidOfEmail(email), canonicalEmail(email)]));
  const { rows } = await sql<{
    address: Buffer;
    hashes: string | null;
    removal_id: string | null;
    has_email: number | string;
    echo_until: string | null;
    changed_at: string;
    account_id: string | null;
    user_uid: Buffer | null;
    met: number;
    replaced_id: string | null;
    replaced_uid: Buffer | null;
    replaced_until: string | null;
    rows_said: string | null;
  }>`
    SELECT address, hashes, removal_id, email IS NOT NULL AS has_email, echo_until, changed_at, account_id, user_uid, met, replaced_id, replaced_uid,
      replaced_until, rows_said FROM ${own.seen}
    WHERE peer = ${peer} AND address IN (${sql.join([...byAddress.keys()].map(uidToBytes))})
    ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
  return new Map(
    rows.map((row) => [
      byAddress.get(uidsFromBytes(row.address)[0] as Uid) as string,
      {
        memory: row.hashes === null || isRemoved(row.hashes) ? null : unpackMemory(row.hashes),
        earlier: row.hashes !== null && isRemoved(row.hashes) ? unpackMemory(row.hashes.slice(REMOVED.length)) : null,
        removalId: row.removal_id === null ? null : Number(row.removal_id),
        isUndecided: row.removal_id === null && Number(row.has_email) === 1,
        echoUntilMs: row.echo_until === null ? 0 : fromSqlTime(row.echo_until),
        changedAtMs: fromSqlTime(row.changed_at),
        accountId: idText(row.account_id),
        user: uidOrNull(row.user_uid),
        hasMet: row.met === 1,
        replaced:
          row.replaced_until === null
            ? null
            : {
                accountId: idText(row.replaced_id),
                user: uidOrNull(row.replaced_uid),
                untilMs: fromSqlTime(row.replaced_until),
              },
        rowsSaid: row.rows_said === null ? [] : unpackRows(row.rows_said),
      },
    ]),
  );
}

/**
 * `INSERT INTO seen … ON DUPLICATE KEY UPDATE hashes = …`: the peer has these users now. Where it had nobody of the address
 * before, neither the id of the account nor whose it is is known any more.
 */
export async function writeMemories(
  runner: Runner,
  peer: string,
  memories: ReadonlyMap<string, Memory>,
  nowMs: number,
): Promise<void> {
  const now = toSqlTime(nowMs);
  const tuples = [...memories].map(([email, memory]) => [peer, addressKey(email), packMemory(memory), now]);
  for (const some of dividedForStatements(tuples, (tuple) => tuple)) {
    await sql`
      INSERT INTO ${own.seen} (peer, address, hashes, changed_at) VALUES ${bindRows(some)}
      ON DUPLICATE KEY UPDATE
        account_id = IF(hashes IS NULL OR hashes LIKE ${REMOVED_LIKE}, NULL, account_id),
        met = IF(hashes IS NULL OR hashes LIKE ${REMOVED_LIKE}, 0, met),
        hashes = VALUES(hashes), changed_at = VALUES(changed_at)`.execute(runner);
  }
}

/** What an account at the peer is known to be. */
export interface AccountThere {
  /** A uid of the user here that it is. */
  readonly user: Uid;
  /** Undefined: it was not said. */
  readonly accountId?: string | null;
  /** Undefined: as before. */
  readonly hasMet?: boolean;
  /** Undefined: no row came in a call. */
  readonly rowsSaid?: readonly SaidRow[];
}

/** `UPDATE seen SET user_uid = ?, account_id = ?, met = ?, rows_said = ?`: what was not said stays as it is. */
export async function writeAccounts(
  runner: Runner,
  peer: string,
  accounts: ReadonlyMap<string, AccountThere>,
): Promise<void> {
  for (const [email, { user, accountId, hasMet, rowsSaid }] of accounts) {
    const said = accountId === undefined ? sql`` : sql`, account_id = ${accountId}`;
    const met = hasMet === undefined ? sql`` : sql`, met = ${Number(hasMet)}`;
    const rows = rowsSaid === undefined ? sql`` : sql`, rows_said = ${packRows(rowsSaid)}`;
    await sql`
      UPDATE ${own.seen} SET user_uid = ${uidToBytes(user)}${said}${met}${rows}
      WHERE peer = ${peer} AND address = ${addressKey(email)}`.execute(runner);
  }
}

/** What is noted when the peer says an account that is not the one it had, or that it never said before. */
export interface Replacement extends Pick<Replaced, 'accountId' | 'user'> {
  /** There may have been an account before it that was never heard of: its removal comes in the same run, or not at all. */
  readonly isFirst: boolean;
  /** So long a removal may be of the account before. */
  readonly forMs: number;
}

/**
 * Another account has the address at the peer now. A removal of it that comes from there is of the one before; one of ours
 * that is not yet confirmed must not reach the present one.
 */
export async function noteReplaced(
  runner: Runner,
  peer: string,
  email: string,
  replaced: Replacement,
  nowMs: number,
): Promise<void> {
  const { isFirst, forMs } = replaced;
  const forgotten = isFirst ? sql`` : sql`, email = NULL, removal_id = NULL`;
  await sql`
    UPDATE ${own.seen} SET replaced_id = ${replaced.accountId},
      replaced_uid = ${replaced.user === null ? null : uidToBytes(replaced.user)},
      replaced_until = ${toSqlTime(nowMs + forMs)}${forgotten}
    WHERE peer = ${peer} AND address = ${addressKey(email)}`.execute(runner);
}

/** The removal of the account before was heard of. `UPDATE seen SET replaced_until = NULL` */
export async function forgetReplaced(runner: Runner, peer: string, email: string): Promise<void> {
  await sql`
    UPDATE ${own.seen} SET replaced_id = NULL, replaced_uid = NULL, replaced_until = NULL
    WHERE peer = ${peer} AND address = ${addressKey(email)}`.execute(runner);
}

/**
 * A removal of the address came, and nobody can tell yet whether it is of the account that is there, or of one that was
 * never heard of: the address is kept until that is decided. `UPDATE seen SET email = ? WHERE removal_id IS NULL`
 */
export async function noteUndecided(runner: Runner, peer: string, email: string, nowMs: number): Promise<void> {
  await sql`
    UPDATE ${own.seen} SET email = ${canonicalEmail(email)}, changed_at = ${toSqlTime(nowMs)}
    WHERE peer = ${peer} AND address = ${addressKey(email)} AND removal_id IS NULL`.execute(runner);
}

/** It was not of the account that is there. `UPDATE seen SET email = NULL WHERE removal_id IS NULL` */
export async function forgetUndecided(runner: Runner, peer: string, email: string): Promise<void> {
  await sql`
    UPDATE ${own.seen} SET email = NULL
    WHERE peer = ${peer} AND address = ${addressKey(email)} AND removal_id IS NULL`.execute(runner);
}

/** The peer need not be told of it. `UPDATE seen SET email = NULL, removal_id = NULL WHERE removal_id = ?` */
export async function forgetRemoval(runner: Runner, peer: string, removalId: number): Promise<void> {
  await sql`
    UPDATE ${own.seen} SET email = NULL, removal_id = NULL
    WHERE peer = ${peer} AND removal_id = ${removalId}`.execute(runner);
}

/** Addresses of removals that are undecided, of which nothing was exchanged since a time. */
export async function undecidedRemovals(runner: Runner, peer: string, beforeMs: number): Promise<string[]> {
  const { rows } = await sql<{ email: string }>`
    SELECT email FROM ${own.seen}
    WHERE peer = ${peer} AND email IS NOT NULL AND removal_id IS NULL AND changed_at < ${toSqlTime(beforeMs)}
    LIMIT 100`.execute(runner);
  return rows.map((row) => row.email);
}

/**
 * A user of this site was removed, whoever did it. A peer that had the user may repeat the removal; one that is to be
 * told (`told`) needs the address for it.
 */
export async function noteRemoved(
  runner: Runner,
  peer: string,
  removal: { readonly email: string; readonly removalId: number; readonly told: boolean },
  nowMs: number,
): Promise<void> {
  const { email, removalId, told } = removal;
  const until = toSqlTime(nowMs + ECHO_MS);
  if (!told) {
    // Somebody else may have told the peer, who repeats it to everybody.
    await sql`
      INSERT INTO ${own.seen} (peer, address, echo_until, changed_at)
      VALUES (${peer}, ${addressKey(email)}, ${until}, ${toSqlTime(nowMs)})
      ON DUPLICATE KEY UPDATE echo_until = VALUES(echo_until), changed_at = VALUES(changed_at)`.execute(runner);
    return;
  }
  await sql`
    INSERT INTO ${own.seen} (peer, address, email, removal_id, changed_at)
    VALUES (${peer}, ${addressKey(email)}, ${canonicalEmail(email)}, ${removalId}, ${toSqlTime(nowMs)})
    ON DUPLICATE KEY UPDATE email = VALUES(email), removal_id = VALUES(removal_id), changed_at = VALUES(changed_at),
      echo_until = IF(hashes IS NULL OR hashes LIKE ${REMOVED_LIKE}, echo_until, ${until})`.execute(runner);
}

/** The addresses of removals that a peer has not confirmed, by removal. */
export async function removedAddresses(
  runner: Runner,
  peer: string,
  removalIds: readonly number[],
): Promise<Map<number, string>> {
  if (removalIds.length === 0) return new Map();
  const { rows } = await sql<{ removal_id: string; email: string }>`
    SELECT removal_id, email FROM ${own.seen}
    WHERE peer = ${peer} AND email IS NOT NULL AND removal_id IN (${sql.join([...removalIds])})`.execute(runner);
  return new Map(rows.map((row) => [Number(row.removal_id), row.email]));
}

/** How it is known that a peer no longer has a user. `echoed`: it will repeat the removal to us. */
export type RemovalEvidence = 'told' | 'told and echoed' | 'heard' | 'heard and echoed';

/**
 * The peer no longer has the user, and the address is forgotten. Where the peer said so itself, whatever it says of the
 * address later is of an account that is there; where it was told, a row may have been on its way, so what it had is kept.
 */
export async function noteRemovedAtPeer(
  runner: Runner,
  peer: string,
  email: string,
  outcome: RemovalEvidence,
  nowMs: number,
): Promise<void> {
  const kept = outcome.startsWith('heard') ? sql`${`${REMOVED}{}`}` : sql`COALESCE(hashes, '{}')`;
  const hashes = outcome.startsWith('heard')
    ? kept
    : sql`IF(hashes LIKE ${REMOVED_LIKE}, hashes, CONCAT(${REMOVED}, ${kept}))`;
  const echo =
    outcome === 'heard' ? sql`NULL` : outcome === 'told' ? sql`echo_until` : sql`${toSqlTime(nowMs + ECHO_MS)}`;
  await sql`
    INSERT INTO ${own.seen} (peer, address, hashes, changed_at)
    VALUES (${peer}, ${addressKey(email)}, ${`${REMOVED}{}`}, ${toSqlTime(nowMs)})
    ON DUPLICATE KEY UPDATE
      hashes = ${hashes}, email = NULL, removal_id = NULL, changed_at = VALUES(changed_at)`.execute(runner);
  await sql`
    UPDATE ${own.seen} SET echo_until = ${echo} WHERE peer = ${peer} AND address = ${addressKey(email)}`.execute(
    runner,
  );
}

/**
 * How many accounts of the peer have no secret though it was sent one: its settings leave the column out.
 * `SELECT COUNT(*) FROM seen WHERE peer = ? AND hashes LIKE '%"s_secret":"…%'`
 */
export async function countUnguarded(runner: Runner, peer: string): Promise<number> {
  const like = `%"s_secret":"${BLANK}//${SOME_SECRET}/%`;
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.seen}
    WHERE peer = ${peer} AND hashes NOT LIKE ${REMOVED_LIKE} AND hashes LIKE ${like}`.execute(runner);
  return Number(rows[0]?.n ?? 0);
}

/**
 * Forgets addresses whose removal waits in no outbox any more (a person gave it up), peers that are in the config no more,
 * and what was removed long ago.
 */
export async function sweepSeen(runner: Runner, peers: readonly string[], beforeMs: number): Promise<void> {
  await sql`
    UPDATE ${own.seen} s SET s.email = NULL, s.removal_id = NULL
    WHERE s.removal_id IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM ${own.outbox} o WHERE o.peer = s.peer AND o.kind = 'r' AND o.ref = s.removal_id)`.execute(runner);
  await sql`
    DELETE FROM ${own.seen}
    WHERE (hashes IS NULL OR hashes LIKE ${REMOVED_LIKE}) AND email IS NULL AND changed_at < ${toSqlTime(beforeMs)}
    LIMIT 1000`.execute(runner);
  const others = peers.length === 0 ? sql`TRUE` : sql`peer NOT IN (${sql.join([...peers])})`;
  await sql`DELETE FROM ${own.seen} WHERE ${others} LIMIT 1000`.execute(runner);
}

/** `ROW.CHANGED,ROW.CHANGED` */
function packRows(rows: readonly SaidRow[]): string {
  return rows.map(({ row, changed }) => `${row}.${changed}`).join(',');
}

function unpackRows(text: string): SaidRow[] {
  return text.split(',').flatMap((one) => {
    const [row, changed] = one.split('.');
    return row === undefined || changed === undefined ? [] : [{ row, changed }];
  });
}

function isRemoved(hashes: string): boolean {
  return hashes.startsWith(REMOVED);
}

function idText(text: string | number | null): string | null {
  return text === null ? null : String(text);
}

function uidOrNull(bytes: Buffer | null): Uid | null {
  return bytes === null ? null : (uidsFromBytes(bytes)[0] ?? null);
}

function addressKey(email: string): Buffer {
  return uidToBytes(uidOfEmail(email));
}
