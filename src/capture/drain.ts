/**
 * Drain: markers → what really changed → stamps → outboxes, in one transaction. A marker says that a user changed,
 * never what; the shadow says what. What equals the shadow is not a change.
 */
import type { Lease } from '../store/lease.ts';
import { deleteMarkers, idsChangingHands, readMarkers, readMarkersOf, type Marker } from '../store/markers.ts';
import { readStates } from '../store/state.ts';
import { inTransaction } from '../db/transaction.ts';
import { coalesce, gather, isRenumbering, type Marked } from './coalesce.ts';
import type { CaptureDeps } from './deps.ts';
import { diffUsers, type UserDiff } from './diff-users.ts';

/** What one pass did. */
export interface Drained extends UserDiff {
  /** Markers processed. */
  readonly done: number;
  readonly full: boolean;
}

/** What a pass did that had nothing to do. */
export const NOTHING_DRAINED: Drained = { done: 0, full: false, changed: [], vanished: 0 };

/** True if other work may go on now: who changed, was removed or went is known. Pure. */
export function isNews({ changed, vanished }: UserDiff): boolean {
  return changed.length > 0 || vanished > 0;
}

/** One statement deletes as many. */
const BATCH = 1000;

/**
 * One pass over at most 1,000 markers. They leave the queue in the transaction that wrote the shadow and every outbox
 * (invariant 2), by their ids: their order is not the order of commits, so no position is ever remembered.
 */
export async function drainOnce(deps: CaptureDeps, lease: Lease): Promise<Drained> {
  const { db } = deps;
  return await inTransaction(db, async (trx) => {
    const markers = await readMarkers(trx, BATCH);
    if (markers.length === 0) return NOTHING_DRAINED;
    const { marked, moves, used } = coalesce(markers);
    const batch = markers.slice(0, used);
    const full = markers.length === BATCH || used < markers.length;
    const state = await readStates(trx, ['baseline_finished_at', 'rescan_wanted']);
    const finished = state.get('baseline_finished_at');
    const isScanning = finished === undefined || state.has('rescan_wanted');
    const adoptedUntilMs = finished === undefined ? Infinity : Date.parse(finished);
    const read = new Set(batch.map(({ seq }) => seq));
    let all = batch;
    const recall = async (userIds: readonly number[]): Promise<Map<number, Marked>> => {
      const theirs = recallable(await readMarkersOf(trx, userIds), read);
      all = [...batch, ...theirs.filter(({ seq }) => !read.has(seq))];
      return gather(theirs, read, marked);
    };
    const changingHands = (userIds: readonly number[]): Promise<Set<number>> => idsChangingHands(trx, userIds, read);
    const settled = await diffUsers(trx, deps, marked, {
      full,
      moves,
      adoptedUntilMs,
      isScanning,
      recall,
      changingHands,
    });
    await deleteMarkers(trx, all);
    await lease.fence(trx);
    return { done: all.length, full, ...settled };
  });
}

/**
 * Of later markers of a user those that are about nobody else: up to the first by which the id came to another account. What
 * is left out is a later batch's.
 */
function recallable(markers: readonly Marker[], read: ReadonlySet<string>): Marker[] {
  const ended = new Set<number>();
  return markers.filter((marker) => {
    if (read.has(marker.seq)) return true;
    if (isRenumbering(marker)) ended.add(marker.userId);
    return !ended.has(marker.userId) && (marker.oldUserId === null || marker.oldUserId === marker.userId);
  });
}
