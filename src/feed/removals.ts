/** The removals that a site remembers, page by page, for a peer that wants to know which of its accounts were removed. */
import { sql } from 'kysely';
import { readTombstones } from '../store/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import type { FeedPage, RemovalRecord } from '../model/record.ts';
import { formatStamp } from '../model/stamp.ts';
import { own } from '../db/own-tables.ts';

/**
 * A page of them, without those that are still on their way to the peer. `after` and `next` are numbers of removals; users, and
 * totals, are none.
 *
 *     SELECT DISTINCT removal_id FROM tombstone WHERE removal_id > ? AND NOT EXISTS (an entry for the peer) ORDER BY … LIMIT ?
 */
export async function readRemovals(
  runner: Runner,
  peer: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<FeedPage> {
  const { rows } = await sql<{ removal_id: string }>`
    SELECT DISTINCT t.removal_id FROM ${own.tombstone} t
    WHERE t.removal_id > ${after} AND NOT EXISTS (
      SELECT 1 FROM ${own.outbox} o WHERE o.peer = ${peer} AND o.kind = 'r' AND o.ref = t.removal_id)
    ORDER BY t.removal_id LIMIT ${limit + 1}`.execute(runner);
  const ids = rows.slice(0, limit).map((row) => Number(row.removal_id));
  const tombstones = await readTombstones(runner, ids);
  const removed = ids.flatMap((removalId): RemovalRecord[] => {
    const one = tombstones.get(removalId);
    if (one === undefined) return [];
    return [{ kind: 'removal', uids: [...one.uids], emailHash: one.emailHash, stamp: formatStamp(one.stamp) }];
  });
  return {
    ...{ status: 'OK', message: '', users: [], total: 0, remaining: 0 },
    ...{ retrieved: removed.length, limit, after, next: ids.at(-1) ?? after, done: rows.length <= limit },
    removed,
  };
}
