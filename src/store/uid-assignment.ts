/** Which uid an account gets that no peer has told us of. */
import { bindUids, tombstonesByUid, usersByUid } from './shadows.ts';
import type { Runner } from '../db/transaction.ts';
import { freeUidOfEmail, incarnationOf, uidOfEmail, uidsOfEmail, type Uid } from '../model/uid.ts';

/** An account and its address as stored. */
export interface Addressed {
  readonly userId: number;
  readonly email: string;
}

/**
 * The uid of each account: derived from its address, so that sites that never met give one person the same; the next
 * incarnation of it where the first is a removed user's, another's, or reserved. Writes nothing.
 *
 * @param random makes a uid where all incarnations are used
 */
export async function chooseUids(
  runner: Runner,
  accounts: readonly Addressed[],
  random: () => Uid,
): Promise<Map<number, Uid>> {
  const used = new Set<Uid>();
  const asked = new Set<Uid>();
  const chosen = new Map<number, Uid>();
  const ask = async (uids: readonly Uid[]): Promise<void> => {
    const fresh = uids.filter((uid) => !asked.has(uid));
    for (const uid of fresh) asked.add(uid);
    for (const uid of (await usersByUid(runner, fresh)).keys()) used.add(uid);
    for (const uid of (await tombstonesByUid(runner, fresh)).keys()) used.add(uid);
  };
  const first = accounts.map(({ email }) => uidOfEmail(email));
  await ask(first);
  for (const [at, { userId, email }] of accounts.entries()) {
    let uid = first[at];
    if (uid !== undefined && used.has(uid)) uid = freeUidOfEmail(email, (candidate) => used.has(candidate));
    while (uid !== undefined && !asked.has(uid)) {
      await ask([uid]);
      uid = freeUidOfEmail(email, (candidate) => used.has(candidate));
    }
    uid ??= random();
    used.add(uid);
    chosen.set(userId, uid);
  }
  return chosen;
}

/**
 * After an account moved to another address: no later account of that address may be taken for it, so the uid derived
 * from the address is reserved, unless somebody has it already.
 */
export async function reserveUids(
  runner: Runner,
  moved: readonly (Addressed & { readonly uids: readonly Uid[] })[],
): Promise<void> {
  const wanted = moved
    .filter(({ uids, email }) => !uids.includes(uidOfEmail(email)) && incarnationOf(uids, email) === 0)
    .map(({ userId, email }) => ({ userId, uid: uidOfEmail(email) }));
  const uids = wanted.map(({ uid }) => uid);
  const taken = await usersByUid(runner, uids);
  const tombstones = await tombstonesByUid(runner, uids);
  const free = wanted.filter(({ uid }) => !taken.has(uid) && !tombstones.has(uid));
  await bindUids(runner, free);
}

/**
 * The uids that are removed with an account: its own, and the one derived from its present address if that is free or reserved
 * for it, so that a site which knows the account by its address only finds it too.
 */
export async function uidsToRemove(
  runner: Runner,
  account: Addressed & { readonly uids: readonly Uid[] },
): Promise<readonly Uid[]> {
  const derived = uidOfEmail(account.email);
  if (account.uids.includes(derived) || incarnationOf(account.uids, account.email) > 0) return account.uids;
  const holder = (await usersByUid(runner, [derived])).get(derived);
  const tombstones = await tombstonesByUid(runner, [derived]);
  const available = (holder === undefined || holder === account.userId) && !tombstones.has(derived);
  return available ? [...account.uids, derived] : account.uids;
}

/** The uids derived from the addresses that are somebody's, reserved, or removed. */
export async function usedUidsOf(runner: Runner, emails: readonly string[]): Promise<Set<Uid>> {
  if (emails.length === 0) return new Set();
  const derived = [...new Set(emails.flatMap(uidsOfEmail))];
  const living = await usersByUid(runner, derived);
  const tombstones = await tombstonesByUid(runner, derived);
  return new Set([...living.keys(), ...tombstones.keys()]);
}
