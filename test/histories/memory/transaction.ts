/** Stands in for src/db/transaction.ts. */
import type { Kysely, Transaction } from 'kysely';
import { memoryOf } from './database.ts';

export async function inTransaction<T>(
  db: Kysely<unknown>,
  work: (trx: Transaction<unknown>) => Promise<T>,
): Promise<T> {
  return await memoryOf(db).transact(() => work(db as unknown as Transaction<unknown>));
}

export async function asDaemon<T>(
  trx: Transaction<unknown>,
  work: (trx: Transaction<unknown>) => Promise<T>,
): Promise<T> {
  memoryOf(trx).applying = true;
  return await work(trx);
}

export async function withKeyedWrites<T>(_trx: Transaction<unknown>, work: () => Promise<T>): Promise<T> {
  return await work();
}
