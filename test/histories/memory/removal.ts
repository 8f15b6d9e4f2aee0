/** Stands in for src/osclass/removal.ts: there are no listings here. */
import type { Catalog } from '../../../src/db/catalog.ts';
import type { RemovalResult } from '../../../src/osclass/removal.ts';
import { memoryOf } from './database.ts';
import { emailOfRow } from './host.ts';

export async function removeUser(runner: unknown, _catalog: Catalog, userId: number): Promise<RemovalResult> {
  const memory = memoryOf(runner);
  const row = memory.tables.rows.get(userId);
  if (row === undefined) return { found: false, items: 0, comments: 0, files: [], afterCommit: [] };
  memory.step();
  memory.onDaemonRemoval(row);
  memory.tables.rows.delete(userId);
  memory.mark(userId, 'D', emailOfRow(row));
  return { found: true, items: 0, comments: 0, files: [], afterCommit: [] };
}

export async function removeItemDescriptions(): Promise<void> {}
