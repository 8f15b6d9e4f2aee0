/** What waits of users in tables of several folders, when their ids change. */
import { renumberParked } from '../store/parked.ts';
import type { CaptureDeps } from '../capture/deps.ts';
import type { OwnTables } from '../db/catalog.ts';
import { renumberUsers } from '../store/renumber-users.ts';
import { dropVanished } from '../store/vanished.ts';

/** Lets it follow to the new ids, in the transaction that finds out. Entries of outboxes go by themselves. */
export function makeRenumbered(own: OwnTables, mode: 'triggers' | 'scan'): CaptureDeps['renumbered'] {
  return async (trx, moves) => {
    await renumberParked(trx, own, moves);
    await renumberUsers(trx, own.hidden, moves);
    if (mode === 'scan') await dropVanished(trx, own, [...moves.keys()]);
  };
}
