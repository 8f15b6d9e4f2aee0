/** Making and dropping triggers at one node of a cluster at a time. */
import type { Kysely } from 'kysely';
import { v4 } from 'uuid';
import { isClusterNode } from '../db/galera.ts';
import { makeLeases } from '../store/lease.ts';
import { withLease } from '../store/with-lease.ts';
import { SyncError } from '../model/errors.ts';

/**
 * Runs `work`, which makes or drops triggers; on a cluster under the lease `triggers`. Where two nodes create or drop a
 * trigger of one name at once, MariaDB 10.11 stands still on all nodes. What the work is to do must be looked up by the work
 * itself: another daemon may have done it meanwhile. Our tables must be there. Throws
 * `TABLE_BUSY` if another daemon is making triggers.
 */
export async function withTriggerLease<T>(db: Kysely<unknown>, work: () => Promise<T>): Promise<T> {
  if (!(await isClusterNode(db))) return await work();
  const leases = makeLeases({ db, holder: v4() });
  const done = await withLease(leases, 'triggers', async () => ({ result: await work() }));
  if (done === undefined) throw new SyncError('TABLE_BUSY', 'Another daemon is making triggers.');
  return done.result;
}
