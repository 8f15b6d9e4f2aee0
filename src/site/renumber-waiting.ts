/** What waits of users in tables of several folders, when their ids change. */
import { renumberParked } from '../store/parked.ts';
import type { CaptureDeps } from '../capture/deps.ts';
import { renumberHiddenItems } from '../store/hidden-items.ts';
import { dropVanished } from '../store/vanished.ts';

/** Lets it follow to the new ids, in the transaction that finds out. Entries of outboxes go by themselves. */
export function makeRenumberWaiting(mode: 'triggers' | 'scan'): CaptureDeps['renumberWaiting'] {
  return async (trx, moves) => {
    await renumberParked(trx, moves);
    await renumberHiddenItems(trx, moves);
    if (mode === 'scan') await dropVanished(trx, [...moves.keys()]);
  };
}
