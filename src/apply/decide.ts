/** Decisions: what a record of a living user means for this site. Pure; nothing is read or written here. */
import type { Column } from '../db/catalog.ts';
import { arePartedBirths, uniteBirths, type Births } from '../model/births.ts';
import { isAhead, isFarAhead } from '../model/clock-guard.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { Changes } from '../model/guard.ts';
import { findTarget, type Parting, type Target } from '../model/identity.ts';
import { ADDRESS_COLUMN } from '../model/policy.ts';
import { localeOf, type RegisterName, type Value } from '../model/register.ts';
import { HELD_MS, heldUntil, proofOf, type Proof } from '../model/proof.ts';
import { isSeparate } from '../model/separate.ts';
import { existenceStamp, type Registered } from '../model/registration.ts';
import type { Origin, Stamp } from '../model/stamp.ts';
import { birthsOfBoth } from '../model/tombstone.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import type { Incoming } from './incoming.ts';
import type { Loaded, LocalUser } from './load.ts';
import { areAcquainted, meet, meetingOf, type Meeting, type Met } from './meeting.ts';
import { mergeUser, type MergeContext } from './merge-user.ts';
import { isIdentityOnly } from '../store/kept-record.ts';
import type { Outcome } from '../model/outcome.ts';

/** How a record is to be carried out. Registers may still leave `take` before it is. */
export interface UserPlan extends Met {
  readonly incoming: Incoming;
  /** Undefined: a new account. */
  readonly user: LocalUser | undefined;
  readonly uids: readonly Uid[];
  readonly born: Stamp;
  /** Who proved the address that each of them has or had: the account here, the record, and accounts that were the same. */
  readonly proofs: readonly (Proof | null)[];
  readonly partings: readonly Parting[];
  /** Accounts to which uids of the record belong, unknown to the sender. */
  readonly rivals: readonly number[];
  /** What of it the guard holds. */
  held?: Changes;
  /** Its address is proved by this site's own mail, or not at all. */
  readonly arrivesInactive: boolean;
  /** This site's own ids of the places in the address, once looked up. */
  places?: ReadonlyMap<Column, Value | number>;
  /** Those it does not have: `the city Springfield`. */
  unknownPlaces?: readonly string[];
}

/** What to do with a record. */
export type Decision =
  | { readonly kind: 'plan'; readonly plan: UserPlan }
  | { readonly kind: 'done'; readonly outcome: Outcome; readonly park: boolean }
  /** Nobody proved its address; the sender is told of the account here, if somebody proved that. */
  | { readonly kind: 'refused'; readonly outcome: Outcome; readonly userId: number; readonly answers: boolean }
  /** The user was removed; its remaining uids and accounts have to follow. */
  | {
      readonly kind: 'followRemoval';
      readonly uids: readonly Uid[];
      readonly stamp: Stamp;
      /** Of the account in the record, and of the removed one. */
      readonly births: Births;
    }
  /** Another record of this chunk has to be carried out first. */
  | { readonly kind: 'defer' };

/** What deciding needs besides what was loaded. */
export interface DecideContext extends MergeContext {
  /** Locales of this site; undefined: it has no list of them. */
  readonly locales: ReadonlySet<string> | undefined;
  /** Accounts and addresses that earlier records of this chunk are about. */
  readonly touchedUsers: ReadonlySet<number>;
  readonly touchedEmails: ReadonlySet<string>;
  /** Accounts that give up their address in this chunk. */
  readonly movingAway: ReadonlySet<number>;
}

/** What is said of a record from a time that has not come yet. */
export function aheadMessage(stamp: Stamp, nowMs: number, { site }: Origin): string {
  return `The record is stamped ${Math.round((stamp.ms - nowMs) / 1000)} s ahead of the clock of ${site}.`;
}

/** Decides about one record. */
export function decide(incoming: Incoming, loaded: Loaded, context: DecideContext): Decision {
  const { uids } = incoming;
  const candidates = candidatesFor(incoming, loaded);
  const busy = whyBusy(incoming, candidates, loaded);
  if (busy !== undefined) return undone(incoming, 'retry', 'USER_BUSY', busy);

  const target = targetOf(incoming, candidates, loaded, context);
  if (target.kind === 'removed') {
    const isTouched = candidates.byUid.some(({ userId }) => context.touchedUsers.has(userId));
    if (isTouched) return { kind: 'defer' };
    const removals = uids.flatMap((uid) => loaded.tombstones.get(uid) ?? []);
    const births = removals.reduce((all, one) => birthsOfBoth(all, one.births), incoming.births);
    return { kind: 'followRemoval', uids, stamp: target.stamp, births };
  }
  const latest = latestStamp(incoming);
  if (isAhead(latest, context.nowMs)) {
    return undone(incoming, 'retry', 'CLOCK_SKEW', aheadMessage(latest, context.nowMs, context.origin));
  }
  if (hasToWait(incoming, target, candidates, context)) return { kind: 'defer' };

  if (target.kind === 'taken') {
    const holder = loaded.users.get(target.userId);
    const isParted = holder !== undefined && arePartedBirths(holder.births, incoming.births);
    if (isParted || loaded.leaving.has(target.userId)) return refuse(incoming, holder as LocalUser, loaded, context);
    const message = `Account ${target.userId} of ${context.origin.site} has this address.`;
    return undone(incoming, 'parked', 'EMAIL_TAKEN', message);
  }
  if (target.kind === 'new' && isIdentityOnly(incoming.record)) {
    const message = `No values of the account were kept here: it comes with its next change on ${context.from.route.name}, or with a feed.`;
    return undone(incoming, 'parked', 'EMAIL_UNPROVEN', message);
  }
  if (target.kind === 'new') return toPlan(planNew(incoming, target, context), context);
  const user = loaded.users.get(target.userId) as LocalUser;
  const meeting = meetingOf(user, incoming, context.from);
  if (meeting.kind === 'refused') return refuse(incoming, user, loaded, context);
  return toPlan(planExisting(incoming, target, { user, meeting, loaded }, context), context);
}

function toPlan(plan: UserPlan, context: DecideContext): Decision {
  holdWhatIsOwned(plan, context);
  return { kind: 'plan', plan: withLocales(plan, context.locales) };
}

function refuse(incoming: Incoming, user: LocalUser, { leaving }: Loaded, { from, origin }: DecideContext): Decision {
  const isParted = arePartedBirths(user.births, incoming.births);
  const isLeaving = leaving.has(user.userId);
  const whyNot = isLeaving ? 'and another there, which waits' : `which nobody proved on ${from.route.name}`;
  const why = isParted ? 'and a person said that it is another' : whyNot;
  const message = `Account ${user.userId} of ${origin.site} has this address, ${why}.`;
  const done = undone(incoming, 'parked', 'EMAIL_UNPROVEN', message);
  const outcome = { ...done.outcome, userId: user.userId };
  // Of two that are parted each site would answer the other for ever; and who is leaving is known there.
  const answers = user.proof !== null && from.via !== 'parked' && !isParted && !isLeaving;
  return { kind: 'refused', outcome, userId: user.userId, answers };
}

/**
 * An address or a password that was set on a site where somebody lost the account to its owner waits: he may still be logged in
 * there.
 */
function holdWhatIsOwned({ user, incoming, take, parked }: UserPlan, { from, nowMs }: DecideContext): void {
  const untilMs = heldUntil(incoming.heldUntilMs, nowMs);
  if (user === undefined || untilMs === undefined) return;
  const hold = (register: RegisterName, what: string): void => {
    take.delete(register);
    const until = new Date(untilMs).toISOString();
    const message = `On ${from.route.name} the account came over from somebody who had not proved the address: ${what} waits until ${until}.`;
    parked.push({ code: 'EMAIL_UNPROVEN', register, message });
  };
  const address = take.get('s_email');
  const to = address?.values['s_email'];
  const isMove = typeof to === 'string' && canonicalEmail(to) !== canonicalEmail(user.email);
  // One that was only passed on by that site was set where the owner is.
  if (isMove && incoming.registers.get('s_email')?.stamp.site === from.route.name) hold('s_email', 'a change of it');
  const set = incoming.registers.get('password')?.stamp;
  const isSetThere = set?.site === from.route.name && set.ms >= incoming.heldUntilMs - HELD_MS;
  const password = take.get('password')?.values['s_password'];
  const isOther = password !== undefined && password !== user.host.registers.get('password')?.['s_password'];
  if (isSetThere && isOther) hold('password', 'a password that was set there');
}

/** Accounts of this site that a record may be about. */
interface Candidates {
  /** Those that its uids name, each once. */
  readonly byUid: readonly LocalUser[];
  /** The one that holds its address. */
  readonly byEmail: LocalUser | undefined;
}

function candidatesFor({ record, uids }: Incoming, { byUid, byEmail }: Loaded): Candidates {
  const named = uids.map((uid) => byUid.get(uid)).filter((user) => user !== undefined);
  return { byUid: [...new Set(named)], byEmail: byEmail.get(record.email) };
}

/** Why nothing can be said yet: the drain has not seen what just happened to the account here. */
function whyBusy({ uids }: Incoming, { byEmail }: Candidates, { beingDeleted, unadopted }: Loaded): string | undefined {
  if (uids.some((uid) => beingDeleted.has(uid))) return 'The account was just deleted here; the removal is on its way.';
  return byEmail !== undefined && unadopted.has(byEmail.userId)
    ? 'The account was just registered here; it is about to be looked at.'
    : undefined;
}

/** See {@link findTarget}. */
function targetOf(incoming: Incoming, candidates: Candidates, loaded: Loaded, { from, nowMs }: DecideContext): Target {
  const { record, uids, born, births, registers, registeredMs } = incoming;
  const { byUid, byEmail } = candidates;
  const isLinked = from.linked === true;
  const isContested =
    !isLinked &&
    byEmail !== undefined &&
    (loaded.contested.has(byEmail.userId) ||
      loaded.leaving.has(byEmail.userId) ||
      (isSeparate(record) && byEmail.uids.length > 0));
  return findTarget(
    { uids, email: record.email, emailSince: registers.get('s_email')?.stamp, born, births, registeredMs },
    byUid,
    byEmail,
    loaded.tombstones,
    loaded.nextUid,
    {
      isPresent: from.waited === true || isLinked,
      isContested,
      nowMs,
      isStranger: ({ userId }) => {
        const user = loaded.users.get(userId);
        return !isLinked && user !== undefined && !areAcquainted(user, incoming);
      },
    },
  );
}

/** The latest time in a record. */
function latestStamp({ born, registers }: Incoming): Stamp {
  return [...registers.values()].reduce((last, { stamp }) => (stamp.ms > last.ms ? stamp : last), born);
}

/** True if another record of this chunk is about an account or address of this one, or makes room for it. */
function hasToWait(
  { record }: Incoming,
  target: Exclude<Target, { kind: 'removed' }>,
  { byUid, byEmail }: Candidates,
  { touchedUsers, touchedEmails, movingAway }: DecideContext,
): boolean {
  if (accountsOf(target).some((userId) => touchedUsers.has(userId))) return true;
  if (touchedEmails.has(canonicalEmail(record.email))) return true;
  const needsHolder = target.kind !== 'existing' || byUid.length === 0;
  return needsHolder && byEmail !== undefined && movingAway.has(byEmail.userId);
}

/** The accounts that change with a record. */
function accountsOf(target: Exclude<Target, { kind: 'removed' }>): readonly number[] {
  if (target.kind === 'taken') return [];
  const parting = target.partings.map(({ userId }) => userId);
  return target.kind === 'existing' ? [target.userId, ...parting] : parting;
}

/** With these whoever registered the account elsewhere comes in here, or activates it. */
const OPENING: readonly RegisterName[] = ['password', 's_secret'];

/** An account is to be made, of all that is accepted; and of the address, for there is none without. */
function planNew(
  incoming: Incoming,
  { uids, partings, rivals }: Extract<Target, { kind: 'new' }>,
  { from }: DecideContext,
): UserPlan {
  const { accepts, emailTrust } = from.route;
  const isAccepted = (register: RegisterName): boolean =>
    register === ADDRESS_COLUMN || (accepts(register) && !(emailTrust === 'none' && OPENING.includes(register)));
  return {
    incoming,
    user: undefined,
    uids,
    born: incoming.born,
    births: incoming.births,
    proofs: [incoming.proof],
    overtaken: false,
    isOurs: false,
    owed: [],
    answers: false,
    arrivesInactive: emailTrust === 'none',
    partings,
    rivals,
    take: new Map([...incoming.registers].filter(([register]) => isAccepted(register))),
    newerHere: [],
    tied: [],
    notes: [],
    parked: [],
  };
}

/** An account is to become what it and the record are together. */
function planExisting(
  incoming: Incoming,
  { uids, partings, joined: joinedIds, rivals }: Extract<Target, { kind: 'existing' }>,
  { user, meeting, loaded: { users } }: Meeters,
  context: DecideContext,
): UserPlan {
  const joined = joinedIds.map((one) => users.get(one) as LocalUser);
  const born = existenceStampOfAll([incoming, user, ...joined], context.nowMs);
  const met = meet(user, incoming, mergeUser(user, incoming, joined, context), meeting, context);
  const births = joined.reduce((all, one) => uniteBirths(all, one.births), met.births);
  const proofs = [user.proof, incoming.proof, ...joined.map((one) => one.proof), ...saidProof(user, context)];
  if (context.from.route.emailTrust === 'none' && user.proof === null) keepUnopened(met.take);
  return { incoming, user, uids, born, partings, rivals, ...met, births, proofs, arrivesInactive: false };
}

/** Whoever says that two accounts are one person's answers for the address. */
function saidProof({ email }: LocalUser, { from, origin, nowMs }: DecideContext): Proof[] {
  return from.linked === true ? [proofOf(email, origin.site, nowMs)] : [];
}

/** An account, and how it stands to that of a record. */
interface Meeters {
  readonly user: LocalUser;
  readonly meeting: Exclude<Meeting, { kind: 'refused' }>;
  readonly loaded: Loaded;
}

/** Only this site's own mail opens the account: a peer of which nothing is believed can but block it. */
function keepUnopened(take: UserPlan['take']): void {
  for (const register of OPENING) take.delete(register);
  if (take.get('status')?.values['b_enabled'] !== '0') take.delete('status');
}

/** See {@link existenceStamp}; one that a clock far ahead made counts only where there is no other. */
function existenceStampOfAll(accounts: readonly [Registered, ...Registered[]], nowMs: number): Stamp {
  const sane = accounts.filter(({ born }) => !isFarAhead(born, nowMs));
  const [first = accounts[0], ...others] = sane.length > 0 ? sane : accounts;
  return others.reduce((one, other) => ({ ...one, born: existenceStamp(one, other) }), first).born;
}

/** A description in a language this site lacks is left out, and its stamp with it. */
function withLocales(plan: UserPlan, locales: ReadonlySet<string> | undefined): UserPlan {
  for (const register of plan.take.keys()) {
    const locale = localeOf(register);
    if (locale === undefined || locales === undefined || locales.has(locale)) continue;
    plan.take.delete(register);
    plan.notes.push({ code: 'LOCALE_UNKNOWN', register, message: `This site does not have the language ${locale}.` });
  }
  return plan;
}

/** Nothing is done with a record; one that is parked is kept for a person. */
function undone(
  { record, uids }: Incoming,
  result: 'retry' | 'parked',
  code: ErrorCode,
  message: string,
): Extract<Decision, { kind: 'done' }> {
  const outcome: Outcome = {
    result,
    operation: 'none',
    uid: uids[0] as Uid,
    userId: null,
    email: record.email,
    registers: [],
    notes: [],
    code,
    message,
  };
  return { kind: 'done', outcome, park: result === 'parked' };
}
