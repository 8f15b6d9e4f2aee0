/** `GET /v1/pending`: users still to be sent, and why they wait. */
import type { Kysely } from 'kysely';
import type { Ident } from '../db/catalog.ts';
import { fromSqlTime } from '../db/time.ts';
import { maskEmail } from '../model/log-entry.ts';
import type { PendingEntry, PendingPage } from '../model/response-schemas.ts';
import { formatEntryKey, parseParkedId } from '../store/entry-cursor.ts';
import { readEntries, type EntryRow } from '../store/entry-pages.ts';

/** Which entries; `after` is the `next` of the page before. */
export interface EntryFilter {
  readonly peer?: string;
  /** Default 100, at most 1000. */
  readonly limit?: number;
  readonly after?: string;
}

export interface PendingDeps {
  readonly db: Kysely<unknown>;

  /** The host's `t_user`. */
  readonly userTable: () => Ident;
  readonly nowMs: () => number;
}

/** One page, ordered by peer, kind and id. An `after` that is no cursor begins at the start. */
export async function listPending(deps: PendingDeps, filter: EntryFilter): Promise<PendingPage> {
  const limit = Math.min(Math.max(filter.limit ?? 100, 1), 1000);
  const cursor = filter.after === undefined ? undefined : parseParkedId(filter.after);
  const rows = await readEntries(deps.db, {
    states: ['w', 'h'],
    peer: filter.peer,
    after: cursor?.direction === 'out' ? cursor : undefined,
    limit: limit + 1,
    userTable: deps.userTable(),
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? formatEntryKey({ ...last, ref: Number(last.ref) }) : null;
  return { pending: page.map((row) => toEntry(row, deps.nowMs())), next };
}

function toEntry(row: EntryRow, nowMs: number): PendingEntry {
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
