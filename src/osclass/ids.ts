/** Lists of ids in statements: never empty, never long. */
import { sql } from 'kysely';
import { id, type Table } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';

const CHUNK = 500;

/** Calls `act` with at most 500 at a time, one after the other; never with none. */
export async function inChunks<T>(all: readonly T[], act: (chunk: T[]) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += CHUNK) await act(all.slice(at, at + CHUNK));
}

/**
 * The numbers in column `wanted` of the rows whose column `by` is one of `keys`, in ascending order. None if the table
 * lacks one of the columns. `SELECT wanted FROM table WHERE by IN (…) ORDER BY wanted`
 */
export async function idsWhere(
  runner: Runner,
  table: Table | undefined,
  wanted: string,
  by: string,
  keys: readonly number[],
): Promise<number[]> {
  const column = table?.column(wanted);
  const key = table?.column(by);
  if (table === undefined || column === undefined || key === undefined) return [];
  const found: number[] = [];
  await inChunks(keys, async (chunk) => {
    const { rows } = await sql<{ id: number | string }>`SELECT ${id(column.name)} AS id FROM ${id(table.name)}
      WHERE ${id(key.name)} IN (${sql.join(chunk)})`.execute(runner);
    for (const row of rows) found.push(Number(row.id));
  });
  return found.toSorted((a, b) => a - b);
}
