/** A user is removed here, whoever did it: what is noted for each plugin peer, which knows users by their address alone. */
import type { Runner } from '../db/transaction.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import { waitingByUid } from '../store/parked.ts';
import { noteRemovedAtPeer, noteRemoved, readSeen } from '../store/plugin-seen.ts';
import type { RemovedUser } from '../store/ports.ts';

/**
 * Notes for every peer that it has the user no more, or that it is to be told the address; in the transaction that removes,
 * before what waits under the uids is given up.
 *
 * @param isRound plugins may repeat each other's removals
 */
export async function noteRemoval(
  runner: Runner,
  peers: readonly string[],
  { email, removalId, uids, told, from }: RemovedUser,
  { isRound, nowMs }: { readonly isRound: boolean; readonly nowMs: () => number },
): Promise<void> {
  const address = canonicalEmail(email);
  for (const peer of peers) {
    const seen = (await readSeen(runner, peer, [address])).get(address);
    // The account that has the address there is another: it must not hear of this.
    if (seen !== undefined && seen.memory !== null && seen.user !== null && !uids.includes(seen.user)) continue;
    const isKnown = seen !== undefined && seen.memory !== null;
    // It has another account of the address, which waited here: whatever it says of the address from now on is of that one.
    const hasAnother = !isKnown && (await waitsUnproven(runner, peer, uids));
    if (peer === from) await noteRemovedAtPeer(runner, peer, address, isRound ? 'heard and echoed' : 'heard', nowMs());
    else if (hasAnother) await noteRemovedAtPeer(runner, peer, address, 'heard', nowMs());
    else {
      // Who never was told of the account has another one there, if any.
      await noteRemoved(runner, peer, { email, removalId, told: isKnown && told.includes(peer) }, nowMs());
    }
  }
}

async function waitsUnproven(runner: Runner, peer: string, uids: readonly Uid[]): Promise<boolean> {
  const waiting = await waitingByUid(runner, peer, uids);
  return [...waiting.values()].some(({ code }) => code === 'EMAIL_UNPROVEN');
}
