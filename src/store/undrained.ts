/**
 * What happened on our site and the drain has not looked at yet. Where triggers mark it, the markers tell; where users are
 * only compared every so often, whatever has no explanation may be news.
 */
import { idsChangingHands, usersMarked } from './markers.ts';
import { FIRST_WAITING_ID } from './shadows.ts';
import { readState } from './state.ts';
import type { Runner } from '../db/transaction.ts';
import { vanishedAmong } from './vanished.ts';

/** Asks about accounts whose row and shadow do not go together. */
export interface Undrained {
  /**
   * Of accounts with a shadow and without their row: those that were deleted, as far as can be told.
   *
   * @param reused those whose id another account has by now
   */
  deleted(runner: Runner, userIds: readonly number[], reused?: ReadonlySet<number>): Promise<Set<number>>;
  /**
   * Ids under which row and shadow may be of two accounts, because one of them has another id since: by a marker that was not
   * read yet, or because the account waits for its row to be found.
   */
  changingHands(runner: Runner, userIds: readonly number[]): Promise<Set<number>>;
  /** Of rows without a shadow: those that were registered after the first look at the site. */
  registered(runner: Runner, userIds: readonly number[]): Promise<Set<number>>;
}

/** Told by markers. */
function undrainedByMarkers(): Undrained {
  return {
    deleted: (runner, userIds) => usersMarked(runner, 'D', userIds),
    async changingHands(runner, userIds) {
      return new Set([...userIds.filter(isWaiting), ...(await idsChangingHands(runner, userIds))]);
    },
    registered: (runner, userIds) => usersMarked(runner, 'I', userIds),
  };
}

/** Told by what a scan has not settled. */
function undrainedByScan(): Undrained {
  return {
    async deleted(runner, userIds, reused = new Set()) {
      const vanished = await vanishedAmong(runner, userIds);
      return new Set(userIds.filter((userId) => !vanished.has(userId) && !reused.has(userId)));
    },
    changingHands: (_runner, userIds) => Promise.resolve(new Set(userIds.filter(isWaiting))),
    async registered(runner, userIds) {
      if (userIds.length === 0) return new Set();
      const isLater = (await readState(runner, 'baseline_finished_at')) !== undefined;
      return new Set(isLater ? userIds : []);
    },
  };
}

function isWaiting(userId: number): boolean {
  return userId >= FIRST_WAITING_ID;
}

/** For a site that notices changes in this way. */
export function makeUndrained(mode: 'triggers' | 'scan'): Undrained {
  return mode === 'scan' ? undrainedByScan() : undrainedByMarkers();
}
