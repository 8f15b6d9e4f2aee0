/**
 * How much of a peer may be parked. A call that comes when it is full is refused as a whole; within a call, records that would
 * go beyond it are left with their sender, who sends them again. What waits for a proof is counted apart, for whoever registers there
 * adds to it: it refuses no call, and of what goes beyond as many bytes again only the identity is kept. Of rows there are no more than
 * accounts here.
 */
import type { Kysely } from 'kysely';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import { parkedUse, type ParkedRecord } from '../store/parked.ts';
import { keepIdentity, keepRecord } from '../store/kept-record.ts';

/** What may be parked of one peer; and as many bytes once more, of what waits for a proof. */
export interface ParkedQuota {
  readonly parkedRows: number;
  readonly parkedBytes: number;
}

/** Room is made by people. */
const ROOM_AGAIN_S = 30;

/** Throws `QUOTA` if as much of the peer is parked as may be. */
export async function requireParkedRoom(db: Kysely<unknown>, peer: string, quota: ParkedQuota): Promise<void> {
  const { rows, bytes } = (await parkedUse(db, peer)).others;
  if (rows < quota.parkedRows && bytes < quota.parkedBytes) return;
  const message = `${rows} records (${bytes} bytes) of ${peer} are parked, as many as quotas.parked_rows and quotas.parked_size allow.`;
  throw new SyncError('QUOTA', message, { retryAfterS: ROOM_AGAIN_S });
}

/** Records and outcomes of a chunk. */
interface Waiting {
  readonly parked: readonly ParkedRecord[];
  readonly outcomes: readonly Outcome[];
}

/**
 * Records that go beyond the quota are not kept: their outcome is that the sender tries again. Of accounts that nobody proved there
 * only the identity is, so that it is known who is not who.
 */
export async function withinQuota(
  runner: Runner,
  quota: ParkedQuota,
  from: RecordSource,
  { parked, outcomes }: Waiting,
): Promise<Waiting> {
  // What was kept before is no more than it was.
  if (from.via === 'parked' || parked.length === 0) return { parked, outcomes };
  const uids = parked.map(({ uid }) => uid);
  const { unproven, others, known } = await parkedUse(runner, from.route.name, uids);
  const left = {
    unproven: { rows: Infinity, bytes: quota.parkedBytes - unproven.bytes },
    others: { rows: quota.parkedRows - others.rows, bytes: quota.parkedBytes - others.bytes },
  };
  const refused = new Set<string>();
  const kept = parked.flatMap((one): ParkedRecord[] => {
    const room = one.code === 'EMAIL_UNPROVEN' ? left.unproven : left.others;
    const before = known.get(one.uid);
    const more = keepRecord(one.record).body.length - (before ?? 0);
    const isNew = before === undefined ? 1 : 0;
    const isOver = (isNew > 0 && isNew > room.rows) || (more > 0 && more > room.bytes);
    if (isOver && one.isStranger === true) return [withoutValues(one)];
    // What comes in a feed does not come again by itself, and a person looks at it.
    if (isOver && from.via === 'stream') {
      refused.add(one.uid);
      return [];
    }
    [room.rows, room.bytes] = [room.rows - isNew, room.bytes - more];
    known.set(one.uid, (before ?? 0) + more);
    return [one];
  });
  if (refused.size === 0) return { parked: kept, outcomes };
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

function withoutValues(parked: ParkedRecord): ParkedRecord {
  const { record, message } = parked;
  if (record.kind !== 'user') return parked;
  return {
    ...parked,
    record: keepIdentity(record),
    message: `${message} So much waits of the peer that no values are kept.`,
  };
}
