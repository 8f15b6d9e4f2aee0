/** What waits for or because of one user, in the outboxes and among the parked records. */
import { sql } from 'kysely';
import { fromSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import type { WireRecord } from '../model/record.ts';
import { canonicalEmail, parseUid, uidToBytes } from '../model/uid.ts';
import { formatEntryKey } from './entry-cursor.ts';
import { own } from '../db/own-tables.ts';

/** An entry of an outbox. Dates in ISO 8601, UTC. */
export interface UserEntry {
  readonly state: 'waiting' | 'held' | 'parked';
  /** As `parked retry` takes it. */
  readonly id: string;
  /** Oldest change that the peer has not confirmed. */
  readonly since: string;
  readonly due: string;
  readonly attempts: number;
  readonly code: string | null;
  readonly message: string | null;
}

/** A record of a peer that could not be stored. */
export interface UserParked {
  readonly id: string;
  readonly peer: string;
  readonly code: string;
  readonly message: string;
  readonly since: string;
}

const STATE = { w: 'waiting', h: 'held', p: 'parked' } as const;

/** By peer. `SELECT … FROM outbox WHERE kind = ? AND ref = ?` */
export async function waitingOf(
  runner: Runner,
  { kind, ref }: { readonly kind: 'u' | 'r'; readonly ref: number },
): Promise<Map<string, UserEntry>> {
  const { rows } = await sql<{
    peer: string;
    state: keyof typeof STATE;
    changed_at: string;
    due_at: string;
    attempts: number;
    code: string | null;
    message: string | null;
  }>`
    SELECT peer, state, changed_at, due_at, attempts, code, message FROM ${own.outbox}
    WHERE kind = ${kind} AND ref = ${ref}`.execute(runner);
  return new Map(
    rows.map((row) => [
      row.peer,
      {
        state: STATE[row.state],
        id: formatEntryKey({ peer: row.peer, kind, ref }),
        since: new Date(fromSqlTime(row.changed_at)).toISOString(),
        due: new Date(fromSqlTime(row.due_at)).toISOString(),
        attempts: row.attempts,
        code: row.code,
        message: row.message,
      },
    ]),
  );
}

/** `SELECT … FROM parked WHERE user_id = ? OR uid IN (…)` */
export async function parkedOf(runner: Runner, uids: readonly string[], userId: number | null): Promise<UserParked[]> {
  const keys = uids.map(parseUid).filter((uid) => uid !== undefined);
  const byUid = keys.length === 0 ? [] : [sql`uid IN (${sql.join(keys.map(uidToBytes))})`];
  const conditions = [...(userId === null ? [] : [sql`user_id = ${userId}`]), ...byUid];
  if (conditions.length === 0) return [];
  const { rows } = await sql<{ id: string; peer: string; code: string; message: string; created_at: string }>`
    SELECT id, peer, code, message, created_at FROM ${own.parked}
    WHERE ${sql.join(conditions, sql` OR `)} ORDER BY id`.execute(runner);
  return rows.map(({ created_at: since, ...row }) => ({
    ...row,
    since: new Date(fromSqlTime(since)).toISOString(),
  }));
}

/**
 * What waits of a peer because nobody proved that its account of the address is that of a user here, or
 * because its uids are of an earlier registration. `SELECT … FROM parked WHERE peer = ? AND (user_id = ? AND code = … OR code = …)`
 */
export async function unprovenOf(
  runner: Runner,
  peer: string,
  { userId, email }: { readonly userId: number; readonly email: string },
): Promise<number[]> {
  const { rows } = await sql<{ id: string; code: string; record: Buffer }>`
    SELECT id, code, record FROM ${own.parked}
    WHERE peer = ${peer} AND ((user_id = ${userId} AND code = 'EMAIL_UNPROVEN') OR code = 'EMAIL_TAKEN')
    ORDER BY id`.execute(runner);
  return rows.flatMap(({ id: parkedId, code, record: body }) => {
    const record = JSON.parse(body.toString('utf8')) as WireRecord;
    const isOf = record.kind === 'user' && canonicalEmail(record.email) === canonicalEmail(email);
    return record.kind === 'user' && (code === 'EMAIL_UNPROVEN' || isOf) ? [Number(parkedId)] : [];
  });
}
