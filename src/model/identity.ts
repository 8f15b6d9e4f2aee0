/**
 * Identity: which account of this site a record is about. Pure. Uids first, then the canonical e-mail; no account is
 * ever overwritten to make room for another.
 */
import { hasGivenWay, haveMet, tellNothing, type Births } from './births.ts';
import { heldUntil } from './proof.ts';
import { datesAgree, isSameRegistration, type Registered } from './registration.ts';
import { compareStamps, isAdoption, type Stamp } from './stamp.ts';
import { isAbout, type Removal } from './tombstone.ts';
import { canonicalEmail, incarnationOf, isUidOfEmail, uniteUids, type NextUid, type Uid } from './uid.ts';

/** An account of this site that a record may be about. */
export interface Candidate extends Claim {
  readonly userId: number;
}

/** One account is to part from uids that turned out to be another's. */
export interface Parting {
  readonly userId: number;
  readonly uids: readonly Uid[];
}

/** What a record of a living user is about. */
export type Target =
  | {
      readonly kind: 'new';
      readonly uids: readonly Uid[];
      readonly partings: readonly Parting[];
      readonly rivals: readonly number[];
    }
  | {
      readonly kind: 'existing';
      readonly userId: number;
      /** All uids of the user from now on. */
      readonly uids: readonly Uid[];
      readonly partings: readonly Parting[];
      /** Those of them that were this user until now: what they hold is the user's too. */
      readonly joined: readonly number[];
      /** Other accounts, to which uids of the record belong; the sender does not know that. */
      readonly rivals: readonly number[];
    }
  /** The user was removed after the account in the record came to be. */
  | { readonly kind: 'removed'; readonly uids: readonly Uid[]; readonly stamp: Stamp }
  /**
   * Another account of this site holds the address: one whose address only looks the same to the collation, or an
   * earlier or later holder of it.
   */
  | { readonly kind: 'taken'; readonly userId: number };

/** What {@link findTarget} needs to know of a record, or of an account. */
export interface Claim extends Registered {
  readonly births: Births;
  readonly uids: readonly Uid[];
  /** As stored. */
  readonly email: string;
  /** When it came to that address, if that is known. */
  readonly emailSince: Stamp | undefined;
}

/** Removals by uid, each with the first uid of what was removed. */
export type Tombstones = ReadonlyMap<Uid, KnownRemoval>;

interface KnownRemoval extends Removal {
  readonly main: Uid;
  /** Until then it waits; absent: it does not. */
  readonly heldUntilMs?: number | undefined;
}

/** What else is known where a record comes in. */
export interface Known {
  readonly isPresent?: boolean;
  readonly isContested?: boolean;
  readonly nowMs?: number;
  readonly isStranger?: (candidate: Candidate) => boolean;
}

/**
 * Finds the account a record is about.
 *
 * @param byUid accounts of this site named by one of the record's uids, each once
 * @param byEmail the account the database finds by the address, under its own collation
 * @param tombstones removals known here, by uid
 * @param known `isPresent`: the record is known to tell of now, then whoever has the address here is who it is about.
 *   `isContested`: who has the address here should have another by now, and cannot get it: then it is not.
 *   `nowMs`: by which a removal waits, or does no more.
 *   `isStranger`: the account and that of the record have never met. Then a uid that both have, for both sites derived it from
 *   an address, says nothing of who they are
 */
export function findTarget(
  claim: Claim,
  byUid: readonly Candidate[],
  byEmail: Candidate | undefined,
  tombstones: Tombstones,
  nextUid: NextUid,
  { isPresent, isContested, isStranger, nowMs = 0 }: Known = {},
): Target {
  const sameAccount = findSameAccount(claim, byEmail, byUid);
  const removal = latestRemoval(claim, tombstones);
  // A site that was installed again does not know of removals before that, and gives a uid that has a tombstone elsewhere.
  const isAfterIt = removal !== undefined && isAdoption(claim.born) && isRegisteredAfter(sameAccount, removal.stamp);
  // Whoever else is named lives on here as long as it waits at the others.
  const waits = byUid.length > 0 && heldUntil(removal?.heldUntilMs ?? 0, nowMs) !== undefined;
  if (removal !== undefined && !isAfterIt && !waits) {
    return { kind: 'removed', uids: claim.uids, stamp: removal.stamp };
  }
  const email = canonicalEmail(claim.email);
  const isOther = (candidate: Candidate): boolean => sameAccount !== undefined && isOtherThan(claim, candidate);
  // Where the record names the account by a uid too, its sender took the others for the same account. Insisting that they are
  // not would go back and forth for ever, so they part.
  const isTakenForOne = sameAccount !== undefined && byUid.includes(sameAccount);
  // The record is of the account here that has its address; one that gave way to that elsewhere, under another address, is not.
  const hasParted = (candidate: Candidate): boolean =>
    sameAccount !== undefined && candidate !== sameAccount && hasGivenWay(candidate.births, claim.births);
  const strangers = strangersAmong(byUid, email, isStranger);
  const keeping = strangers.filter((stranger) => keepsUids(stranger, claim));
  const parted = byUid.filter((candidate) => !strangers.includes(candidate) && hasParted(candidate));
  const acquainted = byUid.filter((candidate) => !strangers.includes(candidate) && !parted.includes(candidate));
  const earlier = [
    ...acquainted.filter((candidate) => isLaterHolder(claim, candidate, !isTakenForOne && isOther(candidate))),
    ...keeping,
  ];
  const later = [
    ...acquainted.filter((candidate) => isLaterHolder(candidate, claim, isOther(candidate))),
    ...strangers.filter((stranger) => !keeping.includes(stranger)),
    ...parted,
  ];
  const isAnothers = (uid: Uid): boolean => tombstones.has(uid) || earlier.some((one) => one.uids.includes(uid));
  const remaining = claim.uids.filter((uid) => !isAnothers(uid));
  const uids = remaining.length > 0 ? remaining : [nextUid(claim.uids, claim.email)];
  const rivals = earlier.map((candidate) => candidate.userId);

  const named = byUid
    .filter((candidate) => !earlier.includes(candidate) && !later.includes(candidate))
    .toSorted((a, b) => (a.uids[0] ?? '').localeCompare(b.uids[0] ?? '') || a.userId - b.userId);
  const partFrom = (others: readonly Candidate[]): Parting[] => others.map((other) => part(other, uids, nextUid));
  const address = canonicalEmail(latestAddress([claim, ...named]).email);
  const chosen = named.find((candidate) => canonicalEmail(candidate.email) === address) ?? named[0];
  if (chosen !== undefined) {
    const others = named.filter((other) => other !== chosen);
    const partings = partFrom([...others, ...later]);
    const joined = others.map((other) => other.userId);
    return { kind: 'existing', userId: chosen.userId, uids: uniteUids(chosen.uids, uids), partings, joined, rivals };
  }
  if (byEmail === undefined) return { kind: 'new', uids, partings: partFrom(later), rivals };
  if (sameAccount === byEmail && isContested !== true) {
    const partings = partFrom(later.filter((other) => other !== sameAccount));
    return {
      kind: 'existing',
      userId: sameAccount.userId,
      uids: uniteUids(sameAccount.uids, remaining),
      partings,
      joined: [],
      rivals,
    };
  }
  // An account without uids stayed here though it was removed elsewhere; who registers the address again takes it up.
  const isFree =
    isPresent === true ||
    byEmail.uids.length === 0 ||
    incarnationOf(byEmail.uids, email) === incarnationOf(uids, email);
  const samePerson = canonicalEmail(byEmail.email) === email && isFree && isContested !== true;
  if (!samePerson) return { kind: 'taken', userId: byEmail.userId };
  const partings = partFrom(later.filter((other) => other !== byEmail));
  return {
    kind: 'existing',
    userId: byEmail.userId,
    uids: uniteUids(byEmail.uids, uids),
    partings,
    joined: [],
    rivals,
  };
}

/**
 * Accounts that a record names and that are not its own, for the two never met and have other addresses by now; or the record
 * names one besides that it did meet.
 */
function strangersAmong(
  byUid: readonly Candidate[],
  email: string,
  isStranger: (candidate: Candidate) => boolean = () => false,
): readonly Candidate[] {
  const strangers = byUid.filter(isStranger);
  if (strangers.length < byUid.length) return strangers;
  return strangers.filter((candidate) => canonicalEmail(candidate.email) !== email);
}

/**
 * Which of two accounts that never met keeps the uids that both have: the one that came to be first. So every site decides,
 * whatever addresses it knows of them.
 */
function keepsUids(stranger: Candidate, claim: Claim): boolean {
  const order = compareStamps(stranger.born, claim.born);
  return order < 0 || (order === 0 && canonicalEmail(stranger.email) <= canonicalEmail(claim.email));
}

/** Which of them came to its address last; the first of those that did so at once. */
function latestAddress(accounts: readonly [Claim, ...Claim[]]): Claim {
  return accounts.reduce((latest, one) => {
    if (one.emailSince === undefined || latest.emailSince === undefined) return latest;
    return compareStamps(one.emailSince, latest.emailSince) > 0 ? one : latest;
  });
}

/**
 * The account here that has the address of the record and that it has met, or that was registered at the same time: that is who
 * the record is about, under whatever uids. A site that was installed again, or moved from the plugin, gives others.
 */
function findSameAccount(
  claim: Claim,
  byEmail: Candidate | undefined,
  byUid: readonly Candidate[],
): Candidate | undefined {
  const email = canonicalEmail(claim.email);
  return [...(byEmail === undefined ? [] : [byEmail]), ...byUid].find(
    (one) =>
      one.uids.length > 0 &&
      canonicalEmail(one.email) === email &&
      (haveMet(claim.births, one.births) || isSameRegistration(claim, one)),
  );
}

/** True if it is known here, and came to be after that removal. */
function isRegisteredAfter(account: Candidate | undefined, removal: Stamp): boolean {
  return account !== undefined && compareStamps(account.born, removal) > 0;
}

/** True if they have neither the address nor the date of registration in common. */
function isOtherThan(one: Claim, other: Claim): boolean {
  return canonicalEmail(one.email) !== canonicalEmail(other.email) && datesAgree(one, other) === false;
}

/**
 * True if two accounts share only uids derived from the address of the one, and that one was registered after the other
 * had left the address: a site that had not heard of the earlier holder gave the later one the same uid.
 *
 * @param isOther they are known to be two, whatever their dates say of who was first
 */
function isLaterHolder(account: Claim, other: Claim, isOther: boolean): boolean {
  const email = canonicalEmail(account.email);
  if (canonicalEmail(other.email) === email) return false;
  const isLater = other.emailSince !== undefined && compareStamps(account.born, other.emailSince) > 0;
  if (!isLater && !isOther) return false;
  return account.uids.filter((uid) => other.uids.includes(uid)).every((uid) => isUidOfEmail(uid, email));
}

/** What a removal does to the accounts of this site that its uids name. */
export interface RemovalPlan {
  readonly remove: readonly number[];
  /** Accounts that were registered again, or that are not the one meant: they go on under other uids. */
  readonly partings: readonly Parting[];
}

/**
 * Decides which accounts a removal concerns: those that came to be before it, and that have met the removed one. Where its
 * uids name several accounts of this site, only the one with the removed address is meant; the others part from the removed uids.
 *
 * @param isRemovedEmail whether an address is the one the removed user had
 * @param isSpared whether an account is known not to be meant
 */
export function planRemoval(
  removal: Removal & { readonly uids: readonly Uid[] },
  byUid: readonly Candidate[],
  isRemovedEmail: (email: string) => boolean,
  nextUid: NextUid,
  isSpared: (candidate: Candidate) => boolean = () => false,
): RemovalPlan {
  const older = byUid.filter(
    (candidate) =>
      compareStamps(candidate.born, removal.stamp) <= 0 &&
      isAbout(removal, removal.uids[0] as Uid, candidate) &&
      !isSpared(candidate),
  );
  const meant = older.length > 1 ? older.filter((candidate) => isRemovedEmail(candidate.email)) : older;
  const remove = (meant.length > 0 ? meant : older).map((candidate) => candidate.userId);
  const partings = byUid.filter((c) => !remove.includes(c.userId)).map((c) => part(c, removal.uids, nextUid));
  return { remove, partings };
}

/** The account without the removed uids; if nothing is left, under the next uid of its own address. */
function part(candidate: Candidate, removedUids: readonly Uid[], nextUid: NextUid): Parting {
  const rest = candidate.uids.filter((uid) => !removedUids.includes(uid));
  return {
    userId: candidate.userId,
    uids: rest.length > 0 ? rest : [nextUid(candidate.uids, candidate.email)],
  };
}

/**
 * The latest removal of the account in the record that is not older than the account; it beats whatever was edited meanwhile.
 */
function latestRemoval(claim: Claim, tombstones: Tombstones): KnownRemoval | undefined {
  let latest: KnownRemoval | undefined;
  for (const uid of claim.uids) {
    const removal = tombstones.get(uid);
    if (removal === undefined || compareStamps(claim.born, removal.stamp) > 0) continue;
    // A plugin tells of an account that it has long had, and not when that was registered.
    if (!tellNothing(claim.births) && !isAbout(removal, removal.main, claim)) continue;
    if (latest === undefined || compareStamps(removal.stamp, latest.stamp) > 0) latest = removal;
  }
  return latest;
}
