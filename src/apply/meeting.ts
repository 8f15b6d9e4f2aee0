/**
 * Meetings: whether an account here and that of a record are one person's, and whose password, address and status count. Two
 * accounts that never met are one person's only if both have proved the address. Pure.
 */
import {
  areOfOneMoment,
  arePartedBirths,
  areWithin,
  hasGivenWay,
  haveMet,
  haveMetInLostOnly,
  isBehind,
  overruleBirths,
  takenOverMs,
  uniteBirths,
  type Births,
} from '../model/births.ts';
import type { RemoteRegister } from '../model/merge.ts';
import type { RecordSource } from '../model/outcome.ts';
import { isBelieved } from '../model/proof.ts';
import type { Proof } from '../model/proof.ts';
import { NO_DESCRIPTION } from '../model/absorb.ts';
import { HASH_OF_NO_ROW, hashValues, isHashOf, localeOf, type RegisterName, type Values } from '../model/register.ts';
import { compareStamps, isAdoption, nextStamp, type Origin, type Stamp } from '../model/stamp.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { Incoming } from './incoming.ts';
import type { LocalUser } from './load.ts';
import type { MergedUser } from './merge-user.ts';

/** What is won or lost with an account whose owner set a password by mail. */
const OWNED: readonly RegisterName[] = ['password', 's_email', 'status'];

/** How an account here and that of a record stand to each other. */
export type Meeting =
  /**
   * They never met, and the address of the record is not proved there; or a person said that they are two: nothing of it is
   * taken.
   */
  | { readonly kind: 'refused' }
  /** They meet now, both proved: stamps decide. */
  | { readonly kind: 'proved' }
  /** They meet now, and nobody had proved ours: theirs wins, in all that it has. */
  | { readonly kind: 'yielding' }
  /** They had met: stamps decide. */
  | { readonly kind: 'met' }
  /** They had met, and the record is of before its account gave way to another, as is known here: theirs does not count. */
  | { readonly kind: 'outdated' }
  /** Likewise of ours, as the record knows. */
  | { readonly kind: 'overruled' };

/** True if the two are known to be one account. */
export function areAcquainted(user: LocalUser, incoming: Incoming): boolean {
  if (arePartedBirths(user.births, incoming.births)) return false;
  if (haveMet(user.births, incoming.births) || haveSameAddressEvent(user, incoming)) return true;
  return user.proof !== null && incoming.proof !== null && areOfOneMoment(user.births, incoming.births);
}

/**
 * True if both hold the same setting of the same address, which only one account can have got: versions without births exchanged
 * them, and took the latest.
 */
function haveSameAddressEvent({ shadow }: LocalUser, { registers }: Incoming): boolean {
  const ours = shadow.registers.get('s_email');
  const theirs = registers.get('s_email');
  if (ours === undefined || theirs === undefined || ours.stamp.ms === 0) return false;
  return compareStamps(ours.stamp, theirs.stamp) === 0 && ours.hash === hashValues(theirs.values);
}

/** See {@link Meeting}. */
export function meetingOf(user: LocalUser, incoming: Incoming, { linked, route }: RecordSource): Meeting {
  const { proof, births } = incoming;
  // With whom else the peer took it for one, it did by proofs that do not count here.
  if (linked !== true && !isBelieved(route.emailTrust) && !areWithin(births, user.births)) return { kind: 'refused' };
  if (!areAcquainted(user, incoming)) {
    if (linked === true) return { kind: 'proved' };
    if (proof === null || arePartedBirths(user.births, births)) return { kind: 'refused' };
    // Proved under another address, and moved by whoever lost it: it is its owner's, and gives way to nobody.
    if (user.proof === null && user.provenance.proof) return { kind: 'refused' };
    return { kind: user.proof === null ? 'yielding' : 'proved' };
  }
  // Whoever lost an account may have proved another address since; and that it was proved before says nothing of who had it.
  const isSame = canonicalEmail(incoming.record.email) === canonicalEmail(user.email);
  const isProvedSince = (one: Proof | null, behind: Births, ahead: Births): boolean =>
    isSame && one !== null && one.atMs >= takenOverMs(behind, ahead);
  if (isBehind(births, user.births) && !isProvedSince(proof, births, user.births)) return { kind: 'outdated' };
  if (isBehind(user.births, births) && !isProvedSince(user.proof, user.births, births)) return { kind: 'overruled' };
  const isFirst = haveMet(user.births, births) && haveMetInLostOnly(user.births, births);
  return { kind: isFirst && user.proof !== null && proof !== null ? 'proved' : 'met' };
}

/** What a meeting makes of a merge by stamps. */
export interface Met extends MergedUser {
  readonly births: Births;
  /** Whoever had the account here lost it to its owner, and may still be logged in. */
  readonly overtaken: boolean;
  /** What came of it nobody else will tell: the account here gave way and may wait elsewhere as it was, or a block stays. */
  readonly isOurs: boolean;
  /** What the account here has to take before it can count as given up; it may be held, or the address another's. */
  readonly owed: readonly RegisterName[];
  /** The sender has to hear of ours. */
  readonly answers: boolean;
}

interface MeetContext {
  readonly from: RecordSource;
  readonly origin: Origin;
}

/** The merge of a record into an account, as {@link meetingOf} wants it. */
export function meet(
  user: LocalUser,
  incoming: Incoming,
  merged: MergedUser,
  { kind }: Exclude<Meeting, { kind: 'refused' }>,
  { from, origin }: MeetContext,
): Met {
  const isFirst = kind === 'proved' || kind === 'yielding';
  const births =
    kind === 'yielding' ? overruleBirths(incoming.births, user.births) : uniteBirths(user.births, incoming.births);
  const take = new Map(merged.take);
  const isStranger = kind === 'yielding' || hasGivenWay(user.births, incoming.births);
  const isOfStranger = hasGivenWay(incoming.births, user.births);
  if (kind === 'outdated')
    for (const register of take.keys()) if (isOfStranger || OWNED.includes(register)) take.delete(register);
  const isLost = kind === 'yielding' || kind === 'overruled';
  if (isLost)
    for (const [register, theirs] of registersThatWin(user, incoming, isStranger, { from, origin }))
      if (!isHeldAlready(user, register, theirs)) take.set(register, theirs);
  const status = isFirst && from.route.accepts('status') ? statusOfBoth(user, incoming, origin) : undefined;
  if (status === 'ours') take.delete('status');
  else if (status !== undefined) take.set('status', status);
  const isSetHere = status !== undefined && status !== 'ours' && status !== incoming.registers.get('status');
  const isOurs = isLost || isSetHere;
  // A peer of a version without births would answer, and both go on for ever.
  const answers =
    (kind === 'outdated' && incoming.record.proof !== undefined) || (kind === 'proved' && from.via !== 'feed');
  const parked = kind === 'outdated' ? [] : merged.parked;
  const owed = kind === 'yielding' || kind === 'overruled' ? OWNED.filter((register) => take.has(register)) : [];
  // What gives way is no news to the sender, even while it has to wait.
  const newerHere = merged.newerHere.filter((register) => !owed.includes(register));
  return { ...merged, take, newerHere, parked, births, overtaken: isLost, isOurs, owed, answers };
}

/**
 * What wins over an account that gives way. Where it never met the other, that is all: whoever had it was a stranger, and his name,
 * telephone number and texts do not go on under the owner's listings, nor come to the owner's other sites.
 */
function registersThatWin(
  { shadow }: LocalUser,
  { registers }: Incoming,
  isStranger: boolean,
  { from: { route }, origin }: MeetContext,
): [RegisterName, RemoteRegister][] {
  const theirs = [...registers].filter(([register]) => route.accepts(register));
  if (!isStranger) return theirs.filter(([register]) => OWNED.includes(register));
  const texts = [...shadow.registers].filter(
    ([register, { hash }]) =>
      localeOf(register) !== undefined &&
      !registers.has(register) &&
      route.accepts(register) &&
      hash !== HASH_OF_NO_ROW,
  );
  return [
    ...theirs,
    ...texts.map(([register, { stamp }]): [RegisterName, RemoteRegister] => [
      register,
      { values: NO_DESCRIPTION, stamp: nextStamp(0, stamp, origin), prior: stamp },
    ]),
  ];
}

/** True if that is what the account here has, as it was set there. */
function isHeldAlready({ shadow }: LocalUser, register: RegisterName, theirs: RemoteRegister): boolean {
  const ours = shadow.registers.get(register);
  return ours !== undefined && compareStamps(ours.stamp, theirs.stamp) === 0 && isHashOf(ours.hash, theirs.values);
}

/**
 * The status of two accounts that meet. A block stays, and travels: whoever was banned comes in by no other site. Of two whose
 * addresses are proved the one that was never confirmed does not deactivate the other, for that says nothing any more.
 */
function statusOfBoth(
  { host, shadow, proof, uids }: LocalUser,
  { registers, born }: Incoming,
  origin: Origin,
): RemoteRegister | 'ours' | undefined {
  const theirs = registers.get('status');
  const ours = shadow.registers.get('status');
  const said = host.registers.get('status');
  if (theirs === undefined || ours === undefined || said === undefined) return undefined;
  // The account is out of the exchange since it was removed elsewhere, which blocked it here.
  const isOfRemoval = uids.length === 0 && ours.altered === true;
  const isBlocked = (said['b_enabled'] === '0' && !isOfRemoval) || theirs.values['b_enabled'] === '0';
  const isActive =
    theirs.values['b_active'] === '1'
      ? proof === null || !isDeactivated(said, ours.stamp, shadow.born, theirs.stamp)
      : proof !== null && said['b_active'] === '1' && !isDeactivated(theirs.values, theirs.stamp, born, ours.stamp);
  const values = { ...theirs.values, b_enabled: isBlocked ? '0' : '1', b_active: isActive ? '1' : '0' };
  const isTheirs = isHashOf(hashValues(values), theirs.values);
  const isLater = compareStamps(theirs.stamp, ours.stamp) > 0;
  if (isTheirs && (isLater || proof === null)) return theirs;
  if (isHashOf(ours.hash, values) && !isLater) return 'ours';
  return { values, stamp: nextStamp(0, isLater ? theirs.stamp : ours.stamp, origin), prior: ours.stamp };
}

/** True if somebody deactivated the account after the other was last looked at; when it was registered does not count. */
function isDeactivated(values: Values, stamp: Stamp, born: Stamp, other: Stamp): boolean {
  const isEdit = !isAdoption(stamp) && stamp.ms > born.ms;
  return values['b_active'] === '0' && isEdit && compareStamps(stamp, other) > 0;
}
