/** The log records that administrators read: table `log` and `GET /v1/logs`. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { id, type OwnTables } from '../db/catalog.ts';
import { bindRows } from '../db/lists.ts';
import { fromSqlTime, toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import type { LogEntry, LogType } from '../model/log-entry.ts';
import type { Clock } from '../runtime/clock.ts';

/** One record as read; field names as SURFACES "Log records". */
export interface LogRecord {
  id: number;
  type: LogType;
  peer: string | null;
  key: string | null;
  ip: string | null;
  date: string;
  status: string;
  response: string;
  content: Record<string, unknown>;
  trace: string;
}

/** `next` goes into `before` (or into `after`, if the page was asked for with it); null at the end. */
export interface LogPage {
  logs: LogRecord[];
  next: number | null;
}

/** Which records are wanted. Without `after` newest first, with it oldest first. */
export interface LogFilter {
  readonly type?: LogType;
  readonly peer?: string;
  /** Exactly this HTTP code, `OK` or `ERR`. */
  readonly status?: string;
  /** Part of response or content, whatever the case. */
  readonly search?: string;
  /** Both inclusive, milliseconds since 1970. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Default 100, at most 1000. */
  readonly limit?: number;
  /** Only records with a smaller id. */
  readonly before?: number;
  /** Only records with a greater id. */
  readonly after?: number;
}

export interface ActivityLog {
  /**
   * Writes records with one INSERT per 1000 of them, in the caller's transaction if `runner` is one. Nothing is
   * written for an empty list. Texts that are too long are cut, as the record says what happened and is no copy of it.
   */
  append(runner: Runner, entries: readonly LogEntry[]): Promise<void>;
  query(filter: LogFilter): Promise<LogPage>;
}

export interface ActivityLogDeps {
  readonly db: Kysely<unknown>;
  readonly own: OwnTables;
  readonly clock: Clock;
}

const ROWS_PER_INSERT = 1000;
const MAX_RESPONSE = 1000;
/** Of the JSON text. A record with more keeps only its scalar fields. */
const MAX_CONTENT = 32_000;
/** A search reads so many ids per statement, so that none of them is long, however rare what it looks for. */
const SEARCH_WINDOW = 20_000;

/** The activity log of one site. */
export function makeActivityLog(deps: ActivityLogDeps): ActivityLog {
  return {
    append: (runner, entries) => append(runner, deps, entries),
    query: (filter) => query(deps, filter),
  };
}

async function append(runner: Runner, { own, clock }: ActivityLogDeps, entries: readonly LogEntry[]): Promise<void> {
  const date = toSqlTime(clock.nowMs());
  for (let at = 0; at < entries.length; at += ROWS_PER_INSERT) {
    const tuples = entries.slice(at, at + ROWS_PER_INSERT).map((entry) => {
      const { type, peer, key, ip, status, trace } = entry;
      const response = cut(entry.response, MAX_RESPONSE);
      return [type, peer, key, ip, date, status, response, asJson(entry.content), trace];
    });
    await sql`INSERT INTO ${id(own.log)} (type, peer, key_digest, ip, date, status, response, content, trace)
      VALUES ${bindRows(tuples)}`.execute(runner);
  }
}

async function query({ db, own }: ActivityLogDeps, filter: LogFilter): Promise<LogPage> {
  const limit = Math.min(Math.max(filter.limit ?? 100, 1), 1000);
  const conditions = conditionsOf(filter);
  const ascending = filter.after !== undefined;
  // One more than wanted tells whether there is a next page.
  const wanted = limit + 1;
  const rows =
    filter.search === undefined
      ? await select(db, own, conditions, ascending, wanted)
      : await searchInWindows(db, own, filter, conditions, wanted);
  const logs = rows.slice(0, limit).map(toRecord);
  return { logs, next: rows.length > limit ? (logs.at(-1)?.id ?? null) : null };
}

type Condition = RawBuilder<unknown>;

/** `SELECT … WHERE a AND b ORDER BY id DESC LIMIT n` */
async function select(
  db: Runner,
  own: OwnTables,
  conditions: readonly Condition[],
  ascending: boolean,
  limit: number,
): Promise<Row[]> {
  const where = conditions.length === 0 ? sql`` : sql`WHERE ${sql.join([...conditions], sql` AND `)}`;
  const { rows } = await sql<Row>`
    SELECT id, type, peer, key_digest, ip, date, status, response, content, trace
    FROM ${id(own.log)} ${where} ORDER BY id ${ascending ? sql`ASC` : sql`DESC`} LIMIT ${limit}`.execute(db);
  return rows;
}

/** The same, one range of ids after the other, until there is enough or no more. */
async function searchInWindows(
  db: Runner,
  own: OwnTables,
  { before, after }: LogFilter,
  conditions: readonly Condition[],
  wanted: number,
): Promise<Row[]> {
  const { rows: ends } = await sql<{ low: string | null; high: string | null }>`
    SELECT MIN(id) AS low, MAX(id) AS high FROM ${id(own.log)}`.execute(db);
  const low = Math.max(Number(ends[0]?.low ?? 0), after === undefined ? 0 : after + 1);
  const high = Math.min(Number(ends[0]?.high ?? -1), before === undefined ? Number.MAX_SAFE_INTEGER : before - 1);
  const found: Row[] = [];
  for (let done = 0; low + done <= high && found.length < wanted; done += SEARCH_WINDOW) {
    const from = after === undefined ? Math.max(low, high - done - SEARCH_WINDOW + 1) : low + done;
    const to = after === undefined ? high - done : Math.min(high, low + done + SEARCH_WINDOW - 1);
    const window = [...conditions, sql`id BETWEEN ${from} AND ${to}`];
    found.push(...(await select(db, own, window, after !== undefined, wanted - found.length)));
  }
  return found;
}

function conditionsOf(filter: LogFilter): Condition[] {
  const { type, peer, status, search, fromMs, toMs, before, after } = filter;
  const all: (Condition | undefined)[] = [
    type === undefined ? undefined : sql`type = ${type}`,
    peer === undefined ? undefined : sql`peer = ${peer}`,
    status === undefined ? undefined : sql`status = ${status}`,
    fromMs === undefined ? undefined : sql`date >= ${toSqlTime(fromMs)}`,
    toMs === undefined ? undefined : sql`date <= ${toSqlTime(toMs)}`,
    before === undefined ? undefined : sql`id < ${before}`,
    after === undefined ? undefined : sql`id > ${after}`,
    search === undefined ? undefined : contains(search),
  ];
  return all.filter((condition) => condition !== undefined);
}

/** The collation of the columns folds case. In JSON, quotes and backslashes are escaped, so there they are looked for so. */
function contains(text: string): Condition {
  const inJson = JSON.stringify(text).slice(1, -1);
  return sql`(response LIKE ${like(text)} ESCAPE '|' OR content LIKE ${like(inJson)} ESCAPE '|')`;
}

function like(text: string): string {
  return `%${text.replace(/[|%_]/g, '|$&')}%`;
}

interface Row {
  id: string;
  type: LogType;
  peer: string | null;
  key_digest: string | null;
  ip: string | null;
  date: string;
  status: string;
  response: string;
  content: string;
  trace: string;
}

function toRecord({ key_digest: key, ...row }: Row): LogRecord {
  return {
    id: Number(row.id),
    type: row.type,
    peer: row.peer,
    key,
    ip: row.ip,
    date: new Date(fromSqlTime(row.date)).toISOString(),
    status: row.status,
    response: row.response,
    content: JSON.parse(row.content) as Record<string, unknown>,
    trace: row.trace,
  };
}

/** Cut without splitting a character. */
function cut(text: string, most: number): string {
  const plain = text.toWellFormed();
  return plain.length <= most ? plain : `${plain.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function asJson(content: LogEntry['content']): string {
  const text = JSON.stringify(content);
  if (text.length <= MAX_CONTENT) return text;
  const scalars = Object.entries(content)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => [name, typeof value === 'string' ? cut(value, 200) : value] as const);
  return JSON.stringify({ ...Object.fromEntries(scalars.slice(0, 50)), truncated: true });
}
