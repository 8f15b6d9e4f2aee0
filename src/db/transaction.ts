/** Transactions: small, repeated as a whole when they lose against another one. */
import { setTimeout as wait } from 'node:timers/promises';
import { sql, type Kysely, type Transaction } from 'kysely';
import { isConflict } from './failures.ts';

/** Either: what a read may run on. */
export type Runner = Kysely<unknown> | Transaction<unknown>;

export interface TransactionOptions {
  /** How often it is repeated after the first try; default 5. */
  readonly retries?: number;
  /** 0 ≤ n < 1; default Math.random. */
  readonly random?: () => number;
  /** Ends the waiting between tries, and stops before the next one. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` in one READ COMMITTED transaction (the level every session of the pool has) and commits. On a deadlock, a
 * lock wait, or a cluster that refuses the commit (`DB_CONFLICT` in server-errors.ts) it is rolled back and repeated as a whole,
 * after 10 – 20 ms that double with each try: `work` must therefore do nothing but SQL on `trx`, and keep no result of
 * an earlier try. Throws what `work` threw; `DB_CONFLICT` when the tries are used up.
 */
export async function inTransaction<T>(
  db: Kysely<unknown>,
  work: (trx: Transaction<unknown>) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { retries = 5, random = Math.random, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= retries || !isConflict(error)) throw error;
      await wait(10 * 2 ** attempt * (1 + random()), undefined, signal === undefined ? {} : { signal });
    }
  }
}

/**
 * Runs `work` with the triggers told that the daemon is writing, so that they make no markers:
 * `SET @account_sync_applying = 1` … `SET @account_sync_applying = NULL`. The variable belongs to the connection, not to
 * the transaction, so it is taken back whatever happens; if that fails after `work` succeeded, it throws, and the
 * transaction is rolled back.
 */
export async function asDaemon<T>(
  trx: Transaction<unknown>,
  work: (trx: Transaction<unknown>) => Promise<T>,
): Promise<T> {
  await sql`SET @account_sync_applying = 1`.execute(trx);
  let result: T;
  try {
    result = await work(trx);
  } catch (error) {
    // Fails only on a connection that is gone, and then so is the variable: what `work` threw says more.
    await sql`SET @account_sync_applying = NULL`.execute(trx).catch(() => undefined);
    throw error;
  }
  await sql`SET @account_sync_applying = NULL`.execute(trx);
  return result;
}

/**
 * Runs `work` with the server bound to look rows up by their keys in UPDATE and DELETE. Where a list of keys names much
 * of a small table, servers prefer to scan it, and then wait for rows that others have just inserted: a queue of markers
 * would stand still behind every open transaction of the host. `SET SESSION sql_safe_updates = 1` … `= 0`
 */
export async function withKeyedWrites<T>(trx: Transaction<unknown>, work: () => Promise<T>): Promise<T> {
  await sql`SET SESSION sql_safe_updates = 1`.execute(trx);
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await sql`SET SESSION sql_safe_updates = 0`.execute(trx).catch(() => undefined);
    throw error;
  }
  await sql`SET SESSION sql_safe_updates = 0`.execute(trx);
  return result;
}
