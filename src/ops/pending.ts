/** `GET /v1/pending`: users still to be sent, and why they wait. */
import { sql, type Kysely } from 'kysely';
import { id, type Ident } from '../db/catalog.ts';
import { fromSqlTime } from '../db/time.ts';
import { maskEmail } from '../model/log-entry.ts';
import { entriesAfter, formatEntryKey, parseParkedId } from '../store/entry-cursor.ts';
import { own } from '../db/own-tables.ts';

/** Which entries; `after` is the `next` of the page before. */
export interface EntryFilter {
  readonly peer?: string;
  /** Default 100, at most 1000. */
  readonly limit?: number;
  readonly after?: string;
}

export interface PendingEntry {
  peer: string;
  kind: 'user' | 'removal';
  /** Null for a removal: the user is gone. */
  user_id: number | null;
  /** Masked; null where there is no user any more. */
  email: string | null;
  state: 'waiting' | 'held';
  /** Oldest change that the peer has not confirmed. ISO 8601, UTC. */
  since: string;
  /** Not sent before. */
  due: string;
  attempts: number;
  code: string | null;
  message: string;
}

export interface PendingPage {
  pending: PendingEntry[];
  next: string | null;
}

export interface PendingDeps {
  readonly db: Kysely<unknown>;

  /** The host's `t_user`. */
  readonly userTable: () => Ident;
  readonly nowMs: () => number;
}

interface Row {
  peer: string;
  kind: 'u' | 'r';
  ref: string;
  state: string;
  changed_at: string;
  due_at: string;
  attempts: number;
  code: string | null;
  message: string | null;
  email: string | null;
}

/** One page, ordered by peer, kind and id. An `after` that is no cursor begins at the start. */
export async function listPending(deps: PendingDeps, filter: EntryFilter): Promise<PendingPage> {
  const limit = Math.min(Math.max(filter.limit ?? 100, 1), 1000);
  const cursor = filter.after === undefined ? undefined : parseParkedId(filter.after);
  const conditions = [
    sql`o.state IN ('w', 'h')`,
    ...(filter.peer === undefined ? [] : [sql`o.peer = ${filter.peer}`]),
    ...(cursor?.direction === 'out' ? [entriesAfter(cursor)] : []),
  ];
  const { rows } = await sql<Row>`
    SELECT o.peer, o.kind, o.ref, o.state, o.changed_at, o.due_at, o.attempts, o.code, o.message, u.s_email AS email
    FROM ${own.outbox} o LEFT JOIN ${id(deps.userTable())} u ON o.kind = 'u' AND u.pk_i_id = o.ref
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY o.peer, o.kind, o.ref LIMIT ${limit + 1}`.execute(deps.db);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? formatEntryKey({ ...last, ref: Number(last.ref) }) : null;
  return { pending: page.map((row) => toEntry(row, deps.nowMs())), next };
}

function toEntry(row: Row, nowMs: number): PendingEntry {
  const isUser = row.kind === 'u';
  const dueMs = fromSqlTime(row.due_at);
  return {
    peer: row.peer,
    kind: isUser ? 'user' : 'removal',
    user_id: isUser ? Number(row.ref) : null,
    email: row.email === null ? null : maskEmail(row.email),
    state: row.state === 'h' ? 'held' : 'waiting',
    since: new Date(fromSqlTime(row.changed_at)).toISOString(),
    due: new Date(dueMs).toISOString(),
    attempts: row.attempts,
    code: row.code,
    message: row.message ?? (dueMs <= nowMs ? 'Is sent next.' : 'Waits for its time.'),
  };
}
