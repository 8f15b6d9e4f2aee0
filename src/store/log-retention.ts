/** Old log records go: by age and by number, a little at a time. */
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

/** One pass: at most 10,000 records are deleted; `full` if there are more. May be repeated at any time. Throws `LEASE_LOST`. */
export async function expireLogsOnce(deps: RetentionDeps, signal?: AbortSignal): Promise<PassOutcome> {
  const { retentionMs, maxRows } = deps.limits();
  const cutoff = toSqlTime(Math.max(0, deps.clock.nowMs() - retentionMs));
  let excess = await rowsBeyond(deps, maxRows);
  let done = 0;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    signal?.throwIfAborted();
    const old = await deleted(deps, sql`WHERE date < ${cutoff} ORDER BY date, id LIMIT ${BATCH}`);
    excess -= old;
    const many = excess > 0 ? await deleted(deps, sql`ORDER BY id LIMIT ${Math.min(excess, BATCH)}`) : 0;
    excess -= many;
    done += old + many;
    if (old < BATCH && excess <= 0) return { done, full: false };
  }
  return { done, full: true };
}

/** The rows are counted only where there could be too many: a count reads a whole index. */
async function rowsBeyond({ db }: RetentionDeps, maxRows: number): Promise<number> {
  const { rows: ends } = await sql<{ low: string | null; high: string | null }>`
    SELECT MIN(id) AS low, MAX(id) AS high FROM ${own.log}`.execute(db);
  const { low, high } = ends[0] ?? {};
  if (low === undefined || low === null || Number(high) - Number(low) < maxRows) return 0;
  const { rows } = await sql<{ n: string }>`SELECT COUNT(*) AS n FROM ${own.log}`.execute(db);
  return Math.max(0, Number(rows[0]?.n ?? 0) - maxRows);
}

async function deleted({ db, lease }: RetentionDeps, which: ReturnType<typeof sql>): Promise<number> {
  return await inTransaction(db, async (trx) => {
    const { numAffectedRows } = await sql`DELETE FROM ${own.log} ${which}`.execute(trx);
    await lease.fence(trx);
    return Number(numAffectedRows ?? 0);
  });
}
