/** Merging a record into an account of this site, register by register. Pure. */
import { valuesOf } from '../model/absorb.ts';
import { isFarAhead } from '../model/clock-guard.ts';
import { mergeRegisters, type Conflict, type RemoteRegister } from '../model/merge.ts';
import type { Note, RecordSource } from '../model/outcome.ts';
import { ADDRESS_COLUMN, type Selection } from '../model/policy.ts';
import { hashValues, isHashOf, rowOf, withoutRow, type RegisterName, type Values } from '../model/register.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Shadow } from '../model/shadow.ts';
import { compareStamps, nextStamp, type Origin, type Stamp } from '../model/stamp.ts';
import { canonicalEmail } from '../model/uid.ts';
import { isSameValue } from '../osclass/values.ts';
import type { Incoming } from './incoming.ts';
import type { LocalUser } from './load.ts';
import { maskValues } from './mask-values.ts';

/** What came of merging a record into an account. */
export interface MergedUser {
  /** Registers that come from the peer, each with the stamp it gets here. */
  readonly take: Map<RegisterName, RemoteRegister>;
  /** Registers that are newer here than in the record. */
  readonly newerHere: readonly RegisterName[];
  /** Registers that are taken though they are no newer than ours: others may hold what we held. */
  readonly tied: readonly RegisterName[];
  readonly notes: Note[];
  /** Registers that wait for a person. */
  readonly parked: Note[];
}

/** What merging needs besides record and account. */
export interface MergeContext {
  readonly from: RecordSource;
  readonly origin: Origin;
  readonly nowMs: number;
}

/**
 * What an account takes of a record that is about it. `joined`: accounts that were the same user until now, whose later values it
 * takes too.
 */
export function mergeUser(
  user: LocalUser,
  incoming: Incoming,
  joined: readonly LocalUser[],
  context: MergeContext,
): MergedUser {
  const { route, overwrite } = context.from;
  if (overwrite) {
    const take = takeAllThatDiffers(user, incoming, context);
    return { take, newerHere: [], tied: [], notes: [], parked: refuseAddress(take, user, route) };
  }
  const theirs = joinStates(incoming.registers, joined, route.accepts);
  const differs = (register: RegisterName): boolean =>
    !incoming.inLocalTime.has(register) &&
    isOtherThan(valuesOf(user.host.registers, register) ?? {}, theirs.get(register)?.values ?? {});
  const plan = mergeRegisters(withoutTakenBack(user.shadow.registers, theirs, context), theirs, differs);
  const take = new Map(plan.take.map((register) => [register, theirs.get(register) as RemoteRegister]));
  const parked = refuseAddress(take, user, route);
  const notes = plan.conflicts
    .filter(({ register }) => register !== MOVES_WITH_EVERY_EDIT && route.accepts(register))
    .map((conflict) =>
      conflictNote(conflict, route.name, user.host.registers.get(conflict.register), theirs.get(conflict.register)),
    );
  return { take, newerHere: plan.newerHere, tied: plan.tied, notes, parked };
}

/**
 * Takes an address that the peer may not set out of what is taken. Another one than the account has here is a change that
 * waits; it goes through once `columns` lists `s_email`, or is settled when both have one address again.
 */
function refuseAddress(take: Map<RegisterName, RemoteRegister>, { email }: LocalUser, route: PeerRoute): Note[] {
  const to = take.get(ADDRESS_COLUMN)?.values[ADDRESS_COLUMN];
  if (route.accepts(ADDRESS_COLUMN)) return [];
  take.delete(ADDRESS_COLUMN);
  if (typeof to !== 'string' || canonicalEmail(to) === canonicalEmail(email)) return [];
  const message = `The address was changed on ${route.name}, whose entry here does not list s_email in columns.`;
  return [{ code: 'NOT_ACCEPTED', register: ADDRESS_COLUMN, message }];
}

/** What a site stamped while its clock was far ahead, and ours too, stands back behind what it sends now. */
function withoutTakenBack(
  ours: Shadow['registers'],
  theirs: ReadonlyMap<RegisterName, RemoteRegister>,
  { origin, nowMs }: MergeContext,
): Shadow['registers'] {
  const isTakenBack = (register: RegisterName, stamp: Stamp): boolean =>
    stamp.site !== origin.site && stamp.site === theirs.get(register)?.stamp.site && isFarAhead(stamp, nowMs);
  return new Map([...ours].filter(([register, { stamp }]) => !isTakenBack(register, stamp)));
}

/** Tells of the value that lost. */
function conflictNote(
  { register, remoteWon }: Conflict,
  peer: string,
  ours: Values | undefined,
  theirs: RemoteRegister | undefined,
): Note {
  const held = maskValues(ours);
  const remote = maskValues(theirs?.values);
  return {
    code: 'CONFLICT',
    register,
    message: `Both sites changed ${register}; ${remoteWon ? `the value of ${peer} is later` : 'our value is later'}.`,
    kept: remoteWon ? remote : held,
    lost: remoteWon ? held : remote,
  };
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
 * The accepted registers of a record, with its address ({@link refuseAddress} judges that), and what accounts that were the
 * same user until now hold of later date: of no other registers than accepted ones either, for it is the peer's word that they
 * were.
 */
function joinStates(
  sent: ReadonlyMap<RegisterName, RemoteRegister>,
  joined: readonly LocalUser[],
  accepts: Selection,
): Map<RegisterName, RemoteRegister> {
  const registers = new Map(sent);
  for (const register of sent.keys()) {
    if (!accepts(register) && register !== ADDRESS_COLUMN) registers.delete(register);
  }
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
function takeAllThatDiffers(
  user: LocalUser,
  incoming: Incoming,
  { from, origin, nowMs }: MergeContext,
): Map<RegisterName, RemoteRegister> {
  const { accepts } = from.route;
  const take = new Map<RegisterName, RemoteRegister>();
  for (const [register, theirs] of incoming.registers) {
    const ours = user.shadow.registers.get(register);
    if (!accepts(register) && register !== ADDRESS_COLUMN) continue;
    if (ours !== undefined && isHashOf(ours.hash, theirs.values)) continue;
    const later = ours !== undefined && compareStamps(ours.stamp, theirs.stamp) > 0 ? ours.stamp : theirs.stamp;
    take.set(register, { values: theirs.values, stamp: nextStamp(nowMs, later, origin) });
  }
  return take;
}
