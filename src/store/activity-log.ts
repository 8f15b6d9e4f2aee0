/** The log records that administrators read: table `log` and `GET /v1/logs`. */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { bindRows, dividedForStatements } from '../db/bind.ts';
import { fromSqlTime, toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import type { LogEntry, LogType } from '../model/log-entry.ts';
import type { LogPage, LogRecord } from '../model/response-schemas.ts';
import type { Clock } from '../runtime/clock.ts';
import { allOf, kindConditions, newestOf, positionOf, type LogKind, type LogPosition } from './log-search.ts';
import { own } from '../db/own-tables.ts';

/** Which records are wanted. Without `after` newest first, with it oldest first. */
export interface LogFilter extends LogKind {
  /** Part of response or content, whatever the case. */
  readonly search?: string;
  /** Default 100, at most 1000. */
  readonly limit?: number;
  /** Only records older than that of this id. */
  readonly before?: number;
  /** Only records with a greater id. */
  readonly after?: number;
}

export interface ActivityLog {
  /**
   * Writes records with one INSERT for many of them, in the caller's transaction if `runner` is one. Nothing is
   * written for an empty list. Texts that are too long are cut, as the record says what happened and is no copy of it.
   */
  append(runner: Runner, entries: readonly LogEntry[]): Promise<void>;
  query(filter: LogFilter): Promise<LogPage>;
}

export interface ActivityLogDeps {
  readonly db: Kysely<unknown>;
  readonly clock: Clock;
}

const MAX_RESPONSE = 1000;
/** Of the JSON text. A record with more keeps only its scalar fields. */
const MAX_CONTENT = 32_000;
/** A page of a search looks at so many records: some hundredths of a second, however rare what it looks for. */
const SEARCH_ROWS = 6_000;
/** Of these, so many with one statement. */
const SEARCH_STEP = 2_000;
/** So many ids are looked at for a page of what comes `after`. */
const FORWARD_IDS = 20_000;

/** The activity log of one site. */
export function makeActivityLog(deps: ActivityLogDeps): ActivityLog {
  return {
    append: (runner, entries) => append(runner, deps, entries),
    query: (filter) => query(deps, filter),
  };
}

async function append(runner: Runner, { clock }: ActivityLogDeps, entries: readonly LogEntry[]): Promise<void> {
  const date = toSqlTime(clock.nowMs());
  const tuples = entries.map((entry) => {
    const { type, peer, key, ip, status, trace } = entry;
    const response = cut(entry.response, MAX_RESPONSE);
    return [type, peer, key, ip, date, status, response, asJson(entry.content), trace];
  });
  for (const some of dividedForStatements(tuples, (tuple) => tuple)) {
    await sql`INSERT INTO ${own.log} (type, peer, key_digest, ip, date, status, response, content, trace)
      VALUES ${bindRows(some)}`.execute(runner);
  }
}

async function query(deps: ActivityLogDeps, filter: LogFilter): Promise<LogPage> {
  const limit = Math.min(Math.max(filter.limit ?? 100, 1), 1000);
  if (filter.after !== undefined) return await readForwards(deps, { ...filter, after: filter.after }, limit);
  const before = filter.before === undefined ? undefined : await positionOf(deps.db, filter.before);
  if (filter.before !== undefined && before === undefined) return { logs: [], next: null };
  if (filter.search !== undefined) return await searchBackwards(deps, filter, contains(filter.search), before, limit);
  // One more than wanted tells whether there is a next page.
  const newest = await newestOf(deps.db, filter);
  const found = await newest(before, limit + 1);
  const rows = await readRows(deps, found.slice(0, limit));
  return pageOf(rows, found.length > limit);
}

async function searchBackwards(
  deps: ActivityLogDeps,
  kind: LogKind,
  text: Condition,
  before: LogPosition | undefined,
  limit: number,
): Promise<LogPage> {
  const newest = await newestOf(deps.db, kind);
  const found: Row[] = [];
  let at = before;
  for (let looked = 0; looked < SEARCH_ROWS; looked += SEARCH_STEP) {
    const step = await newest(at, SEARCH_STEP);
    found.push(...(await readRows(deps, step, text)));
    if (found.length > limit) return pageOf(found.slice(0, limit), true);
    if (step.length < SEARCH_STEP) return pageOf(found, false);
    at = step.at(-1);
  }
  return { logs: found.map(toRecord), next: Number(at?.id) };
}

/** Oldest first, by id: what is written last comes last, whatever its clock says. */
async function readForwards(
  { db }: ActivityLogDeps,
  filter: LogFilter & { readonly after: number },
  limit: number,
): Promise<LogPage> {
  const { after, search } = filter;
  const { rows: ends } = await sql<{ low: string | null; high: string | null }>`
    SELECT MIN(id) AS low, MAX(id) AS high FROM ${own.log} WHERE id > ${after}`.execute(db);
  const [end] = ends;
  if (end === undefined || end.low === null) return { logs: [], next: null };
  const last = Number(end.low) + (search === undefined ? FORWARD_IDS : SEARCH_ROWS) - 1;
  const where = allOf([
    sql`id > ${after} AND id <= ${last}`,
    ...kindConditions(filter),
    search === undefined ? undefined : contains(search),
  ]);
  const { rows } = await sql<Row>`
    SELECT ${COLUMNS} FROM ${own.log} WHERE ${where} ORDER BY id LIMIT ${limit + 1}`.execute(db);
  if (rows.length > limit) return pageOf(rows.slice(0, limit), true);
  return { logs: rows.map(toRecord), next: last < Number(end.high) ? last : null };
}

function pageOf(rows: readonly Row[], isMore: boolean): LogPage {
  const logs = rows.map(toRecord);
  return { logs, next: isMore ? (logs.at(-1)?.id ?? null) : null };
}

const COLUMNS = sql`id, type, peer, key_digest, ip, date, status, response, content, trace`;

type Condition = RawBuilder<unknown>;

/** `SELECT … WHERE id IN (…) AND … ORDER BY date DESC, id DESC` */
async function readRows({ db }: ActivityLogDeps, positions: readonly LogPosition[], text?: Condition): Promise<Row[]> {
  if (positions.length === 0) return [];
  const where = allOf([sql`id IN (${sql.join(positions.map((position) => position.id))})`, text]);
  const { rows } = await sql<Row>`
    SELECT ${COLUMNS} FROM ${own.log} WHERE ${where} ORDER BY date DESC, id DESC`.execute(db);
  return rows;
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
