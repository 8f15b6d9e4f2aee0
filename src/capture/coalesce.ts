/**
 * Many markers of one user are one. Accounts whose primary key was changed in place are followed from id to id, in the order
 * of their markers: whoever changes a key holds the row, so of one account that is the order in which it happened. Pure.
 */
import type { Marker } from '../store/markers.ts';

/** All markers of one user in a batch. */
export interface Marked {
  /** Time of the latest. */
  readonly atMs: number;
  /** A row of this id was inserted. */
  readonly inserted: boolean;
  /** With no deletion before it: whoever had the id until then went without a marker. */
  readonly startsAnew?: boolean;
  /** A change of address was asked for, ended, or made: of codes that were mailed nobody knows to whom. */
  readonly mailedElsewhere?: boolean;
  /** The address of the row that was deleted, if one was: of several, of whoever had the id at first. */
  readonly deletedEmail: string | undefined;
}

/** What markers come to. */
export interface Coalesced {
  /** By the id after all of them. */
  readonly marked: Map<number, Marked>;
  /** Accounts that have another id than before: old id → new id, all at once, so that two may change places. */
  readonly moves: ReadonlyMap<number, number>;
  /** How many of the markers that is, from the first: what follows is about an id that changed hands meanwhile. */
  readonly used: number;
}

/**
 * An id that was inserted before anybody was deleted from it has changed hands in a table that was emptied. Of several
 * deletions the first is of whoever had the id when markers began, unless it changed hands.
 */
function add(seen: Marked | undefined, { op, oldEmail, atMs }: Pick<Marker, 'op' | 'oldEmail' | 'atMs'>): Marked {
  const wasDeleted = seen?.deletedEmail !== undefined;
  const startsAnew = seen?.startsAnew === true || (op === 'I' && !wasDeleted);
  return {
    atMs: Math.max(seen?.atMs ?? 0, atMs),
    inserted: seen?.inserted === true || op === 'I',
    startsAnew,
    mailedElsewhere: seen?.mailedElsewhere === true || op === 'E' || (op === 'U' && oldEmail !== null),
    deletedEmail: op === 'D' && (startsAnew || !wasDeleted) ? (oldEmail ?? '') : seen?.deletedEmail,
  };
}

/** True if the marker says that the account has another id since. */
export function isRenumbering({ op, userId, oldUserId }: Marker): boolean {
  return op === 'U' && oldUserId !== null && oldUserId !== userId;
}

/**
 * Puts markers together. Ends before an account that gets the id of one that was deleted or inserted here before: of the
 * two, each has its own marks.
 */
export function coalesce(markers: readonly Marker[]): Coalesced {
  const marked = new Map<number, Marked>();
  /** Of accounts that have another id than at first: their id now → their first; undefined: they came after the first marker. */
  const firstIds = new Map<number, number | undefined>();
  /** First ids of accounts that have another by now. */
  const left = new Set<number>();
  let used = 0;
  for (const marker of markers) {
    const { userId, oldUserId } = marker;
    if (oldUserId !== null && isRenumbering(marker)) {
      const there = marked.get(userId);
      if (there?.inserted === true || there?.deletedEmail !== undefined) break;
      const isFirst = !firstIds.has(oldUserId) && !left.has(oldUserId);
      const first = isFirst ? oldUserId : firstIds.get(oldUserId);
      if (isFirst) left.add(oldUserId);
      firstIds.delete(oldUserId);
      firstIds.set(userId, first);
      const carried = marked.get(oldUserId);
      marked.delete(oldUserId);
      if (carried !== undefined) marked.set(userId, carried);
    } else if (oldUserId !== null && oldUserId !== userId) {
      // A row that belongs to a user came to belong to another: both changed.
      marked.set(oldUserId, add(marked.get(oldUserId), marker));
    }
    marked.set(userId, add(marked.get(userId), marker));
    used += 1;
  }
  const moves = [...firstIds].flatMap(([now, first]): [number, number][] =>
    first === undefined || first === now ? [] : [[first, now]],
  );
  return { marked, moves: new Map(moves), used };
}

/**
 * All markers of some users, of which those of `read` are in `before` already. What an account brought with it from the id it
 * had before is in `before` alone.
 */
export function gather(
  markers: readonly Marker[],
  read: ReadonlySet<string>,
  before: ReadonlyMap<number, Marked>,
): Map<number, Marked> {
  const gathered = new Map<number, Marked>();
  for (const [userId, theirs] of Map.groupBy(markers, (marker) => marker.userId)) {
    const isMoved = theirs.some((marker) => read.has(marker.seq) && isRenumbering(marker));
    let mark = isMoved ? before.get(userId) : undefined;
    for (const marker of theirs) if (!isMoved || !read.has(marker.seq)) mark = add(mark, marker);
    if (mark !== undefined) gathered.set(userId, mark);
  }
  return gathered;
}
