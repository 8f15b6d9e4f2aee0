/** The removals that a site remembers, page by page, for a peer that wants to know which of its accounts were removed. */
import { readTombstones, removalIdsAfter } from '../store/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import { toWireProvenance, type FeedPage, type RemovalRecord } from '../model/record.ts';
import { formatStamp } from '../model/stamp.ts';

/** Which of them. */
export interface RemovalsQuery {
  readonly after: number;
  readonly limit: number;
  readonly nowMs: number;
  /** The peer understands births. */
  readonly proofs: boolean;
}

/**
 * A page of them, without those that are still on their way to the peer. `after` and `next` are numbers of removals; users, and
 * totals, are none.
 */
export async function readRemovals(
  runner: Runner,
  peer: string,
  { after, limit, nowMs, proofs }: RemovalsQuery,
): Promise<FeedPage> {
  const found = await removalIdsAfter(runner, peer, { after, limit: limit + 1 });
  const ids = found.slice(0, limit);
  const tombstones = await readTombstones(runner, ids);
  const removed = ids.flatMap((removalId): RemovalRecord[] => {
    const one = tombstones.get(removalId);
    if (one === undefined) return [];
    const record = { uids: [...one.uids], emailHash: one.emailHash, stamp: formatStamp(one.stamp) };
    return [{ kind: 'removal', ...record, ...(proofs ? toWireProvenance(one, nowMs) : {}) }];
  });
  return {
    status: 'OK',
    message: '',
    users: [],
    total: 0,
    remaining: 0,
    retrieved: removed.length,
    limit,
    after,
    next: ids.at(-1) ?? after,
    done: found.length <= limit,
    removed,
  };
}
