/**
 * Meetings: whether an account here and that of a record are one person's, and whose password, address and status count. Two
 * accounts that never met are one person's only if both have proved the address. Pure.
 */
import { haveMet, isBehind, overruleBirths, uniteBirths, type Births } from '../model/births.ts';
import type { RemoteRegister } from '../model/merge.ts';
import type { RecordSource } from '../model/outcome.ts';
import { hashValues, isHashOf, type RegisterName } from '../model/register.ts';
import { compareStamps, nextStamp, type Origin, type Stamp } from '../model/stamp.ts';
import type { Incoming } from './incoming.ts';
import type { LocalUser } from './load.ts';
import type { MergedUser } from './merge-user.ts';

/** What is won or lost with an account. */
const OWNED: readonly RegisterName[] = ['password', 's_email', 'status'];

/** How an account here and that of a record stand to each other. */
export type Meeting =
  /** They never met, and the address of the record is not proved there: nothing of it is taken. */
  | { readonly kind: 'refused' }
  /** They meet now, both proved: stamps decide. */
  | { readonly kind: 'proved' }
  /** They meet now, and nobody had proved ours: theirs wins. */
  | { readonly kind: 'yielding' }
  /** They had met: stamps decide. */
  | { readonly kind: 'met' }
  /** They had met, and the record is of before its account gave way to another, as is known here: theirs does not count. */
  | { readonly kind: 'outdated' }
  /** Likewise of ours, as the record knows. */
  | { readonly kind: 'overruled' };

/** True if the two are known to be one account. */
export function areAcquainted(user: LocalUser, incoming: Incoming): boolean {
  return haveMet(user.births, incoming.births) || haveSameAddressEvent(user, incoming);
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
export function meetingOf(user: LocalUser, incoming: Incoming, { linked }: RecordSource): Meeting {
  const { proof, births } = incoming;
  if (!areAcquainted(user, incoming)) {
    if (linked === true) return { kind: 'proved' };
    if (proof === null) return { kind: 'refused' };
    return { kind: user.proof === null ? 'yielding' : 'proved' };
  }
  if (proof === null && isBehind(births, user.births)) return { kind: 'outdated' };
  if (user.proof === null && isBehind(user.births, births)) return { kind: 'overruled' };
  return { kind: 'met' };
}

/** What a meeting makes of a merge by stamps. */
export interface Met extends MergedUser {
  readonly births: Births;
  /** Registers of ours that stay, under stamps above those of the record. */
  readonly affirmed: ReadonlyMap<RegisterName, Stamp>;
  /** Whoever had the account here lost it to its owner, and may still be logged in. */
  readonly overtaken: boolean;
  /** The sender has to hear of ours. */
  readonly answers: boolean;
}

/** The merge of a record into an account, as {@link meetingOf} wants it. */
export function meet(
  user: LocalUser,
  incoming: Incoming,
  merged: MergedUser,
  { kind }: Exclude<Meeting, { kind: 'refused' }>,
  { from, origin }: { readonly from: RecordSource; readonly origin: Origin },
): Met {
  const isFirst = kind === 'proved' || kind === 'yielding';
  const births =
    kind === 'yielding' ? overruleBirths(incoming.births, user.births) : uniteBirths(user.births, incoming.births);
  const take = new Map(merged.take);
  const owned = OWNED.flatMap((register): [RegisterName, RemoteRegister][] => {
    const theirs = from.route.accepts(register) ? incoming.registers.get(register) : undefined;
    return theirs === undefined ? [] : [[register, theirs]];
  });
  if (kind === 'outdated') for (const [register] of owned) take.delete(register);
  let isLost = kind === 'yielding';
  if (kind === 'yielding' || kind === 'overruled') {
    for (const [register, theirs] of owned) {
      if (isGivenUp(user, register, theirs)) isLost = true;
      take.set(register, theirs);
    }
  }
  const affirmed = isFirst ? keptBlock(user, take, incoming, origin) : new Map<RegisterName, Stamp>();
  for (const register of affirmed.keys()) take.delete(register);
  const answers =
    kind === 'yielding' || kind === 'outdated' || affirmed.size > 0 || (kind === 'proved' && from.via !== 'feed');
  const parked = kind === 'outdated' ? [] : merged.parked;
  return { ...merged, take, parked, births, affirmed, overtaken: isLost, answers };
}

/** True if the account here has another value, set later. */
function isGivenUp({ shadow }: LocalUser, register: RegisterName, theirs: RemoteRegister): boolean {
  const ours = shadow.registers.get(register);
  return ours !== undefined && compareStamps(ours.stamp, theirs.stamp) > 0 && !isHashOf(ours.hash, theirs.values);
}

/** A block stays where two accounts meet, and travels: whoever was banned comes in by no other site. */
function keptBlock(
  { host, shadow }: LocalUser,
  take: ReadonlyMap<RegisterName, RemoteRegister>,
  { registers }: Incoming,
  origin: Origin,
): Map<RegisterName, Stamp> {
  const theirs = registers.get('status');
  const ours = shadow.registers.get('status');
  const isLifting = theirs !== undefined && theirs.values['b_enabled'] !== '0' && take.has('status');
  if (host.enabled || !isLifting || ours === undefined) return new Map();
  const later = compareStamps(ours.stamp, theirs.stamp) > 0 ? ours.stamp : theirs.stamp;
  return new Map([['status', nextStamp(0, later, origin)]]);
}
