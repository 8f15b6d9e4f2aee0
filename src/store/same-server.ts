/** Which server the database is on: a replica that takes over from a lost server may lack its last transactions. */
import { sql, type Kysely } from 'kysely';
import { isClusterNode } from '../db/galera.ts';
import { readState, writeState } from './state.ts';

/**
 * True once for each change of the server, by `@@server_id`, which differs between all servers that replicate from one
 * another. What it was is remembered in the database, so a daemon that was away notices as well. Never true on a cluster,
 * whose nodes are one server.
 */
export async function serverChanged(db: Kysely<unknown>): Promise<boolean> {
  if (await isClusterNode(db)) return false;
  const { rows } = await sql<{ id: string | number }>`SELECT @@GLOBAL.server_id AS id`.execute(db);
  const now = String(rows[0]?.id ?? '');
  const before = await readState(db, 'server_id');
  if (before === now) return false;
  await writeState(db, 'server_id', now);
  return before !== undefined;
}
