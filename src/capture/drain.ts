/**
 * Drain: markers → what really changed → stamps → outboxes, in one transaction. A marker says that a user changed,
 * never what; the shadow says what. What equals the shadow is not a change.
 */
import type { Lease } from '../db/lease.ts';
import { deleteMarkers, readMarkers, readMarkersOf, type Marker } from '../db/markers.ts';
import { readState } from '../db/state.ts';
import { inTransaction } from '../db/transaction.ts';
import type { CaptureDeps } from './deps.ts';
import { settle, type Marked, type Settled } from './settle.ts';

/** What one pass did. */
export interface Drained extends Settled {
  /** Markers worked off. */
  readonly done: number;
  readonly full: boolean;
}

/** What a pass did that had nothing to do. */
export const NOTHING_DRAINED: Drained = { done: 0, full: false, changed: [], vanished: 0 };

/** True if other work may go on now: who changed, was removed or went is known. Pure. */
export function isNews({ changed, vanished }: Settled): boolean {
  return changed.length > 0 || vanished > 0;
}

/** One statement deletes as many. */
const BATCH = 1000;

/**
 * One pass over at most 1,000 markers. They leave the queue in the transaction that wrote the shadow and every outbox
 * (invariant 2), by their ids: their order is not the order of commits, so no position is ever remembered.
 */
export async function drainOnce(deps: CaptureDeps, lease: Lease): Promise<Drained> {
  const { db, own } = deps;
  return await inTransaction(db, async (trx) => {
    const markers = await readMarkers(trx, own, BATCH);
    if (markers.length === 0) return NOTHING_DRAINED;
    const full = markers.length === BATCH;
    const finished = await readState(trx, own, 'baseline_finished_at');
    const adoptedUntilMs = finished === undefined ? Infinity : Date.parse(finished);
    let all = markers;
    const recall = async (userIds: readonly number[]): Promise<Map<number, Marked>> => {
      const theirs = await readMarkersOf(trx, own, userIds);
      const read = new Set(markers.map(({ seq }) => seq));
      all = [...markers, ...theirs.filter(({ seq }) => !read.has(seq))];
      return coalesce(theirs);
    };
    const settled = await settle(trx, deps, coalesce(markers), { full, adoptedUntilMs, recall });
    await deleteMarkers(trx, own, all);
    await lease.fence(trx);
    return { done: all.length, full, ...settled };
  });
}

/**
 * Many markers of one user are one. An id that was inserted before anybody was deleted from it has changed hands in a table
 * that was emptied. Of several deletions the first is of whoever had the id when markers began, unless it changed hands.
 */
function coalesce(markers: readonly Marker[]): Map<number, Marked> {
  const marked = new Map<number, Marked>();
  for (const { userId, op, oldEmail, atMs } of markers) {
    const seen = marked.get(userId);
    const wasDeleted = seen?.deletedEmail !== undefined;
    const startsAnew = seen?.startsAnew === true || (op === 'I' && !wasDeleted);
    marked.set(userId, {
      atMs: Math.max(seen?.atMs ?? 0, atMs),
      inserted: seen?.inserted === true || op === 'I',
      startsAnew,
      deletedEmail: op === 'D' && (startsAnew || !wasDeleted) ? (oldEmail ?? '') : seen?.deletedEmail,
    });
  }
  return marked;
}
