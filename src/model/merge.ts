/**
 * Merge: which of two states of a user survives, register by register. Pure. The higher stamp wins; of two
 * values under one stamp the one with the larger hash. So merging is idempotent, commutative and associative.
 */
import { type RegisterName, type Values, HASH_OF_NO_ROW, hashValues, isHashOf, rowOf } from './register.ts';
import type { RegisterState } from './shadow.ts';
import { compareStamps, isAdoption, type Stamp } from './stamp.ts';

/** A register as a peer sent it, decoded. */
export interface RemoteRegister {
  readonly stamp: Stamp;
  readonly prior?: Stamp;
  readonly values: Values;
}

/** Both sides had changed the register since they last agreed. */
export interface Conflict {
  readonly register: RegisterName;
  /** True if the peer's value won. */
  readonly remoteWon: boolean;
  readonly winner: Stamp;
  readonly loser: Stamp;
}

/** What a merge decides. */
export interface MergePlan {
  /** Registers whose value comes from the peer. */
  readonly take: RegisterName[];
  /** Registers that are newer here than in the record. */
  readonly newerHere: RegisterName[];
  /** Those of `take` whose stamp equals ours: peers that hold what we held have to be told. */
  readonly tied: RegisterName[];
  readonly conflicts: Conflict[];
}

/**
 * Merges the registers of a record into ours.
 *
 * @param remote what the receiver's list accepts: the rest is as if never sent
 * @param differs both sites store the same columns of the register, so that its hashes can be compared, and other values
 */
export function mergeRegisters(
  local: ReadonlyMap<RegisterName, RegisterState>,
  remote: ReadonlyMap<RegisterName, RemoteRegister>,
  differs: (register: RegisterName) => boolean,
): MergePlan {
  const take: RegisterName[] = [];
  const newerHere: RegisterName[] = [];
  const tied: RegisterName[] = [];
  const conflicts: Conflict[] = [];
  for (const [register, theirs] of remote) {
    const ours = local.get(register);
    if (ours === undefined || isUnspoken(ours)) {
      take.push(register);
      continue;
    }
    const age = compareStamps(theirs.stamp, ours.stamp);
    const order = age || (differs(register) ? breakTie(theirs, ours) : 0);
    if (age === 0 && order > 0) tied.push(register);
    if (order > 0) take.push(register);
    if (order < 0) newerHere.push(register);
    if (order !== 0 && isRegisterConflict(ours, theirs, order)) {
      const [winner, loser] = order > 0 ? [theirs.stamp, ours.stamp] : [ours.stamp, theirs.stamp];
      conflicts.push({ register, remoteWon: order > 0, winner, loser });
    }
  }
  return { take, newerHere, tied, conflicts };
}

/** Absence is never a removal: a row that was not there when this site was first looked at says nothing. */
function isUnspoken({ hash, stamp }: RegisterState): boolean {
  return hash === HASH_OF_NO_ROW && isAdoption(stamp);
}

/**
 * Equal stamps carry equal values, but for two cases: a site that was uninstalled and installed again dates a value that
 * changed meanwhile like the one before; and two accounts that one site changed in the same millisecond may turn out to
 * be one person's. The larger hash then wins, everywhere alike.
 */
function breakTie(theirs: RemoteRegister, ours: RegisterState): number {
  if (ours.altered) return 0;
  // The site that set it could not say whether there is a row, and now it does.
  if (ours.rowUnsaid) return rowOf(theirs.values) === undefined || isHashOf(ours.hash, theirs.values) ? 0 : 1;
  const hash = hashValues(theirs.values);
  return hash === ours.hash ? 0 : hash > ours.hash ? 1 : -1;
}

/** True if the winner was set without knowledge of the loser. Adoption stamps are no changes, so no conflicts. */
function isRegisterConflict(ours: RegisterState, theirs: RemoteRegister, order: number): boolean {
  if (isAdoption(ours.stamp) || isAdoption(theirs.stamp)) return false;
  const [winner, loser] = order > 0 ? [theirs, ours] : [ours, theirs];
  return winner.prior === undefined || compareStamps(winner.prior, loser.stamp) < 0
    ? !isHashOf(ours.hash, theirs.values)
    : false;
}
