/**
 * Old log records go: by age and by number, a little at a time. Those of callers who did not show who they are count for
 * themselves, for anybody can cause them: they push out nothing else.
 */
import { sql, type Kysely } from 'kysely';
import type { Lease } from './lease.ts';
import { toSqlTime } from '../db/time.ts';
import { inTransaction } from '../db/transaction.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PassOutcome } from '../runtime/loop.ts';
import { own } from '../db/own-tables.ts';

export interface RetentionDeps {
  readonly db: Kysely<unknown>;
  readonly clock: Clock;
  /** Asked at each pass, for reloads. */
  readonly limits: () => { readonly retentionMs: number; readonly maxRows: number };
  /** Whose work it is: what is too many was counted before, and two who delete it would delete twice as many. */
  readonly lease: Pick<Lease, 'fence'>;
}

/** Rows of one DELETE: some milliseconds. */
const BATCH = 1000;
/** DELETEs of one pass. */
const BATCHES = 10;
/** Records of unknown callers that are kept, if not fewer of all. */
const MOST_OF_UNKNOWN = 10_000;
/** As src/server/key-check.ts writes them; index `kind_date` has them together. */
const OF_UNKNOWN = sql`type IN ('FEED', 'STREAM') AND status IN ('401', '403', '429') AND peer IS NULL`;

/** One pass: at most 10,000 records are deleted; `full` if there are more. May be repeated at any time. Throws `LEASE_LOST`. */
export async function expireLogsOnce(deps: RetentionDeps, signal?: AbortSignal): Promise<PassOutcome> {
  const { retentionMs, maxRows } = deps.limits();
  const cutoff = toSqlTime(Math.max(0, deps.clock.nowMs() - retentionMs));
  const unknown = await countUnknown(deps);
  let unknownExcess = unknown - Math.min(maxRows, MOST_OF_UNKNOWN);
  let excess = await rowsBeyond(deps, maxRows, unknown);
  let done = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    signal?.throwIfAborted();
    const old = await deleted(deps, sql`WHERE date < ${cutoff} ORDER BY date, id LIMIT ${BATCH}`);
    excess -= old;
    const ofUnknown = await deleteOldest(deps, OF_UNKNOWN, unknownExcess);
    unknownExcess -= ofUnknown;
    const many = await deleteOldest(deps, sql`NOT (${OF_UNKNOWN})`, excess);
    excess -= many;
    done += old + ofUnknown + many;
    if (old < BATCH && excess <= 0 && unknownExcess <= 0) return { done, full: false };
  }
  return { done, full: true };
}

/** `SELECT COUNT(*) … WHERE …`, of records that are few. */
async function countUnknown({ db }: RetentionDeps): Promise<number> {
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM ${own.log} FORCE INDEX (kind_date) WHERE ${OF_UNKNOWN}`.execute(db);
  return Number(rows[0]?.n ?? 0);
}

/** `DELETE … WHERE … ORDER BY id LIMIT n`: one statement, of at most so many rows as one may have. */
async function deleteOldest(deps: RetentionDeps, which: ReturnType<typeof sql>, count: number): Promise<number> {
  return count > 0 ? await deleted(deps, sql`WHERE ${which} ORDER BY id LIMIT ${Math.min(count, BATCH)}`) : 0;
}

/** Beside the `apart` of unknown callers. The rows are counted only where there could be too many: a count reads a whole index. */
async function rowsBeyond({ db }: RetentionDeps, maxRows: number, apart: number): Promise<number> {
  const { rows: ends } = await sql<{ low: string | null; high: string | null }>`
    SELECT MIN(id) AS low, MAX(id) AS high FROM ${own.log}`.execute(db);
  const { low, high } = ends[0] ?? {};
  if (low === undefined || low === null || Number(high) - Number(low) < maxRows + apart) return 0;
  const { rows } = await sql<{ n: string }>`SELECT COUNT(*) AS n FROM ${own.log}`.execute(db);
  return Math.max(0, Number(rows[0]?.n ?? 0) - apart - maxRows);
}

async function deleted({ db, lease }: RetentionDeps, which: ReturnType<typeof sql>): Promise<number> {
  return await inTransaction(db, async (trx) => {
    const { numAffectedRows } = await sql`DELETE FROM ${own.log} ${which}`.execute(trx);
    await lease.fence(trx);
    return Number(numAffectedRows ?? 0);
  });
}
