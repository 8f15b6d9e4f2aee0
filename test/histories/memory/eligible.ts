/** Stands in for src/osclass/eligible.ts. */
import type { Table } from '../../../src/db/catalog.ts';
import { memoryOf } from './database.ts';
import { toHostUser } from './host.ts';

export async function countEligible(runner: unknown, _table: Table, after: number): Promise<number> {
  const users = [...memoryOf(runner).tables.rows.values()].map(toHostUser);
  return users.filter((user) => user.id > after && user.enabled && user.active).length;
}
