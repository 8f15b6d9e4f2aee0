/** Entries of outboxes and parked records as people see them: page by page. */
import { sql } from 'kysely';
import { id, type Ident } from '../db/catalog.ts';
import { own } from '../db/own-tables.ts';
import type { Runner } from '../db/transaction.ts';
import { entriesAfter, type EntryKey } from './entry-cursor.ts';

/** An entry of an outbox, with the address of the user if there is one (not masked). Times as stored. */
export interface EntryRow {
  readonly peer: string;
  readonly kind: 'u' | 'r';
  /** Id of the user, or of the removal. */
  readonly ref: string;
  /** `w` waits, `h` held, `p` parked. */
  readonly state: 'w' | 'h' | 'p';
  readonly changed_at: string;
  readonly due_at: string;
  readonly attempts: number;
  readonly code: string | null;
  readonly message: string | null;
  readonly email: string | null;
}

/** Which entries. */
export interface EntryPage {
  readonly states: readonly EntryRow['state'][];
  readonly peer: string | undefined;
  /** Entries behind this one. */
  readonly after: EntryKey | undefined;
  readonly limit: number;
  /** The host's `t_user`. */
  readonly userTable: Ident;
}

/** In the order of peer, kind and ref. `SELECT … FROM outbox LEFT JOIN t_user … WHERE … ORDER BY peer, kind, ref LIMIT ?` */
export async function readEntries(
  runner: Runner,
  { states, peer, after, limit, userTable }: EntryPage,
): Promise<EntryRow[]> {
  const conditions = [
    sql`o.state IN (${sql.join([...states])})`,
    ...(peer === undefined ? [] : [sql`o.peer = ${peer}`]),
    ...(after === undefined ? [] : [entriesAfter(after)]),
  ];
  const { rows } = await sql<EntryRow>`
    SELECT o.peer, o.kind, o.ref, o.state, o.changed_at, o.due_at, o.attempts, o.code, o.message, u.s_email AS email
    FROM ${own.outbox} o LEFT JOIN ${id(userTable)} u ON o.kind = 'u' AND u.pk_i_id = o.ref
    WHERE ${sql.join(conditions, sql` AND `)} ORDER BY o.peer, o.kind, o.ref LIMIT ${limit}`.execute(runner);
  return rows;
}

/** A record that came in and waits. Times as stored. */
export interface ParkedRecordRow {
  readonly id: string;
  readonly peer: string;
  readonly user_id: number | null;
  readonly code: string;
  readonly message: string;
  /** JSON, as it is kept. */
  readonly record: Uint8Array;
  readonly created_at: string;
  readonly tried_at: string;
  readonly attempts: number;
}

/** In the order of ids, without those that wait for a language. `SELECT … FROM parked WHERE id > ? … ORDER BY id LIMIT ?` */
export async function readParkedPage(
  runner: Runner,
  { peer, after, limit }: { readonly peer: string | undefined; readonly after: number; readonly limit: number },
): Promise<ParkedRecordRow[]> {
  const ofPeer = peer === undefined ? sql`` : sql`AND peer = ${peer}`;
  const { rows } = await sql<ParkedRecordRow>`
    SELECT id, peer, user_id, code, message, record, created_at, tried_at, attempts FROM ${own.parked}
    WHERE id > ${after} AND code <> 'LOCALE_UNKNOWN' ${ofPeer} ORDER BY id LIMIT ${limit}`.execute(runner);
  return rows;
}
