/** Decisions: what a record of a living user means for this site. Pure; nothing is read or written here. */
import type { Column } from '../db/catalog.ts';
import { valuesOf } from '../model/absorb.ts';
import { isAhead, isFarAhead } from '../model/clock-guard.ts';
import { findTarget, type Parting } from '../model/identity.ts';
import { mergeRegisters, type RemoteRegister } from '../model/merge.ts';
import { type Selection } from '../model/policy.ts';
import {
  hashValues,
  isHashOf,
  localeOf,
  rowOf,
  withoutRow,
  type RegisterName,
  type Value,
  type Values,
} from '../model/register.ts';
import { isSeparate } from '../model/separate.ts';
import { birthOf, type Registered } from '../model/registration.ts';
import { compareStamps, nextStamp, type Origin, type Stamp } from '../model/stamp.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import { isSameValue } from '../osclass/values.ts';
import type { Incoming } from './incoming.ts';
import type { Loaded, LocalUser } from './load.ts';
import { masked } from './masked.ts';
import type { Note, RecordSource, Outcome } from '../model/outcome.ts';

/** How a record is to be carried out. Registers may still leave `take` before it is. */
export interface UserPlan {
  readonly incoming: Incoming;
  /** Undefined: a new account. */
  readonly user: LocalUser | undefined;
  readonly uids: readonly Uid[];
  readonly born: Stamp;
  readonly partings: readonly Parting[];
  /** Accounts to which uids of the record belong, unknown to the sender. */
  readonly rivals: readonly number[];
  /** Registers that come from the peer, each with the stamp it gets here. */
  readonly take: Map<RegisterName, RemoteRegister>;
  /** Something here is newer than in the record. */
  readonly newerHere: boolean;
  /** Registers that are taken though they are no newer than ours: others may hold what we held. */
  readonly tied: readonly RegisterName[];
  readonly notes: Note[];
  /** Registers that wait for a person. */
  readonly parked: Note[];
  /** This site's own ids of the places in the address, once looked up. */
  places?: ReadonlyMap<Column, Value | number>;
  /** Those it does not have: `the city Springfield`. */
  unknownPlaces?: readonly string[];
}

/** What to do with a record. */
export type Decision =
  | { readonly kind: 'plan'; readonly plan: UserPlan }
  | { readonly kind: 'done'; readonly outcome: Outcome; readonly park: boolean }
  /** The user was removed; its remaining uids and accounts have to follow. */
  | { readonly kind: 'buried'; readonly uids: readonly Uid[]; readonly stamp: Stamp }
  /** Another record of this chunk has to be carried out first. */
  | { readonly kind: 'defer' };

/** What deciding needs besides what was loaded. */
export interface DecideContext {
  readonly from: RecordSource;
  readonly origin: Origin;
  readonly nowMs: number;
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
  const { record, uids, born, registers, registeredMs } = incoming;
  const email = canonicalEmail(record.email);
  const done = (
    result: Outcome['result'],
    code: NonNullable<Outcome['code']>,
    message: string,
    park = false,
  ): Decision => {
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
    return { kind: 'done', outcome, park };
  };

  if (uids.some((uid) => loaded.dying.has(uid))) {
    return done('retry', 'USER_BUSY', 'The account was just deleted here; the removal is on its way.');
  }

  const byEmail = loaded.byEmail.get(record.email);
  if (byEmail !== undefined && loaded.unborn.has(byEmail.userId)) {
    return done('retry', 'USER_BUSY', 'The account was just registered here; it is about to be looked at.');
  }

  const candidates = [...new Set(uids.map((uid) => loaded.byUid.get(uid)).filter((user) => user !== undefined))];
  const dead = new Map([...loaded.tombstones].map(([uid, { stamp }]) => [uid, stamp]));
  const emailSince = registers.get('s_email')?.stamp;
  const target = findTarget(
    { uids, email: record.email, emailSince, born, registeredMs },
    candidates,
    byEmail,
    dead,
    loaded.nextUid,
    {
      isPresent: context.from.waited === true,
      isContested:
        byEmail !== undefined &&
        (loaded.contested.has(byEmail.userId) || (isSeparate(record) && byEmail.uids.length > 0)),
    },
  );
  if (target.kind === 'removed') {
    const isTouched = candidates.some(({ userId }) => context.touchedUsers.has(userId));
    return isTouched ? { kind: 'defer' } : { kind: 'buried', uids, stamp: target.stamp };
  }
  const latest = [...registers.values()].reduce((last, { stamp }) => (stamp.ms > last.ms ? stamp : last), born);
  if (isAhead(latest, context.nowMs)) {
    return done('retry', 'CLOCK_SKEW', aheadMessage(latest, context.nowMs, context.origin));
  }

  const users =
    target.kind === 'taken'
      ? []
      : [...(target.kind === 'existing' ? [target.userId] : []), ...target.partings.map((parting) => parting.userId)];
  const needsHolder = target.kind !== 'existing' || candidates.length === 0;
  if (
    users.some((userId) => context.touchedUsers.has(userId)) ||
    context.touchedEmails.has(email) ||
    (needsHolder && byEmail !== undefined && context.movingAway.has(byEmail.userId))
  ) {
    return { kind: 'defer' };
  }
  if (target.kind === 'taken') {
    return done('parked', 'EMAIL_TAKEN', `Account ${target.userId} of ${context.origin.site} has this address.`, true);
  }
  if (target.kind === 'new') {
    const take = new Map([...registers].filter(([register]) => context.from.route.accepts(register)));
    const { uids: theirs, partings, rivals } = target;
    const plan = { incoming, user: undefined, uids: theirs, born, partings, rivals, take, newerHere: false, tied: [] };
    return { kind: 'plan', plan: withLocales({ ...plan, notes: [], parked: [] }, context.locales) };
  }
  const user = loaded.users.get(target.userId) as LocalUser;
  const joined = target.joined.map((userId) => loaded.users.get(userId) as LocalUser);
  const merged = merge(user, incoming, joined, context);
  const plan = {
    incoming,
    user,
    uids: target.uids,
    born: birthOfAll([incoming, user, ...joined], context.nowMs),
    partings: target.partings,
    rivals: target.rivals,
  };
  return { kind: 'plan', plan: withLocales({ ...plan, ...merged, parked: [] }, context.locales) };
}

/** See {@link birthOf}; one that a clock far ahead made counts only where there is no other. */
function birthOfAll(accounts: readonly [Registered, ...Registered[]], nowMs: number): Stamp {
  const sane = accounts.filter(({ born }) => !isFarAhead(born, nowMs));
  const [first = accounts[0], ...others] = sane.length > 0 ? sane : accounts;
  return others.reduce((one, other) => ({ ...one, born: birthOf(one, other) }), first).born;
}

function merge(
  user: LocalUser,
  incoming: Incoming,
  joined: readonly LocalUser[],
  { from, origin, nowMs }: DecideContext,
): Pick<UserPlan, 'take' | 'newerHere' | 'tied' | 'notes'> {
  const { accepts } = from.route;
  if (from.overwrite) {
    const take = overwrite(user, incoming, accepts, origin, nowMs);
    return { take, newerHere: false, tied: [], notes: [] };
  }
  const theirs = joinStates(incoming.registers, joined, accepts);
  const differs = (register: RegisterName): boolean =>
    !incoming.inLocalTime.has(register) &&
    isOtherThan(valuesOf(user.host.registers, register) ?? {}, theirs.get(register)?.values ?? {});
  // What a site stamped while its clock was far ahead, and ours too, stands back behind what it sends now.
  const isTakenBack = (register: RegisterName, stamp: Stamp): boolean =>
    stamp.site !== origin.site && stamp.site === theirs.get(register)?.stamp.site && isFarAhead(stamp, nowMs);
  const ours = new Map(user.shadow.registers);
  for (const [register, { stamp }] of user.shadow.registers) if (isTakenBack(register, stamp)) ours.delete(register);
  const plan = mergeRegisters(ours, theirs, differs);
  const take = new Map(plan.take.map((register) => [register, theirs.get(register) as RemoteRegister]));
  const conflicts = plan.conflicts.filter(({ register }) => register !== MOVES_WITH_EVERY_EDIT);
  const notes = conflicts.map(({ register, remoteWon }): Note => {
    const held = masked(user.host.registers.get(register));
    const remote = masked(theirs.get(register)?.values);
    return {
      code: 'CONFLICT',
      register,
      message: `Both sites changed ${register}; ${remoteWon ? `the value of ${from.route.name} is later` : 'our value is later'}.`,
      kept: remoteWon ? remote : held,
      lost: remoteWon ? held : remote,
    };
  });
  return { take, newerHere: plan.newerHere.length > 0, tied: plan.tied, notes };
}

/** Its value says when, not what: that two sites edited different things of one user is no conflict. */
const MOVES_WITH_EVERY_EDIT = 'dt_mod_date';

/** True if both have the same columns, and other values in them. */
function isOtherThan(ours: Values, sent: Values): boolean {
  const held = rowOf(sent) === undefined ? withoutRow(ours) : ours;
  const columns = Object.keys(held);
  return (
    columns.length === Object.keys(sent).length &&
    columns.every((column) => column in sent) &&
    columns.some((column) => !isSameValue(sent[column] ?? null, held[column] ?? null))
  );
}

/**
 * The accepted registers of a record, and what accounts that were the same user until now hold of later date: of no other
 * registers either, for it is the peer's word that they were.
 */
function joinStates(
  sent: ReadonlyMap<RegisterName, RemoteRegister>,
  joined: readonly LocalUser[],
  accepts: Selection,
): Map<RegisterName, RemoteRegister> {
  const registers = new Map(sent);
  for (const register of sent.keys()) if (!accepts(register)) registers.delete(register);
  for (const { shadow, host } of joined) {
    for (const [register, { stamp, prior, altered }] of shadow.registers) {
      const values = accepts(register) ? valuesOf(host.registers, register) : undefined;
      const known = registers.get(register);
      if (values === undefined || altered || (known !== undefined && isLater(known, { stamp, values }))) continue;
      registers.set(register, { values, stamp, ...(prior === undefined ? {} : { prior }) });
    }
  }
  return registers;
}

/** True if `one` wins, as in a merge. */
function isLater(one: RemoteRegister, other: RemoteRegister): boolean {
  const order = compareStamps(one.stamp, other.stamp);
  return order > 0 || (order === 0 && hashValues(one.values) >= hashValues(other.values));
}

/** Every accepted register that differs, as if a person here had set it now. */
function overwrite(
  user: LocalUser,
  incoming: Incoming,
  accepts: (register: RegisterName) => boolean,
  origin: Origin,
  nowMs: number,
): Map<RegisterName, RemoteRegister> {
  const take = new Map<RegisterName, RemoteRegister>();
  for (const [register, theirs] of incoming.registers) {
    const ours = user.shadow.registers.get(register);
    if (!accepts(register) || (ours !== undefined && isHashOf(ours.hash, theirs.values))) continue;
    const later = ours !== undefined && compareStamps(ours.stamp, theirs.stamp) > 0 ? ours.stamp : theirs.stamp;
    take.set(register, { values: theirs.values, stamp: nextStamp(nowMs, later, origin) });
  }
  return take;
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
