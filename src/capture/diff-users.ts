/** What the markers of a batch come to: changed, new and removed users; shadows and outboxes are written accordingly. */
import type { Transaction } from 'kysely';
import { markerTimes, usersMailedElsewhere } from '../store/markers.ts';
import { addShadows, bindUids, forgetUsers, readShadows, writeShadows, type StoredUser } from '../store/shadows.ts';
import { chooseUids, reserveUids, type Addressed } from '../store/uid-assignment.ts';
import { absorb, firstShadow, isOtherAccount, type Absorbed } from '../model/absorb.ts';
import { CHANGE, changesOf, sentChanges, type Changes } from '../model/guard.ts';
import { hashValues, type RegisterName } from '../model/register.ts';
import { routesFor, type OutboxEntry } from '../model/route.ts';
import { doubtedUntil, foundProvenance, isCodeNew, provenanceAfter, registeredProvenance } from '../model/proof.ts';
import type { Shadow } from '../model/shadow.ts';
import { isAdoption, nextStamp, type Origin } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUser } from '../osclass/host-users.ts';
import { adopt } from './adopt.ts';
import { recordDeletions, type DeletedRow } from './removed-here.ts';
import type { Marked } from './coalesce.ts';
import type { CaptureDeps } from './deps.ts';
import { doubtfulIds, findFormerIds, forgetWaiting, moveToWaitingIds, renumber, adjustToNewIds } from './renumber.ts';
import { findSuccessors, moveToSuccessors, type KnownUsers } from './replaced-rows.ts';

/** What is known of the batch as a whole. */
export interface Batch {
  /** More markers wait. */
  readonly full: boolean;
  /** Accounts that have another id than before the batch: old id → new id. */
  readonly moves: ReadonlyMap<number, number>;
  /** Until then shadows were adopted without knowing what changed: a user marked earlier is sent as it stands. */
  readonly adoptedUntilMs: number;
  /** All users are being looked at: accounts that wait may yet be found. */
  readonly isScanning: boolean;
  /** All markers of these users that are committed by now; they become part of the batch. */
  readonly recall: (userIds: readonly number[]) => Promise<ReadonlyMap<number, Marked>>;
  /** Those of the ids that an account gave up or got since, as a later marker tells: nothing can be said of them yet. */
  readonly changingHands: (userIds: readonly number[]) => Promise<ReadonlySet<number>>;
}

/** A marked user that exists. */
interface MarkedUser {
  readonly user: HostUser;
  readonly mark: Marked;
}

/** What peers are to be told of a user. */
interface UserChange {
  readonly userId: number;
  readonly registers: readonly RegisterName[] | 'all';
  /** See {@link OutboxEntry}. */
  readonly guarded: Changes;
}

/** What came of a batch. */
export interface UserDiff {
  /** Users that really changed or were removed. */
  readonly changed: number[];
  /** Accounts that went without being deleted, and whose ids others have now. */
  readonly vanished: number;
}

/** Processes markers, by user. */
export async function diffUsers(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  marked: Map<number, Marked>,
  batch: Batch,
): Promise<UserDiff> {
  const { hosts, outbox } = deps;
  const moved = await renumber(trx, deps, batch.moves, { keeps: batch.full });
  const shadows = await readShadows(trx, [...marked.keys()], { lock: true });
  const users = await hosts.byId(trx, [...marked.keys()]);
  const doubtful = await doubtfulIds(trx, [...marked.keys()], { users, shadows });
  const later = await batch.changingHands(doubtful);
  for (const userId of later) users.delete(userId);
  // Who was deleted after the markers were read and before the rows were: that marker belongs to this batch.
  const unexplained = [...marked].flatMap(([userId, { deletedEmail }]) => {
    const user = users.get(userId);
    return !later.has(userId) && deletedEmail === undefined && (user === undefined || isOther(user, shadows))
      ? [userId]
      : [];
  });
  for (const [userId, mark] of await batch.recall(unexplained)) marked.set(userId, mark);
  const found = await recognise(trx, deps, { shadows, users, marked }, batch);
  await adjustToNewIds(trx, deps, invert([...moved, ...found]), { shadows, users });
  const reused = [
    ...[...users.values()].filter((user) => isOther(user, shadows)).map((user) => user.id),
    ...[...marked].filter(([userId, mark]) => isShortLived(mark, shadows.get(userId))).map(([userId]) => userId),
  ];
  const deletedRows = [...marked].flatMap(([userId, { deletedEmail, ...mark }]): DeletedRow[] => {
    if (isShortLived(marked.get(userId), shadows.get(userId))) return [];
    const isThere = users.has(userId) && !reused.includes(userId);
    return isThere || deletedEmail === undefined ? [] : [{ userId, email: deletedEmail, ...mark }];
  });
  const successors = await findSuccessors(trx, deps, deletedRows, shadows);
  const unsent = await moveToSuccessors(trx, deps, successors, { shadows, users, marked });
  const deletions = deletedRows.filter(({ userId }) => shadows.has(userId) || !successors.has(userId));
  const removals = await recordDeletions(trx, deps, deletions, shadows, batch.adoptedUntilMs);
  const removed = deletions.filter(({ userId }) => shadows.has(userId));
  const released = await releaseIds(trx, deps, reused, { shadows, marked }, batch);
  const vanished = released.filter((userId) => !removed.some((one) => one.userId === userId)).length;

  const present = [...marked].flatMap(([userId, mark]): MarkedUser[] => {
    const user = users.get(userId);
    return user === undefined ? [] : [{ user, mark }];
  });
  const known = present.filter(({ user }) => shadows.has(user.id));
  const strangers = present.filter(({ user }) => !shadows.has(user.id));
  const changes = [
    ...(await compare(trx, deps, known, { shadows, unsent, batch })),
    ...(await addUsers(trx, deps, strangers)),
  ];
  await outbox.enqueue(trx, [...removals, ...changes.flatMap((one) => entriesOf(one, deps))], deps.nowMs());
  if (!batch.full && !batch.isScanning) await forgetWaiting(trx, deps);
  return { changed: [...removed, ...changes].map(({ userId }) => userId), vanished };
}

/**
 * Rows that no marker explains, and that are accounts which are remembered under other ids: the table was filled again under
 * new ones. They go on as those accounts. Returns old id → new id.
 */
async function recognise(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  { shadows, users, marked }: KnownUsers,
  { full }: Batch,
): Promise<ReadonlyMap<number, number>> {
  const unknown = [...users.values()].filter((user) => !shadows.has(user.id) || isOther(user, shadows));
  const former = await findFormerIds(trx, deps, unknown);
  // One that was deleted is followed by who has its address now: see replaced-rows.ts.
  const moves = new Map([...former].filter(([before]) => marked.get(before)?.deletedEmail === undefined));
  if (moves.size === 0) return moves;
  const made = await renumber(trx, deps, moves, { keeps: full });
  for (const userId of made.keys()) shadows.delete(userId);
  const now = await readShadows(trx, [...moves.values()], { lock: true });
  for (const [userId, stored] of now) {
    shadows.set(userId, stored);
    const { atMs = 0 } = marked.get(userId) ?? {};
    marked.set(userId, { atMs, inserted: false, deletedEmail: undefined });
  }
  return made;
}

function invert(moves: readonly (readonly [number, number])[]): Map<number, number> {
  return new Map(moves.map(([before, now]) => [now, before]));
}

function isOther(user: HostUser, shadows: ReadonlyMap<number, StoredUser>): boolean {
  const stored = shadows.get(user.id);
  return stored !== undefined && isOtherAccount(stored.shadow, user.registers);
}

/**
 * True if an account came and went under the id of one that is remembered: in a table that was emptied ids start over. The
 * one that is remembered was not deleted.
 */
function isShortLived(mark: Marked | undefined, stored: StoredUser | undefined): boolean {
  if (mark?.deletedEmail === undefined || mark.startsAnew !== true || stored === undefined) return false;
  return stored.shadow.registers.get('s_email')?.hash !== hashValues({ s_email: mark.deletedEmail });
}

/**
 * Ids that another account has now: whoever had them is removed by now, or went without being deleted and is forgotten;
 * the present one is new. Returns those ids that were known.
 */
async function releaseIds(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  reused: readonly number[],
  { shadows, marked }: Pick<KnownUsers, 'shadows' | 'marked'>,
  { full }: Batch,
): Promise<number[]> {
  const known = reused.filter((userId) => shadows.has(userId));
  if (full) await moveToWaitingIds(trx, deps, known);
  await forgetUsers(trx, known);
  await deps.outbox.dropUsers(trx, known);
  for (const userId of reused) {
    shadows.delete(userId);
    const mark = marked.get(userId);
    if (mark !== undefined) marked.set(userId, { ...mark, deletedEmail: undefined });
  }
  return known;
}

/** Users without a shadow: registered just now, or there before anything of ours looked. */
async function addUsers(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  users: readonly MarkedUser[],
): Promise<UserChange[]> {
  const { origin, randomUid } = deps;
  const addressed = users.map(({ user }) => ({ userId: user.id, email: user.email }));
  const uids = await chooseUids(trx, addressed, randomUid);
  const validation = await deps.validation(trx);
  const remembered = ({ user, mark }: MarkedUser): Pick<StoredUser, 'shadow' | 'provenance'> => {
    if (!isRegistration(mark)) {
      const shadow = adopt(user, deps);
      return { shadow, provenance: foundProvenance(shadow, user, origin, validation, deps.nowMs()) };
    }
    const stamp = nextStamp(mark.atMs, undefined, origin);
    const shadow = firstShadow(user.registers, stamp, stamp);
    const provenance = registeredProvenance(shadow, user, origin, validation);
    const mailedMs = mark.mailedElsewhere === true ? deps.nowMs() : undefined;
    return { shadow, provenance: { ...provenance, doubtedUntilMs: doubtedUntil(mailedMs, provenance.doubtedUntilMs) } };
  };
  const rows = users.map((one) => ({
    userId: one.user.id,
    uids: [uids.get(one.user.id) as Uid],
    ...remembered(one),
  }));
  await addShadows(trx, rows);
  await bindUids(
    trx,
    [...uids].map(([userId, uid]) => ({ uid, userId })),
  );
  return users.map(({ user }) => ({ userId: user.id, registers: 'all', guarded: CHANGE.creation }));
}

/** Users with a shadow: what differs from it changed. */
async function compare(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  users: readonly MarkedUser[],
  { shadows, unsent, batch }: { shadows: ReadonlyMap<number, StoredUser>; unsent: ReadonlySet<number>; batch: Batch },
): Promise<UserChange[]> {
  const { origin } = deps;
  const ids = users.map(({ user }) => user.id);
  const waiting = await deps.outbox.usersWaiting(trx, ids);
  const look = ({ user }: MarkedUser, atMs: number): Absorbed => {
    const before = (shadows.get(user.id) as StoredUser).shadow;
    return absorb(
      before,
      user.registers,
      atMs,
      origin,
      waiting.has(user.id) || unsent.has(user.id),
      deps.hosts.describes,
    );
  };
  const looks = new Map(users.map((one) => [one, look(one, one.mark.atMs)]));
  if (batch.full) {
    // The row may hold a change whose marker is in a later batch: its time counts.
    const differing = users.filter((one) => (looks.get(one) as Absorbed).changed.length > 0);
    const times = await markerTimes(
      trx,
      differing.map(({ user }) => user.id),
    );
    for (const one of differing) {
      const atMs = times.get(one.user.id) ?? 0;
      if (atMs > one.mark.atMs) looks.set(one, look(one, atMs));
    }
  }

  const write: StoredUser[] = [];
  const moved: (Addressed & { uids: readonly Uid[] })[] = [];
  const changes: UserChange[] = [];
  const validation = await deps.validation(trx);
  // Asked for once the rows are read: markers of what is in them may not be in the batch.
  const mailedElsewhere = await usersMailedElsewhere(
    trx,
    users.flatMap(({ user }) => (isCodeNew((shadows.get(user.id) as StoredUser).provenance, user) ? [user.id] : [])),
  );
  for (const [{ user, mark }, { shadow, changed }] of looks) {
    const before = shadows.get(user.id) as StoredUser;
    const isMailedElsewhere = mark.mailedElsewhere === true || mailedElsewhere.has(user.id);
    const mailedElsewhereMs = isMailedElsewhere ? Math.max(mark.atMs, deps.nowMs()) : undefined;
    const provenance = provenanceAfter(
      { before: before.provenance, shadows: [before.shadow, shadow], changed, account: user, mailedElsewhereMs },
      origin,
      validation,
    );
    if (shadow !== before.shadow || provenance !== before.provenance) write.push({ ...before, shadow, provenance });
    // An account that stayed here after its removal elsewhere has no uid: no peer is told.
    if (before.uids.length === 0) continue;
    if (changed.includes('s_email')) moved.push({ userId: user.id, email: user.email, uids: before.uids });
    const isWhole =
      isRegistration(mark) ||
      unsent.has(user.id) ||
      (mark.atMs <= batch.adoptedUntilMs && isUntouched(before.shadow, origin));
    const registers = isWhole ? 'all' : changed;
    const guarded = isRegistration(mark)
      ? CHANGE.creation
      : changesOf(changed, before.shadow.registers.get('status')?.hash, user);
    if (registers.length > 0) changes.push({ userId: user.id, registers, guarded });
  }
  await writeShadows(trx, write);
  await reserveUids(trx, moved);
  return changes;
}

/** REPLACE deletes and inserts: that is no registration. */
function isRegistration({ inserted, deletedEmail }: Marked): boolean {
  return inserted && deletedEmail === undefined;
}

/** True if all that is known of the user is how it was found. */
function isUntouched(shadow: Shadow, origin: Origin): boolean {
  for (const { stamp, prior } of shadow.registers.values()) {
    if (!isAdoption(stamp) || stamp.site !== origin.site || prior !== undefined) return false;
  }
  return true;
}

function entriesOf({ userId, registers, guarded }: UserChange, { routes }: CaptureDeps): OutboxEntry[] {
  return routesFor(routes(), registers).map(({ name, sends }) => {
    return { peer: name, kind: 'user', ref: userId, changes: sentChanges(guarded, sends) };
  });
}
