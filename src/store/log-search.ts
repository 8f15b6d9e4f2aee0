/**
 * Finding log records among a million. There are few kinds of them (type, status, peer), and index `kind_date` has each
 * kind in the order of time: whatever is asked for, each kind that fits gives its newest, and the newest of those are the
 * page. So no filter reads more than some pages of an index. Only text has no index: it is looked for in steps.
 */
import { sql, type RawBuilder } from 'kysely';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import type { LogType } from '../model/log-entry.ts';
import { own } from '../db/own-tables.ts';

/** What records must be like, without text. */
export interface LogKind {
  readonly type?: LogType;
  readonly peer?: string;
  /** Exactly this HTTP code, `OK` or `ERR`. */
  readonly status?: string;
  /** The same id at both ends of one exchange. */
  readonly trace?: string;
  /** Both inclusive, milliseconds since 1970. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** Where a record stands: newest first, and of one time the greatest id first. */
export interface LogPosition {
  readonly id: string;
  /** As the database writes it. */
  readonly date: string;
}

type Condition = RawBuilder<unknown>;

/** `a AND b`, or nothing that restricts. */
export function allOf(conditions: readonly (Condition | undefined)[]): Condition {
  const real = conditions.filter((condition) => condition !== undefined);
  return real.length === 0 ? sql`TRUE` : sql.join(real, sql` AND `);
}

/** The conditions of a kind, for statements that read rows one by one. */
export function kindConditions({ type, peer, status, trace, fromMs, toMs }: LogKind): (Condition | undefined)[] {
  return [
    type === undefined ? undefined : sql`type = ${type}`,
    peer === undefined ? undefined : sql`peer = ${peer}`,
    status === undefined ? undefined : sql`status = ${status}`,
    trace === undefined ? undefined : sql`trace = ${trace}`,
    fromMs === undefined ? undefined : sql`date >= ${toSqlTime(fromMs)}`,
    toMs === undefined ? undefined : sql`date <= ${toSqlTime(toMs)}`,
  ];
}

/** Gives where the newest records of a kind stand that are older than `before`, at most `count` of them. */
export type Newest = (before: LogPosition | undefined, count: number) => Promise<LogPosition[]>;

/**
 * Prepares for one kind of records, by looking which kinds there are.
 *
 *     (SELECT id, date … WHERE type = 'PROCESS' AND status = 'ERR' AND peer = 'homes' ORDER BY date DESC, id DESC LIMIT n)
 *     UNION ALL (… each other kind that fits …) ORDER BY date DESC, id DESC LIMIT n
 */
export async function newestOf(runner: Runner, kind: LogKind): Promise<Newest> {
  const { type, peer, status, trace, ...times } = kind;
  const log = own.log;
  const during = (before: LogPosition | undefined): (Condition | undefined)[] => [
    ...kindConditions(times),
    before === undefined ? undefined : olderThan(before),
  ];
  const last = (count: number): Condition => sql`ORDER BY date DESC, id DESC LIMIT ${count}`;
  if (trace !== undefined || (type === undefined && peer === undefined && status === undefined)) {
    const index = trace === undefined ? sql`date_id` : sql`trace`;
    return (before, count) => {
      const where = allOf([...kindConditions(kind), before === undefined ? undefined : olderThan(before)]);
      return rowsOf(runner, sql`SELECT id, date FROM ${log} FORCE INDEX (${index}) WHERE ${where} ${last(count)}`);
    };
  }
  const kinds = (await kindsOf(runner, kind)).map(
    (each) => sql`type = ${each.type} AND status = ${each.status} AND peer <=> ${each.peer}`,
  );
  return async (before, count) => {
    if (kinds.length === 0) return [];
    const parts = kinds.map(
      (each) => sql`(SELECT id, date FROM ${log} FORCE INDEX (kind_date)
        WHERE ${allOf([each, ...during(before)])} ${last(count)})`,
    );
    return await rowsOf(runner, sql`${sql.join(parts, sql` UNION ALL `)} ${last(count)}`);
  };
}

/** Where the record of this id stands, or the next older one if it is gone; undefined if there is none. */
export async function positionOf(runner: Runner, record: number): Promise<LogPosition | undefined> {
  const statement = sql`SELECT id, date FROM ${own.log} WHERE id <= ${record} ORDER BY id DESC LIMIT 1`;
  const [found] = await rowsOf(runner, statement);
  // The greatest of its time: what has that time and another id still comes.
  return found === undefined || Number(found.id) === record ? found : { ...found, id: String(record) };
}

function olderThan({ id: record, date }: LogPosition): Condition {
  return sql`date <= ${date} AND (date < ${date} OR id < ${record})`;
}

/** What may be common to records, in the order of the index. */
interface Kind {
  readonly type: string;
  readonly status: string;
  readonly peer: string | null;
}

/** The kinds that there are and that fit: a few hundred looks into the index, and no scan. */
async function kindsOf(runner: Runner, wanted: LogKind): Promise<Kind[]> {
  const kinds: Kind[] = [];
  const types = wanted.type === undefined ? await distinctValues(runner, sql`type`, []) : [wanted.type];
  for (const type of types) {
    const ofType = [sql`type = ${type}`];
    const statuses = wanted.status === undefined ? await distinctValues(runner, sql`status`, ofType) : [wanted.status];
    for (const status of statuses) {
      const ofStatus = [...ofType, sql`status = ${status}`];
      const peers = wanted.peer === undefined ? await distinctValues(runner, sql`peer`, ofStatus) : [wanted.peer];
      kinds.push(...peers.map((peer) => ({ type, status, peer })));
      if (wanted.peer === undefined) kinds.push({ type, status, peer: null });
    }
  }
  return kinds;
}

/** `SELECT status … WHERE type = ? AND status > ? ORDER BY status LIMIT 1`, from value to value; not of NULL. */
async function distinctValues(runner: Runner, column: Condition, within: readonly Condition[]): Promise<string[]> {
  const values: string[] = [];
  for (let last = ''; ;) {
    const { rows } = await sql<{ value: string }>`
      SELECT ${column} AS value FROM ${own.log} FORCE INDEX (kind_date)
      WHERE ${allOf([...within, sql`${column} > ${last}`])} ORDER BY ${column} LIMIT 1`.execute(runner);
    const [next] = rows;
    if (next === undefined) return values;
    last = next.value;
    values.push(last);
  }
}

async function rowsOf(runner: Runner, statement: Condition): Promise<LogPosition[]> {
  const { rows } = await sql<LogPosition>`${statement}`.execute(runner);
  return rows;
}
