/** Users deleted on our site: they get tombstones, lose their shadows, and every peer is told. */
import type { Transaction } from 'kysely';
import { writeTombstones, forgetUsers, tombstonesByUid, type StoredUser } from '../store/shadows.ts';
import { unparkRecords } from '../store/parked.ts';
import { chooseUids, uidsToRemove } from '../store/uid-assignment.ts';
import { CHANGE } from '../model/guard.ts';
import { routesFor, type OutboxEntry } from '../model/route.ts';
import { nextStamp, type Stamp } from '../model/stamp.ts';
import { birthsOfBoth, hashRemovedEmail } from '../model/tombstone.ts';
import { uidOfEmail, type Uid } from '../model/uid.ts';
import type { CaptureDeps } from './deps.ts';

type DeletionDeps = Pick<CaptureDeps, 'outbox' | 'routes' | 'origin' | 'nowMs' | 'randomUid'>;

/** A row that a delete marker tells of and that is not there. */
export interface DeletedRow {
  readonly userId: number;
  /** The address it had; '' if it is not known. */
  readonly email: string;
  /** Time of the latest marker. */
  readonly atMs: number;
  /** It was inserted not long before. */
  readonly inserted: boolean;
}

/**
 * Writes tombstones, takes the users out of shadows and outboxes, and returns the entries that tell the peers.
 *
 * @param adoptedUntilMs until then users without a shadow were not new: they were deleted before the baseline came to
 *   them, and peers may have them
 */
export async function recordDeletions(
  trx: Transaction<unknown>,
  deps: DeletionDeps,
  deletedRows: readonly DeletedRow[],
  shadows: ReadonlyMap<number, StoredUser>,
  adoptedUntilMs: number,
): Promise<OutboxEntry[]> {
  const { outbox, origin } = deps;
  const removals = new Set<number>();
  const told = routesFor(deps.routes(), 'all');
  for (const { userId, email, atMs, inserted } of deletedRows) {
    const before = shadows.get(userId);
    let uids: readonly Uid[];
    if (before !== undefined) {
      // An account that stayed here after its removal elsewhere has no uid: there is nobody to tell.
      uids = email === '' || before.uids.length === 0 ? before.uids : await uidsToRemove(trx, { ...before, email });
    } else if (!inserted && email !== '' && atMs <= adoptedUntilMs) {
      const first = (await chooseUids(trx, [{ userId, email }], deps.randomUid)).get(userId);
      uids = first === uidOfEmail(email) ? [first] : [];
    } else uids = [];
    const main = uids[0];
    if (main === undefined) continue;
    const stamp: Stamp = nextStamp(atMs, before?.shadow.born, origin);
    const emailHash = email === '' ? null : hashRemovedEmail(main, email);
    const nowMs = deps.nowMs();
    const { births, heldUntilMs } = before?.provenance ?? {};
    const known = [...(await tombstonesByUid(trx, uids)).values()];
    const ofAll = known.reduce((all, one) => birthsOfBoth(all, one.births), births);
    await writeTombstones(trx, { uids, stamp, emailHash, births: ofAll, heldUntilMs, nowMs });
    for (const { removalId } of (await tombstonesByUid(trx, uids)).values()) {
      removals.add(removalId);
      if (email !== '') await outbox.removed?.(trx, { email, removalId, uids, told: told.map((route) => route.name) });
    }
    // What waits under these uids is another account, which goes on under others there, and is sent again under those.
    for (const { name } of told) await unparkRecords(trx, name, uids);
  }
  const ids = deletedRows.map(({ userId }) => userId).filter((userId) => shadows.has(userId));
  await forgetUsers(trx, ids);
  await outbox.dropUsers(trx, ids);
  return [...removals].flatMap((ref) =>
    told.map((route): OutboxEntry => ({ peer: route.name, kind: 'removal', ref, changes: CHANGE.removal })),
  );
}
