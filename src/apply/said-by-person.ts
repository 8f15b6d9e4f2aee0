/**
 * What a person says of an account here and of those elsewhere that have its address: that it is the same, where nothing of them
 * waits here that could be merged; or that it is another.
 */
import type { Transaction } from 'kysely';
import { SyncError } from '../model/errors.ts';
import { partBirths, withoutParted } from '../model/births.ts';
import { sentChanges } from '../model/guard.ts';
import { bestProof, proofOf, type Provenance } from '../model/proof.ts';
import { routesFor } from '../model/route.ts';
import { nextStamp } from '../model/stamp.ts';
import { canonicalEmail } from '../model/uid.ts';
import { bindUids, unbindUids, writeShadows, type StoredUser } from '../store/shadows.ts';
import { chooseUids } from '../store/uid-assignment.ts';
import { loadChunk, type LoadDeps, type LocalUser } from './load.ts';
import type { WriteShadowsDeps } from './write-shadows.ts';

/** What it needs. */
export type SayDeps = LoadDeps & WriteShadowsDeps;

/**
 * The address of an account here counts as proved, and peers are told: there it is merged with the account of the address. Whom it
 * was said not to be is forgotten. Throws `NOT_FOUND` and `USER_BUSY`.
 */
export async function proveAccount(trx: Transaction<unknown>, deps: SayDeps, email: string): Promise<void> {
  const user = await accountOf(trx, deps, email);
  const proof = bestProof([user.proof, proofOf(user.email, deps.origin.site, deps.nowMs())], user.email);
  const births = withoutParted(user.births);
  const provenance = { ...user.provenance, births, proof, heldUntilMs: undefined };
  await write(trx, deps, user, { uids: user.uids, shadow: user.shadow, provenance });
}

/**
 * The account here goes on as if it had been registered now: under another uid, having met nobody, its address proved by nobody.
 * Records of whom it was taken for are refused, here and wherever those of it come. Throws `NOT_FOUND` and `USER_BUSY`.
 */
export async function partAccount(trx: Transaction<unknown>, deps: SayDeps, email: string): Promise<void> {
  const user = await accountOf(trx, deps, email);
  const born = nextStamp(deps.nowMs(), user.shadow.born, deps.origin);
  const provenance: Provenance = { ...user.provenance, births: partBirths(user.births, born), proof: null };
  const chosen = await chooseUids(trx, [user], deps.randomUid);
  await unbindUids(trx, user.userId);
  await write(trx, deps, user, { uids: [...chosen.values()], shadow: { ...user.shadow, born }, provenance });
}

/** The account of the address, locked. */
async function accountOf(trx: Transaction<unknown>, deps: SayDeps, email: string): Promise<LocalUser> {
  const loaded = await loadChunk(trx, deps, [{ uids: [], email }]);
  const user = loaded.byEmail.get(email);
  if (user === undefined || canonicalEmail(user.email) !== canonicalEmail(email)) {
    throw new SyncError('NOT_FOUND', 'Nobody has that address here.');
  }
  if (loaded.unadopted.has(user.userId)) {
    throw new SyncError('USER_BUSY', 'The account was just registered here; it is about to be looked at.');
  }
  if (user.uids.length === 0) {
    throw new SyncError('NOT_FOUND', 'The account was removed elsewhere, stayed here, and takes part in nothing.');
  }
  return user;
}

/** With what was changed here since it was last looked at. */
async function write(
  trx: Transaction<unknown>,
  deps: SayDeps,
  { userId, absorbedChanges }: LocalUser,
  after: Omit<StoredUser, 'userId'>,
): Promise<void> {
  await writeShadows(trx, [{ userId, ...after }]);
  await bindUids(
    trx,
    after.uids.map((uid) => ({ uid, userId })),
  );
  const told = routesFor(deps.routes(), 'all').map(({ name, sends }) => {
    return { peer: name, kind: 'user' as const, ref: userId, changes: sentChanges(absorbedChanges, sends) };
  });
  await deps.outbox.enqueue(trx, told, deps.nowMs());
}
