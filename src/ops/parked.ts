/** `GET /v1/parked`: what waits for a person. First records that came in, by id, then entries of our outboxes. */
import { sql, type Kysely } from 'kysely';
import { id, type Ident } from '../db/catalog.ts';
import { fromSqlTime } from '../db/time.ts';
import { ERRORS, type ErrorCode } from '../model/errors.ts';
import { maskEmail } from '../model/log-entry.ts';
import { entriesAfter, formatEntryKey, parseParkedId, type EntryKey } from '../store/entry-cursor.ts';
import type { EntryFilter } from './pending.ts';
import { own } from '../db/own-tables.ts';

export interface ParkedEntry {
  /** Goes into `retry` and `drop`; see {@link parseParkedId}. */
  id: string;
  direction: 'in' | 'out';
  peer: string;
  kind: 'user' | 'removal';
  /** The user of this site it concerns, if there is one. */
  user_id: number | null;
  /** Masked; null where it is not known. */
  email: string | null;
  code: string;
  message: string;
  /** What to do about it, as the registry says. */
  remedy: string;
  /** ISO 8601, UTC. */
  since: string;
  tried: string | null;
  attempts: number;
}

export interface ParkedPage {
  parked: ParkedEntry[];
  next: string | null;
}

export interface ParkedDeps {
  readonly db: Kysely<unknown>;

  /** The host's `t_user`. */
  readonly userTable: () => Ident;
}

/** One page of both kinds. */
export async function listParked(deps: ParkedDeps, filter: EntryFilter): Promise<ParkedPage> {
  const limit = Math.min(Math.max(filter.limit ?? 100, 1), 1000);
  const wanted = limit + 1;
  const cursor = filter.after === undefined ? undefined : parseParkedId(filter.after);
  const incoming = cursor?.direction === 'out' ? [] : await readIncoming(deps, filter.peer, cursor?.id ?? 0, wanted);
  const after = cursor?.direction === 'out' ? cursor : undefined;
  const room = wanted - incoming.length;
  const outgoing = room > 0 ? await readOutgoing(deps, filter.peer, after, room) : [];
  const all = [...incoming, ...outgoing];
  const parked = all.slice(0, limit);
  return { parked, next: all.length > limit ? (parked.at(-1)?.id ?? null) : null };
}

async function readIncoming(
  { db }: ParkedDeps,
  peer: string | undefined,
  after: number,
  limit: number,
): Promise<ParkedEntry[]> {
  const ofPeer = peer === undefined ? sql`` : sql`AND peer = ${peer}`;
  const { rows } = await sql<Incoming>`
    SELECT id, peer, user_id, code, message, record, created_at, tried_at, attempts FROM ${own.parked}
    WHERE id > ${after} AND code <> 'LOCALE_UNKNOWN' ${ofPeer} ORDER BY id LIMIT ${limit}`.execute(db);
  return rows.map((row) => {
    const { kind, email } = glance(row.record);
    return {
      id: row.id,
      direction: 'in',
      peer: row.peer,
      kind,
      user_id: row.user_id,
      email,
      code: row.code,
      message: row.message,
      remedy: remedyOf(row.code),
      since: isoOf(row.created_at),
      tried: isoOf(row.tried_at),
      attempts: row.attempts,
    };
  });
}

async function readOutgoing(
  { db, userTable }: ParkedDeps,
  peer: string | undefined,
  after: EntryKey | undefined,
  limit: number,
): Promise<ParkedEntry[]> {
  const conditions = [
    sql`o.state = 'p'`,
    ...(peer === undefined ? [] : [sql`o.peer = ${peer}`]),
    ...(after === undefined ? [] : [entriesAfter(after)]),
  ];
  const { rows } = await sql<Outgoing>`
    SELECT o.peer, o.kind, o.ref, o.changed_at, o.attempts, o.code, o.message, u.s_email AS email
    FROM ${own.outbox} o LEFT JOIN ${id(userTable())} u ON o.kind = 'u' AND u.pk_i_id = o.ref
    WHERE ${sql.join(conditions, sql` AND `)} ORDER BY o.peer, o.kind, o.ref LIMIT ${limit}`.execute(db);
  return rows.map((row) => ({
    id: formatEntryKey({ peer: row.peer, kind: row.kind, ref: Number(row.ref) }),
    direction: 'out',
    peer: row.peer,
    kind: row.kind === 'u' ? 'user' : 'removal',
    user_id: row.kind === 'u' ? Number(row.ref) : null,
    email: row.email === null ? null : maskEmail(row.email),
    code: row.code ?? 'PEER_FAILED',
    message: row.message ?? '',
    remedy: remedyOf(row.code ?? 'PEER_FAILED'),
    since: isoOf(row.changed_at),
    tried: null,
    attempts: row.attempts,
  }));
}

interface Incoming {
  id: string;
  peer: string;
  user_id: number | null;
  code: string;
  message: string;
  record: Uint8Array;
  created_at: string;
  tried_at: string;
  attempts: number;
}
interface Outgoing {
  peer: string;
  kind: 'u' | 'r';
  ref: string;
  changed_at: string;
  attempts: number;
  code: string | null;
  message: string | null;
  email: string | null;
}

/** What may be shown of a record: its kind and a masked address. */
function glance(record: Uint8Array): { kind: 'user' | 'removal'; email: string | null } {
  let value: { kind?: unknown; email?: unknown } | null;
  try {
    value = JSON.parse(Buffer.from(record).toString('utf8')) as typeof value;
  } catch {
    return { kind: 'user', email: null };
  }
  const email = value?.email;
  return {
    kind: value?.kind === 'removal' ? 'removal' : 'user',
    email: typeof email === 'string' ? maskEmail(email) : null,
  };
}

function remedyOf(code: string): string {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].remedy : '';
}

function isoOf(time: string): string {
  return new Date(fromSqlTime(time)).toISOString();
}
