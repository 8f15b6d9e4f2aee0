/** `GET /v1/parked`: what waits for a person. First records that came in, by id, then entries of our outboxes. */
import type { Kysely } from 'kysely';
import type { Ident } from '../db/catalog.ts';
import { fromSqlTime } from '../db/time.ts';
import { ERRORS, type ErrorCode } from '../model/errors.ts';
import { maskEmail } from '../model/log-entry.ts';
import type { ParkedEntry, ParkedPage } from '../model/response-schemas.ts';
import { formatEntryKey, parseParkedId, type EntryKey } from '../store/entry-cursor.ts';
import { readEntries, readParkedPage } from '../store/entry-pages.ts';
import type { EntryFilter } from './pending.ts';

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
  const rows = await readParkedPage(db, { peer, after, limit });
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
      remedy: remedyOfCode(row.code),
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
  const rows = await readEntries(db, { states: ['p'], peer, after, limit, userTable: userTable() });
  return rows.map((row) => ({
    id: formatEntryKey({ peer: row.peer, kind: row.kind, ref: Number(row.ref) }),
    direction: 'out',
    peer: row.peer,
    kind: row.kind === 'u' ? 'user' : 'removal',
    user_id: row.kind === 'u' ? Number(row.ref) : null,
    email: row.email === null ? null : maskEmail(row.email),
    code: row.code ?? 'PEER_FAILED',
    message: row.message ?? '',
    remedy: remedyOfCode(row.code ?? 'PEER_FAILED'),
    since: isoOf(row.changed_at),
    tried: null,
    attempts: row.attempts,
  }));
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

function remedyOfCode(code: string): string {
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].remedy : '';
}

function isoOf(time: string): string {
  return new Date(fromSqlTime(time)).toISOString();
}
