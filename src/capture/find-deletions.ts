/**
 * The half of scan mode that finds deletions: shadows are read page by page, and one whose row is not there was deleted,
 * if the table is the one it was (table-fingerprint.ts). It gets a delete marker, and the drain does the rest. In a table that
 * was emptied or restored nobody counts as deleted: who is missing there is remembered as vanished.
 */
import type { Kysely, Transaction } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import type { Lease } from '../store/lease.ts';
import { usersMarked } from '../store/markers.ts';
import { lastShadowId, readShadows, shadowIdsAfter, type StoredUser } from '../store/shadows.ts';
import { readState, writeState } from '../store/state.ts';
import { inTransaction } from '../db/transaction.ts';
import { addVanished, dropVanished, vanishedAmong, vanishedBetween } from '../store/vanished.ts';
import { isSameAccount } from '../model/absorb.ts';
import { hashValues } from '../model/register.ts';
import { routesFor } from '../model/route.ts';
import { wantRescan } from './baseline.ts';
import type { CaptureDeps } from './deps.ts';
import { addMarkers, type NewMarker } from '../store/queue.ts';
import { renumber, adjustToNewIds } from './renumber.ts';
import { decodeTableSeen, encodeTableSeen, isSameTable, laterSeen, readTableSeen } from './table-fingerprint.ts';

/** What the search needs. */
export interface FindDeletionsDeps extends Pick<
  CaptureDeps,
  'db' | 'hosts' | 'outbox' | 'routes' | 'nowMs' | 'renumberWaiting'
> {
  /** False: triggers are there by now, and this search is the last. */
  readonly isScanMode: boolean;
}

/** One page of the search. */
export interface DeletionsPage {
  /** Shadows looked at. */
  readonly done: number;
  readonly full: boolean;
  /** Delete markers made. */
  readonly deleted: number;
  /** Accounts that went with their table. */
  readonly vanished: number;
}

/** Only ids are read. */
const PAGE = 5000;
/** Rows newer than every shadow among which the successor of a deleted one is looked for. */
const NEWEST = 1000;

/** Makes the next passes look for deleted accounts first, and then at every user. Does nothing if such a scan is under way. */
export async function requestScan(db: Kysely<unknown>): Promise<void> {
  await inTransaction(db, async (trx) => {
    if ((await readState(trx, 'rescan_wanted')) !== undefined) return;
    await writeState(trx, 'absent_cursor', '0');
    await wantRescan(trx);
  });
}

/** Triggers are there by now: what was deleted since the last scan has yet to be found. Nothing if there was no scan mode. */
export async function endScanMode(db: Kysely<unknown>): Promise<void> {
  if ((await readState(db, 'table_seen')) === undefined) return;
  await inTransaction(db, async (trx) => {
    await writeState(trx, 'absent_cursor', '0');
    await wantRescan(trx);
  });
}

/** From now on accounts that are not in the table as it is now were deleted; to be called before the first baseline. */
export async function trustTable(db: Kysely<unknown>, catalog: Catalog): Promise<void> {
  const seen = await readTableSeen(db, catalog.requireTable('t_user').name);
  await writeState(db, 'table_seen', encodeTableSeen(seen));
}

/** True while the search is under way. */
export async function isFindingDeletions(db: Kysely<unknown>): Promise<boolean> {
  return (await readState(db, 'absent_cursor')) !== undefined;
}

/**
 * The next page; cursor, markers and what was seen of the table in one transaction, so a crash repeats at most a page,
 * and a repeated page finds its markers. If the table turns out to be another one, the search starts over, and until its
 * end nobody counts as deleted.
 */
export async function findDeletionsOnce(deps: FindDeletionsDeps, lease: Lease): Promise<DeletionsPage> {
  const { db, hosts } = deps;
  return await inTransaction(db, async (trx) => {
    const cursor = Number((await readState(trx, 'absent_cursor')) ?? 0);
    const known = await shadowIdsAfter(trx, cursor, PAGE);
    const last = known.at(-1) ?? cursor;
    const present = await hosts.idsBetween(trx, cursor, last);
    // Asked after the rows: a table emptied before they were read is noticed.
    const seen = await readTableSeen(trx, hosts.table);
    const before = decodeTableSeen(await readState(trx, 'table_seen'));
    if (!isSameTable(before, seen)) {
      await writeState(trx, 'table_seen', encodeTableSeen(seen));
      await writeState(trx, 'absent_amnesty', '1');
      await writeState(trx, 'absent_cursor', '0');
      await lease.fence(trx);
      return { done: 0, full: true, deleted: 0, vanished: 0 };
    }
    const amnesty = (await readState(trx, 'absent_amnesty')) !== undefined;
    await reportReturned(trx, deps, cursor, last, present);
    const missing = await confirmMissing(
      trx,
      deps,
      known.filter((userId) => !present.has(userId)),
    );
    const elsewhere = await findMoved(trx, deps, missing);
    await follow(trx, deps, elsewhere);
    for (const userId of elsewhere.keys()) missing.delete(userId);
    if (amnesty) await addVanished(trx, [...missing.keys()], deps.nowMs());
    else await addMarkers(trx, await markersOf(trx, deps, missing));

    // Where keys were changed, looking at the rows first finds most of the others at less cost. In another table than before
    // whoever is not found is to be remembered as vanished, and that of all at once.
    const isPutOff = elsewhere.size > 0 && deps.isScanMode && !amnesty;
    const full = known.length === PAGE && !isPutOff;
    await writeState(trx, 'absent_cursor', full ? String(last) : null);
    if (!full) await writeState(trx, 'absent_amnesty', null);
    const isOver = !full && !deps.isScanMode;
    await writeState(trx, 'table_seen', isOver ? null : encodeTableSeen(laterSeen(before, seen)));
    await lease.fence(trx);
    const found = missing.size;
    return { done: known.length, full, deleted: amnesty ? 0 : found, vanished: amnesty ? found : 0 };
  });
}

/** Rows that vanished and are there again: what peers did meanwhile is not known, so they are told. */
async function reportReturned(
  trx: Transaction<unknown>,
  { outbox, routes, nowMs }: FindDeletionsDeps,
  after: number,
  upTo: number,
  present: ReadonlySet<number>,
): Promise<void> {
  const back = (await vanishedBetween(trx, after, upTo)).filter((userId) => present.has(userId));
  if (back.length === 0) return;
  await dropVanished(trx, back);
  const entries = routesFor(routes(), 'all').flatMap((route) =>
    back.map((ref) => ({ peer: route.name, kind: 'user' as const, ref })),
  );
  await outbox.enqueue(trx, entries, nowMs());
}

/**
 * Those of the accounts that have a shadow and no row once whoever is storing them has committed, and of which nothing
 * is known yet.
 */
async function confirmMissing(
  trx: Transaction<unknown>,
  { hosts }: FindDeletionsDeps,
  userIds: readonly number[],
): Promise<Map<number, StoredUser>> {
  const missing = await readShadows(trx, userIds, { lock: true });
  const ids = [...missing.keys()];
  const settled = [
    ...(await hosts.byId(trx, ids)).keys(),
    ...(await usersMarked(trx, 'D', ids)),
    ...(await vanishedAmong(trx, ids)),
  ];
  for (const userId of settled) missing.delete(userId);
  return missing;
}

async function follow(
  trx: Transaction<unknown>,
  deps: FindDeletionsDeps,
  moves: ReadonlyMap<number, number>,
): Promise<void> {
  if (moves.size === 0) return;
  await renumber(trx, deps, moves, { keeps: true });
  const ids = [...moves.values()];
  const users = await deps.hosts.byId(trx, ids);
  const shadows = await readShadows(trx, ids);
  await adjustToNewIds(trx, deps, new Map([...moves].map(([before, now]) => [now, before])), { users, shadows });
}

/**
 * Of accounts that are not under their ids: those that are in the table under others, told by address and registration, for
 * their keys were changed. Old id → new id. All rows are read, once for a page on which somebody is gone.
 */
async function findMoved(
  trx: Transaction<unknown>,
  { hosts }: FindDeletionsDeps,
  missing: ReadonlyMap<number, StoredUser>,
): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  if (missing.size === 0) return found;
  const byAddress = new Map([...missing.values()].map((user) => [user.shadow.registers.get('s_email')?.hash, user]));
  for (let after = 0, length = PAGE; length === PAGE;) {
    const rows = await hosts.identitiesAfter(trx, after, PAGE);
    for (const { id: userId, registers } of rows) {
      const user = byAddress.get(hashValues(registers.get('s_email') ?? {}));
      if (user !== undefined && isSameAccount(user.shadow, registers)) found.set(user.userId, userId);
    }
    after = rows.at(-1)?.id ?? after;
    length = rows.length;
  }
  return found;
}

/** A delete marker names the address only if a newer row has it: then that row goes on as the same account. */
async function markersOf(
  trx: Transaction<unknown>,
  { hosts }: FindDeletionsDeps,
  missing: ReadonlyMap<number, StoredUser>,
): Promise<NewMarker[]> {
  if (missing.size === 0) return [];
  const strangers = await hosts.after(trx, await lastShadowId(trx), NEWEST);
  const holders = new Map(strangers.map(({ registers, email }) => [hashValues(registers.get('s_email') ?? {}), email]));
  return [...missing].map(([userId, { shadow }]) => {
    const hash = shadow.registers.get('s_email')?.hash;
    return { userId, op: 'D', oldEmail: (hash === undefined ? undefined : holders.get(hash)) ?? null };
  });
}
