/** Whose account at a plugin peer an address stands for, where somebody here has that address. */
import { tombstonesByUid, usersByUid } from '../store/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { impress, noveltyOf, type Memory } from '../model/plugin-memory.ts';
import type { Seen } from '../store/plugin-seen.ts';
import { registeredThere, type PeerTimes } from './times.ts';

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

/** What {@link linkOf} works with. */
export interface LinkDeps {
  readonly hosts: HostUsers;
  readonly times: PeerTimes;
}

/**
 * @param seen what is known of the address at the peer
 * @param holder who has the address here; `regDate` as this site stores it
 */
export async function linkOf(
  runner: Runner,
  deps: LinkDeps,
  seen: Seen | undefined,
  holder: { readonly uids: readonly Uid[]; readonly regDate: string | null },
): Promise<Link> {
  const { hosts } = deps;
  const { memory, user } = seen ?? { memory: null, user: null };
  if (memory === null || user === null || holder.uids.includes(user)) return 'holder';
  const living = [...(await usersByUid(runner, [user])).values()];
  // Uids pass from one account to another where two turn out to be one person; the date of registration does not. Where
  // both have that date, nobody knows, and neither is written over the other.
  const isHolders = isOf(memory, holder.regDate, deps);
  if (living.length > 0) {
    const others = [...(await hosts.byId(runner, living)).values()];
    return isHolders && others.every(({ regDate }) => !isOf(memory, regDate, deps)) ? 'holder' : 'elsewhere';
  }
  if (isHolders) return 'holder';
  return (await tombstonesByUid(runner, [user])).size > 0 ? 'removed' : 'waiting';
}

/** True if the peer has, or may have, this as the date of registration. */
function isOf(memory: Memory, regDate: string | null, { hosts, times }: LinkDeps): boolean {
  if (regDate === null) return false;
  const there = registeredThere(regDate, hosts, times);
  const registered = noveltyOf(memory.get('dt_reg_date'), impress('dt_reg_date', there));
  return registered === 'same' || registered === 'stale';
}
