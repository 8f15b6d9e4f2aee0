/**
 * Accounts of this site that a peer remembers as removed, and that nobody removed here: they came back with an older backup.
 * They stay, for a restore removes nobody; but a person should know.
 */
import type { Kysely } from 'kysely';
import { requireUid, usersByUid } from '../store/shadows.ts';
import { inTransaction } from '../db/transaction.ts';
import type { RemovalRecord } from '../model/record.ts';
import type { Stamp } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import { loadChunk, type LoadDeps } from './load.ts';
import { planOfRemoval, toIncomingRemoval } from './removals.ts';

/** One such account. */
export interface RemovedElsewhere {
  readonly userId: number;
  readonly uid: Uid;
  readonly email: string;
  /** When and where it was removed. */
  readonly removed: Stamp;
}

/** The accounts here that these removals of a peer mean. Removes nobody, and writes nothing. */
export async function findRemovedElsewhere(
  deps: LoadDeps & { readonly db: Kysely<unknown> },
  records: readonly RemovalRecord[],
): Promise<RemovedElsewhere[]> {
  const known = await usersByUid(
    deps.db,
    records.flatMap((record) => record.uids.map(requireUid)),
  );
  const found: RemovedElsewhere[] = [];
  for (const record of records) {
    // A site that was installed again knows its accounts by no registration that the peer remembers: it is only told.
    const removal = { ...toIncomingRemoval(record), births: undefined };
    const { uids } = removal;
    if (!uids.some((uid) => known.has(uid))) continue;
    const loaded = await inTransaction(deps.db, (trx) => loadChunk(trx, deps, [removal]));
    // Deleted here as well, just now: the drain will tell.
    if (uids.some((uid) => loaded.beingDeleted.has(uid))) continue;
    for (const userId of planOfRemoval(removal, loaded).remove) {
      const user = loaded.users.get(userId);
      const [uid] = user?.uids ?? [];
      if (user === undefined || uid === undefined) continue;
      found.push({ userId, uid, email: user.email, removed: removal.stamp });
    }
  }
  return found;
}
