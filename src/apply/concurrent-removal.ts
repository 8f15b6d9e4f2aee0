/**
 * A record and the removal of its account may come at the same moment, from two peers, and neither transaction sees what the other
 * has not committed. So each writes first, and then looks with locks for what the other writes: it waits for one that is under
 * way. Who finds what was not there when it began is repeated as a whole (`DB_CONFLICT`), and then has it from the beginning.
 */
import type { Transaction } from 'kysely';
import { SyncError } from '../model/errors.ts';
import type { Uid } from '../model/uid.ts';
import { tombstonesByUid, usersByUid } from '../store/shadows.ts';
import type { Loaded } from './load.ts';

/** After uids were bound to accounts. Throws `DB_CONFLICT` if one that named nobody was removed meanwhile. */
export async function requireNotRemoved(
  trx: Transaction<unknown>,
  { named, tombstones }: Pick<Loaded, 'named' | 'tombstones'>,
  bound: readonly Uid[],
): Promise<void> {
  const fresh = bound.filter((uid) => !named.has(uid));
  const removed = await tombstonesByUid(trx, fresh, { lock: true });
  if ([...removed.keys()].some((uid) => !tombstones.has(uid))) throw crossed();
}

/** After tombstones were written. Throws `DB_CONFLICT` if one of the removal's uids, which named nobody, was bound meanwhile. */
export async function requireNotBound(
  trx: Transaction<unknown>,
  { asked, named }: Pick<Loaded, 'asked' | 'named'>,
  removed: readonly Uid[],
): Promise<void> {
  const nobodys = removed.filter((uid) => asked.has(uid) && !named.has(uid));
  if ((await usersByUid(trx, nobodys, { lock: true })).size > 0) throw crossed();
}

function crossed(): SyncError {
  return new SyncError('DB_CONFLICT', 'A record and the removal of its account came at the same moment.');
}
