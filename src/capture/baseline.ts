/**
 * Baseline: gives every existing user a shadow, page by page, without locking a row of the host. Run again later it is
 * the re-scan that finds what changed while no trigger was there: differences become changes.
 */
import { randomUUID } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import type { Lease } from '../store/lease.ts';
import { idsChangingHands, markerTimes, usersMailedElsewhere, usersMarked } from '../store/markers.ts';
import { readClock } from '../db/server-facts.ts';
import { addShadows, bindUids, readShadows, writeShadows, type StoredUser } from '../store/shadows.ts';
import { readState, readStates, writeState } from '../store/state.ts';
import { inTransaction } from '../db/transaction.ts';
import { chooseUids, reserveUids, type Addressed } from '../store/uid-assignment.ts';
import { hashValues, type RegisterName } from '../model/register.ts';
import { absorb, isOtherAccount } from '../model/absorb.ts';
import { CHANGE, changesOf, sentChanges } from '../model/guard.ts';
import { foundProvenance, isCodeNew, provenanceAfter } from '../model/proof.ts';
import { routesFor, type OutboxEntry } from '../model/route.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUser } from '../osclass/host-users.ts';
import { adopt } from './adopt.ts';
import type { CaptureDeps } from './deps.ts';
import { doubtfulIds, findFormerIds, forgetWaiting, moveToWaitingIds, renumber, adjustToNewIds } from './renumber.ts';

/** What one page of the scan came to, or several. */
export interface BaselinePage {
  readonly done: number;
  readonly full: boolean;
  /** Users found different from their shadow, or without one though the baseline had finished. */
  readonly changed: number;
  /** Accounts that went without being deleted, and whose ids others have now. */
  readonly vanished: number;
}

/** Users read and written in one transaction. */
const PAGE = 1000;

/** Makes the next passes look at every user again, for changes that no trigger marked. */
export async function requestRescan(db: Kysely<unknown>): Promise<void> {
  await inTransaction(db, (trx) => wantRescan(trx));
}

/** As {@link requestRescan}. Every wish is another, so that a page under way sees that one came. */
export async function wantRescan(trx: Transaction<unknown>): Promise<void> {
  await writeState(trx, 'rescan_wanted', randomUUID());
  await writeState(trx, 'baseline_cursor', null);
}

/**
 * Makes the next passes look at every user again if other registers are looked after than before: a column came or went,
 * or the config names others. Before that, nobody's change of a new column could be told from what was always there.
 */
export async function watchRegisters(db: Kysely<unknown>, registers: readonly RegisterName[]): Promise<void> {
  const now = hashValues(Object.fromEntries(registers.map((register) => [register, ''])));
  await inTransaction(db, async (trx) => {
    const before = await readState(trx, 'registers_watched');
    if (before === now) return;
    await writeState(trx, 'registers_watched', now);
    if ((await readState(trx, 'baseline_finished_at')) === undefined) return;
    await wantRescan(trx);
  });
}

/** True until every user was looked at once: some have no shadow yet. */
export async function isBaselinePending(db: Kysely<unknown>): Promise<boolean> {
  return (await readState(db, 'baseline_finished_at')) === undefined;
}

/** True until the first page of a first look at all users is done. */
export async function isBeforeBaseline(db: Kysely<unknown>): Promise<boolean> {
  const set = await readStates(db, ['baseline_finished_at', 'baseline_cursor']);
  return set.size === 0;
}

/** True while a baseline or re-scan has users left to look at. */
export async function isScanPending(db: Kysely<unknown>): Promise<boolean> {
  const set = await readStates(db, ['baseline_finished_at', 'rescan_wanted']);
  return !set.has('baseline_finished_at') || set.has('rescan_wanted');
}

/** The users after `cursor`, asked for before it was their turn. */
export interface PageAhead {
  readonly cursor: number;
  readonly users: Promise<readonly HostUser[]>;
}

/**
 * The next pages, for so many milliseconds and at least one, all of them under the one lease: while a page is written, the
 * server reads the next one. Sums of them; `full` as of the last.
 */
export async function scanPages(deps: CaptureDeps, lease: Lease, forMs = 0): Promise<BaselinePage> {
  const until = performance.now() + forMs;
  let sum: BaselinePage = { done: 0, full: true, changed: 0, vanished: 0 };
  let ahead: PageAhead | undefined;
  const isOver = (): boolean => performance.now() >= until;
  const readOn = (cursor: number): void => {
    ahead = undefined;
    if (isOver()) return;
    const users = deps.hosts.after(deps.db, cursor, PAGE);
    // A failure is reported where the page is awaited; a page that is never awaited must not raise an unhandled rejection.
    users.catch(() => undefined);
    ahead = { cursor, users };
  };
  do {
    const { done, full, changed, vanished } = await baselineOnce(deps, lease, ahead, readOn);
    sum = { done: sum.done + done, full, changed: sum.changed + changed, vanished: sum.vanished + vanished };
  } while (sum.full && !isOver());
  return sum;
}

/**
 * The next page: shadows and cursor in one transaction, so a crash repeats at most one page. A user that changes
 * meanwhile has a marker, and the drain pass will see the difference; what changed before its page was read is in the
 * adopted shadow, and the drain pass sends such a user as it stands. The same holds for a page read ahead: nobody drains
 * while the lease is ours.
 *
 * @param readOn told where the next page begins, once this one is read
 */
export async function baselineOnce(
  deps: CaptureDeps,
  lease: Lease,
  ahead?: PageAhead,
  readOn?: (cursor: number) => void,
): Promise<BaselinePage> {
  const { db, hosts, outbox, routes, nowMs } = deps;
  return await inTransaction(db, async (trx) => {
    const state = await readStates(trx, ['baseline_finished_at', 'baseline_cursor', 'rescan_wanted']);
    const rescan = state.has('baseline_finished_at');
    const cursor = Number(state.get('baseline_cursor') ?? 0);
    const page = await (ahead?.cursor === cursor ? ahead.users : hosts.after(trx, cursor, PAGE));
    const ids = page.map((user) => user.id);
    const last = ids.at(-1) ?? cursor;
    const full = page.length === PAGE;
    if (full) readOn?.(last);
    const { users, known } = rescan
      ? await followIds(trx, deps, page, await readShadows(trx, ids, { lock: true }))
      : { users: page, known: await readShadows(trx, ids, { lock: true }) };
    const { entries, others: found } = await compare(
      trx,
      deps,
      users.filter((user) => known.has(user.id)),
      known,
    );
    const fresh = [...users.filter((user) => !known.has(user.id)), ...found];
    const left = rescan ? await leftToDrain(trx, fresh) : new Set<number>();
    const others = found.filter((user) => !left.has(user.id));
    const otherIds = others.map((user) => user.id);
    // Whoever had those ids may be found further on.
    await moveToWaitingIds(trx, deps, otherIds);
    const strangers = await adoptAll(
      trx,
      deps,
      fresh.filter((user) => !left.has(user.id)),
    );
    // Nobody marked these: they came while there were no triggers.
    if (rescan) {
      for (const { id } of strangers) {
        for (const { name } of routesFor(routes(), 'all')) {
          entries.push({ peer: name, kind: 'user', ref: id, changes: CHANGE.creation });
        }
      }
    }
    await outbox.enqueue(trx, entries, nowMs());

    await writeState(trx, 'baseline_cursor', full ? String(last) : null);
    const isWantedAnew = (await readState(trx, 'rescan_wanted', { lock: true })) !== state.get('rescan_wanted');
    if (isWantedAnew) await writeState(trx, 'baseline_cursor', null);
    const vanished = full || isWantedAnew ? 0 : await forgetWaiting(trx, deps);
    if (!full) {
      if (!isWantedAnew) await writeState(trx, 'rescan_wanted', null);
      // Markers are dated by the same clock.
      const now = new Date(await readClock(trx)).toISOString();
      await writeState(trx, 'scanned_at', now);
      if (!rescan) await writeState(trx, 'baseline_finished_at', now);
    }
    await lease.fence(trx);
    const changed = new Set(entries.map((entry) => entry.ref)).size;
    return { done: page.length, full: full || isWantedAnew, changed, vanished };
  });
}

/**
 * Rows and shadows as they belong together: accounts that are found under another id than they are remembered under go on as
 * the same. Who has an id of which a marker tells that it changed hands is left to the drain.
 */
async function followIds(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  page: readonly HostUser[],
  known: ReadonlyMap<number, StoredUser>,
): Promise<{ users: readonly HostUser[]; known: ReadonlyMap<number, StoredUser> }> {
  const users = new Map(page.map((user) => [user.id, user]));
  const doubtful = await doubtfulIds(trx, [...users.keys()], { users, shadows: known });
  if (doubtful.length === 0) return { users: page, known };
  for (const userId of await idsChangingHands(trx, doubtful)) users.delete(userId);
  const asked = doubtful.map((userId) => users.get(userId)).filter((user) => user !== undefined);
  const made = await renumber(trx, deps, await findFormerIds(trx, deps, asked), { keeps: true });
  const shadows = await readShadows(trx, [...users.keys()], { lock: true });
  const before = [...made].filter(([, now]) => users.has(now)).map(([old, now]) => [now, old] as const);
  await adjustToNewIds(trx, deps, new Map(before), { users, shadows });
  return { users: [...users.values()], known: shadows };
}

/**
 * Users that have a shadow: what differs from it changed here. Returns what peers are to hear, and users that are other
 * accounts than those the shadows remember.
 */
async function compare(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  users: readonly HostUser[],
  known: ReadonlyMap<number, StoredUser>,
): Promise<{ entries: OutboxEntry[]; others: HostUser[] }> {
  const { origin, hosts, outbox } = deps;
  const shadowOf = (user: HostUser): StoredUser => known.get(user.id) as StoredUser;
  const validation = await deps.validation(trx);
  const differing = users.filter((user) => {
    const { shadow: was, provenance: before } = shadowOf(user);
    const { shadow, changed } = absorb(was, user.registers, 0, origin, false, hosts.describes);
    const change = { before, shadows: [was, shadow] as const, changed, account: user };
    return shadow !== was || provenanceAfter(change, origin, validation) !== before;
  });
  const ids = differing.map((user) => user.id);
  // Read before its shadow was locked, a row may be older than its shadow.
  const fresh = await hosts.byId(trx, ids);
  const waiting = await outbox.usersWaiting(trx, ids);
  const marked = await markerTimes(trx, ids);
  const mailedElsewhere = await usersMailedElsewhere(trx, ids);
  const write: StoredUser[] = [];
  const moved: (Addressed & { uids: readonly Uid[] })[] = [];
  const entries: OutboxEntry[] = [];
  const others: HostUser[] = [];
  for (const user of fresh.values()) {
    const before = shadowOf(user);
    if (isOtherAccount(before.shadow, user.registers)) {
      others.push(user);
      continue;
    }
    const atMs = marked.get(user.id) ?? deps.nowMs();
    const { shadow, changed } = absorb(
      before.shadow,
      user.registers,
      atMs,
      origin,
      waiting.has(user.id),
      hosts.describes,
    );
    // What no marker tells of happened while there were no triggers: so may have been a change of address.
    const isDoubted = isCodeNew(before.provenance, user) && !marked.has(user.id);
    const mailedElsewhereMs = isDoubted || mailedElsewhere.has(user.id) ? deps.nowMs() : undefined;
    const provenance = provenanceAfter(
      { before: before.provenance, shadows: [before.shadow, shadow], changed, account: user, mailedElsewhereMs },
      origin,
      validation,
    );
    if (shadow !== before.shadow || provenance !== before.provenance) write.push({ ...before, shadow, provenance });
    if (before.uids.length === 0) continue;
    if (changed.includes('s_email')) moved.push({ userId: user.id, email: user.email, uids: before.uids });
    const guarded = changesOf(changed, before.shadow.registers.get('status')?.hash, user);
    for (const { name, sends } of routesFor(deps.routes(), changed)) {
      entries.push({ peer: name, kind: 'user', ref: user.id, changes: sentChanges(guarded, sends) });
    }
  }
  await writeShadows(trx, write);
  await reserveUids(trx, moved);
  return { entries, others };
}

/**
 * Those whose registration is marked, or a deletion under their id: the drain comes to them, and only all their markers
 * together tell a removal from an account that went without one.
 */
async function leftToDrain(trx: Transaction<unknown>, users: readonly HostUser[]): Promise<ReadonlySet<number>> {
  const ids = users.map((user) => user.id);
  return new Set([...(await usersMarked(trx, 'I', ids)), ...(await usersMarked(trx, 'D', ids))]);
}

/**
 * Users without a shadow get one, and a uid. Returns them, but for those that are gone since they were read: the removal
 * that a peer sent has told everybody already.
 */
async function adoptAll(
  trx: Transaction<unknown>,
  deps: CaptureDeps,
  users: readonly HostUser[],
): Promise<readonly HostUser[]> {
  if (users.length === 0) return [];
  const { hosts, origin, randomUid } = deps;
  const validation = await deps.validation(trx);
  const addressed = users.map((user) => ({ userId: user.id, email: user.email }));
  const uids = await chooseUids(trx, addressed, randomUid);
  const ids = users.map((user) => user.id);
  const present = await hosts.idsBetween(trx, Math.min(...ids) - 1, Math.max(...ids));
  const adopted = users.filter((user) => present.has(user.id));
  const known = adopted.map((user) => ({ user, uid: uids.get(user.id) as Uid }));
  await addShadows(
    trx,
    known.map(({ user, uid }) => {
      const shadow = adopt(user, deps);
      const provenance = foundProvenance(shadow, user, origin, validation, deps.nowMs());
      return { userId: user.id, uids: [uid], shadow, provenance };
    }),
  );
  await bindUids(
    trx,
    known.map(({ user, uid }) => ({ userId: user.id, uid })),
  );
  return adopted;
}
