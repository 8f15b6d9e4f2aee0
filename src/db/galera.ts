/** Galera clusters: what is another matter there than on one server. */
import { sql } from 'kysely';
import type { Runner } from './transaction.ts';

/** True on a node of a cluster. `SHOW VARIABLES LIKE 'wsrep_on'`; servers that know no clusters answer with nothing. */
export async function isClusterNode(db: Runner): Promise<boolean> {
  const { rows } = await sql<{ Value: string }>`SHOW VARIABLES LIKE 'wsrep_on'`.execute(db);
  return rows[0]?.Value === 'ON';
}

/** Six digits for a name that no other daemon chooses at the same time. */
export function nameNumber(random: () => number = Math.random): number {
  return 100_000 + Math.trunc(random() * 800_000);
}
