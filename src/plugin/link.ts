/** Whose account at a plugin peer an address stands for, where somebody here has that address. */
import type { OwnTables } from '../db/catalog.ts';
import { tombstonesByUid, usersByUid } from '../db/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import type { Uid } from '../model/uid.ts';
import { impress, noveltyOf } from './memory.ts';
import type { Seen } from './seen-store.ts';

/** Who the account at the peer is. */
export type Link =
  /** Whoever has the address here, or nobody knows better. */
  | 'holder'
  /** Somebody who has another address here by now. */
  | 'elsewhere'
  /** Somebody who is not here yet: the record waits for the address. */
  | 'waiting'
  /** Somebody who was removed here. */
  | 'removed';

/**
 * @param holder who has the address here
 * @param seen what is known of the address at the peer
 */
export async function linkOf(
  runner: Runner,
  own: OwnTables,
  seen: Seen | undefined,
  holder: { readonly uids: readonly Uid[]; readonly regDate: string | null },
): Promise<Link> {
  const { memory, user } = seen ?? { memory: null, user: null };
  if (memory === null || user === null || holder.uids.includes(user)) return 'holder';
  // Uids pass from one account to another where two turn out to be one person; the date of registration does not.
  if (holder.regDate !== null) {
    const registered = noveltyOf(memory.get('dt_reg_date'), impress('dt_reg_date', holder.regDate));
    if (registered === 'same' || registered === 'stale') return 'holder';
  }
  if ((await usersByUid(runner, own, [user])).size > 0) return 'elsewhere';
  return (await tombstonesByUid(runner, own, [user])).size > 0 ? 'removed' : 'waiting';
}
