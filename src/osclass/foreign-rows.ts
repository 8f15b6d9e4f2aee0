/** Rows of tables we know nothing of that refer to rows about to be deleted. */
import { sql } from 'kysely';
import { id, type Catalog, type Reference } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import { inChunks } from './ids.ts';

/** Rows of one table that are to be deleted, by primary key. */
export interface RowsToDelete {
  readonly base: string;
  readonly ids: readonly number[];
}

/** What the server does by itself when the parent row goes. */
const FOLLOWS = new Set(['CASCADE', 'SET NULL']);

/**
 * Throws `FOREIGN_KEY` if a table outside of `known` (names without prefix) has rows that refer to one of these.
 * Names every such table with the number of rows. Costs nothing on a site without such tables.
 */
export async function refuseForeignRows(
  trx: Runner,
  catalog: Catalog,
  known: ReadonlySet<string>,
  toDelete: readonly RowsToDelete[],
): Promise<void> {
  const reasons: string[] = [];
  for (const { base, ids } of toDelete) {
    for (const reference of catalog.tablesReferring(base)) {
      if (FOLLOWS.has(reference.deleteRule) || (reference.base !== undefined && known.has(reference.base))) continue;
      const count = await countRows(trx, reference, ids);
      if (count > 0)
        reasons.push(`${count} ${count === 1 ? 'row' : 'rows'} of ${reference.table} (${reference.column})`);
    }
  }
  if (reasons.length > 0) throw new SyncError('FOREIGN_KEY', `The account is referred to by ${reasons.join(', ')}.`);
}

async function countRows(trx: Runner, { table, column }: Reference, ids: readonly number[]): Promise<number> {
  let count = 0;
  await inChunks(ids, async (chunk) => {
    const { rows } = await sql<{ n: string | number }>`SELECT COUNT(*) AS n FROM ${id(table)}
      WHERE ${id(column)} IN (${sql.join(chunk)})`.execute(trx);
    count += Number(rows[0]?.n ?? 0);
  });
  return count;
}
