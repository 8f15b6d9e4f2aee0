/**
 * How much of a peer may be parked. A call that comes when it is full is refused as a whole; within a call, records that would
 * go beyond it are left with their sender, who sends them again.
 */
import type { Kysely } from 'kysely';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import { parkedUse, type ParkedRecord } from '../store/parked.ts';
import { keepRecord } from '../store/kept-record.ts';

/** What may be parked of one peer. */
export interface ParkedQuota {
  readonly parkedRows: number;
  readonly parkedBytes: number;
}

/** Room is made by people. */
const ROOM_AGAIN_S = 30;

/** Throws `QUOTA` if as much of the peer is parked as may be. */
export async function requireParkedRoom(db: Kysely<unknown>, peer: string, quota: ParkedQuota): Promise<void> {
  const { rows, bytes } = await parkedUse(db, peer);
  if (rows < quota.parkedRows && bytes < quota.parkedBytes) return;
  const message = `${rows} records (${bytes} bytes) of ${peer} are parked, as many as quotas.parked_rows and quotas.parked_size allow.`;
  throw new SyncError('QUOTA', message, { retryAfterS: ROOM_AGAIN_S });
}

/** Records that go beyond the quota are not kept: their outcome is that the sender tries again. */
export async function withinQuota(
  runner: Runner,
  quota: ParkedQuota,
  from: RecordSource,
  { parked, outcomes }: { readonly parked: readonly ParkedRecord[]; readonly outcomes: readonly Outcome[] },
): Promise<{ parked: readonly ParkedRecord[]; outcomes: readonly Outcome[] }> {
  // What comes in a feed does not come again by itself, and a person looks at it.
  if (from.via !== 'stream' || parked.length === 0) return { parked, outcomes };
  const uids = parked.map(({ uid }) => uid);
  const { rows, bytes, known } = await parkedUse(runner, from.route.name, uids);
  let [rowsLeft, bytesLeft] = [quota.parkedRows - rows, quota.parkedBytes - bytes];
  const kept = parked.filter(({ uid, record }) => {
    const before = known.get(uid);
    const more = keepRecord(record).body.length - (before ?? 0);
    const isNew = before === undefined ? 1 : 0;
    if (isNew > rowsLeft || more > bytesLeft) return false;
    [rowsLeft, bytesLeft] = [rowsLeft - isNew, bytesLeft - more];
    known.set(uid, (before ?? 0) + more);
    return true;
  });
  if (kept.length === parked.length) return { parked, outcomes };
  const refused = new Set(parked.filter((one) => !kept.includes(one)).map(({ uid }) => uid));
  const message = `Too much of ${from.route.name} is parked here for this record to be kept.`;
  return {
    parked: kept,
    outcomes: outcomes.map((outcome) =>
      outcome.result === 'parked' && refused.has(outcome.uid)
        ? { ...outcome, result: 'retry' as const, code: 'QUOTA' as const, message }
        : outcome,
    ),
  };
}
