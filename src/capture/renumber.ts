/**
 * Accounts whose primary key was changed in place, or that came back under another id: what is remembered of them follows, and
 * nobody is told, for an id says nothing elsewhere. Markers of updates tell old id and new id; where nothing was marked,
 * address and date of registration together tell who it is.
 */
import type { Transaction } from 'kysely';
import {
  bindUids,
  FIRST_WAITING_ID,
  forgetUsers,
  lastWaitingId,
  readShadows,
  renumberShadows,
  tombstonesByUid,
  usersByUid,
  waitingUsers,
  writeShadows,
  type StoredUser,
} from '../store/shadows.ts';
import { hasOtherAddress, isOtherAccount, isSameAccount, underNewId } from '../model/absorb.ts';
import { uniteBirths } from '../model/births.ts';
import { isHashOf } from '../model/register.ts';
import { uidOfEmail, uidsOfEmail, uniteUids } from '../model/uid.ts';
import type { HostUser } from '../osclass/host-users.ts';
import type { CaptureDeps } from './deps.ts';

type RenumberDeps = Pick<CaptureDeps, 'hosts' | 'outbox' | 'nowMs' | 'renumberWaiting'>;

/** Accounts in one statement. */
const PAGE = 1000;

/** Old id → new id. */
type Moves = ReadonlyMap<number, number>;

/**
 * Lets everything that is remembered of the accounts follow, all at once: two may change places. Accounts of which nothing is
 * remembered stay as they are. What else is remembered under a new id is of an account that has it no longer; `keeps` says
 * whether that one may still turn up under another id. Returns the moves that were made; those to ids that nobody has are of
 * accounts that wait.
 */
export async function renumber(
  trx: Transaction<unknown>,
  deps: RenumberDeps,
  wanted: Moves,
  { keeps }: { readonly keeps: boolean },
): Promise<Moves> {
  const { outbox, nowMs } = deps;
  if (wanted.size === 0) return wanted;
  const stored = await readShadows(trx, [...wanted.keys(), ...wanted.values()], { lock: true });
  const moves = new Map([...wanted].filter(([before]) => stored.has(before)));
  const movers = new Map([...moves].map(([before, now]) => [now, stored.get(before) as StoredUser]));
  const occupants = [...movers.keys()].filter((userId) => stored.has(userId) && !moves.has(userId));
  const doubles = occupants.filter((userId) => isDouble(stored.get(userId) as StoredUser, movers.get(userId)));
  const others = occupants.filter((userId) => !doubles.includes(userId));
  const forgotten = keeps ? doubles : occupants;
  await forgetUsers(trx, forgotten);
  await outbox.dropUsers(trx, forgotten);
  if (keeps) for (const [before, waiting] of await waitingIds(trx, others)) moves.set(before, waiting);
  await renumberShadows(trx, moves);
  await outbox.renumber(trx, moves, nowMs());
  await deps.renumberWaiting(trx, moves);
  const united = doubles.map((userId): StoredUser => {
    const mover = movers.get(userId) as StoredUser;
    const double = stored.get(userId) as StoredUser;
    const births = uniteBirths(mover.provenance.births, double.provenance.births);
    const provenance = { ...mover.provenance, births };
    return { ...mover, userId, uids: uniteUids(mover.uids, double.uids), provenance };
  });
  await writeShadows(trx, united);
  await bindUids(
    trx,
    united.flatMap(({ userId, uids }) => uids.map((uid) => ({ uid, userId }))),
  );
  return moves;
}

/** True if the account was taken for a new one under its new id before its old one was known. */
function isDouble({ shadow }: StoredUser, mover: StoredUser | undefined): boolean {
  const hash = shadow.registers.get('s_email')?.hash;
  return hash !== undefined && hash === mover?.shadow.registers.get('s_email')?.hash;
}

/** Takes accounts from ids that others have now; they wait for their row to be found. */
export async function moveToWaitingIds(
  trx: Transaction<unknown>,
  deps: RenumberDeps,
  userIds: readonly number[],
): Promise<void> {
  await renumber(trx, deps, await waitingIds(trx, userIds), { keeps: true });
}

async function waitingIds(trx: Transaction<unknown>, userIds: readonly number[]): Promise<Map<number, number>> {
  if (userIds.length === 0) return new Map();
  const first = ((await lastWaitingId(trx)) ?? FIRST_WAITING_ID - 1) + 1;
  return new Map(userIds.map((userId, index) => [userId, first + index]));
}

/** Forgets accounts that wait and whose row was not found: they went without being deleted. Returns how many. */
export async function forgetWaiting(trx: Transaction<unknown>, { outbox }: RenumberDeps): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const waiting = await waitingUsers(trx, PAGE);
    await forgetUsers(trx, waiting);
    await outbox.dropUsers(trx, waiting);
    forgotten += waiting.length;
    if (waiting.length < PAGE) return forgotten;
  }
}

/** Of rows without shadow: ids of accounts that may be theirs, by the uids that can be derived from the address. */
async function namesakesOf(trx: Transaction<unknown>, users: readonly HostUser[]): Promise<Map<number, number[]>> {
  const first = users.map(({ email }) => uidOfEmail(email));
  const known = new Set([...(await usersByUid(trx, first)).keys(), ...(await tombstonesByUid(trx, first)).keys()]);
  const doubtful = users.filter((_, index) => known.has(first[index] as (typeof first)[number]));
  const derived = new Map(doubtful.map(({ id, email }) => [id, uidsOfEmail(email)]));
  const named = await usersByUid(trx, [...derived.values()].flat());
  return new Map(
    [...derived].flatMap(([userId, uids]) => {
      const ids = uids.map((uid) => named.get(uid)).filter((id) => id !== undefined && id !== userId);
      return ids.length === 0 ? [] : [[userId, ids as number[]]];
    }),
  );
}

/** Rows and what is remembered under their ids. */
interface Compared {
  readonly users: ReadonlyMap<number, HostUser>;
  readonly shadows: ReadonlyMap<number, StoredUser>;
}

/**
 * Ids whose row and shadow do not go together, so that a marker may be on its way which says that an account gave the id up or
 * got it: no row, another address, or nothing remembered though the address is known.
 */
export async function doubtfulIds(
  trx: Transaction<unknown>,
  userIds: readonly number[],
  { users, shadows }: Compared,
): Promise<number[]> {
  const strangers = userIds.flatMap((userId) => {
    const user = users.get(userId);
    return user !== undefined && !shadows.has(userId) ? [user] : [];
  });
  const named = await namesakesOf(trx, strangers);
  return userIds.filter((userId) => {
    const stored = shadows.get(userId);
    const user = users.get(userId);
    if (stored === undefined) return named.has(userId);
    return user === undefined || hasOtherAddress(stored.shadow, user.registers);
  });
}

/** Of rows, the ids under which an account of their address and registration is remembered that is not theirs. */
async function rememberedElsewhere(
  trx: Transaction<unknown>,
  users: readonly HostUser[],
): Promise<Map<HostUser, StoredUser>> {
  const named = await namesakesOf(trx, users);
  const stored = await readShadows(trx, [...new Set([...named.values()].flat())]);
  return new Map(
    users.flatMap((user) => {
      const theirs = (named.get(user.id) ?? []).map((userId) => stored.get(userId));
      const found = theirs.find((one) => one !== undefined && isSameAccount(one.shadow, user.registers));
      return found === undefined ? [] : [[user, found] as const];
    }),
  );
}

/**
 * Of rows that are other accounts than those remembered under their ids, or of which nothing is remembered: the ids they are
 * remembered under, if those accounts are there no longer: the row there is gone, or another account, or remembered elsewhere
 * itself. (An account may give its address to one that registered in the same second; that is none of these.)
 */
export async function findFormerIds(
  trx: Transaction<unknown>,
  deps: RenumberDeps,
  users: readonly HostUser[],
): Promise<Map<number, number>> {
  const found = await rememberedElsewhere(trx, users);
  if (found.size === 0) return new Map();
  const rows = await deps.hosts.byId(
    trx,
    [...found.values()].map((stored) => stored.userId),
  );
  const unsure = [...found.values()].flatMap(({ userId, shadow }) => {
    const row = rows.get(userId);
    return row !== undefined && !isOtherAccount(shadow, row.registers) && hasOtherAddress(shadow, row.registers)
      ? [row]
      : [];
  });
  const left = await rememberedElsewhere(trx, unsure);
  const isMissing = ({ userId, shadow }: StoredUser): boolean => {
    const row = rows.get(userId);
    return row === undefined || isOtherAccount(shadow, row.registers) || left.has(row);
  };
  return new Map(
    [...found].filter(([, stored]) => isMissing(stored)).map(([user, stored]) => [stored.userId, user.id] as const),
  );
}

/**
 * Accounts as they are to be compared under new ids. A user name that was the old id is none. Texts and related rows that still
 * lie under the old id, which no account has, belong to it: the site is in the middle of changing its keys.
 *
 * @param before new id → old id
 */
export async function adjustToNewIds(
  trx: Transaction<unknown>,
  { hosts }: RenumberDeps,
  before: ReadonlyMap<number, number>,
  known: { readonly users: Map<number, HostUser>; readonly shadows: Map<number, StoredUser> },
): Promise<void> {
  const oldIds = [...before.values()];
  const owners = await hosts.byId(trx, oldIds);
  const left = await hosts.belongings(
    trx,
    oldIds.filter((userId) => !owners.has(userId)),
  );
  const write: StoredUser[] = [];
  for (const [userId, oldId] of before) {
    const stored = known.shadows.get(userId);
    const user = known.users.get(userId);
    if (stored === undefined || user === undefined) continue;
    const registers = new Map(user.registers);
    for (const [register, values] of left.get(oldId) ?? []) {
      const state = stored.shadow.registers.get(register);
      if (state !== undefined && isHashOf(state.hash, values)) registers.set(register, values);
    }
    known.users.set(userId, { ...user, registers });
    const shadow = underNewId(stored.shadow, user.registers);
    if (shadow === stored.shadow) continue;
    known.shadows.set(userId, { ...stored, shadow });
    write.push({ ...stored, shadow });
  }
  await writeShadows(trx, write);
}
