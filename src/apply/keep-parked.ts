/** Keeping what cannot be applied now: new records, and those that were parked before and stay so. */
import type { Runner } from '../db/transaction.ts';
import type { RecordSource } from '../model/outcome.ts';
import { parkAgain, parkRecords, type ParkedRecord } from '../store/parked.ts';

/** Keeps records; one that was parked before does not push out another of the same user that came while it was tried again. */
export async function keepParked(
  runner: Runner,
  { nowMs }: { readonly nowMs: () => number },
  { rows }: RecordSource,
  records: readonly ParkedRecord[],
): Promise<void> {
  const fresh: ParkedRecord[] = [];
  for (const entry of records) {
    const row = rows?.get(entry.record);
    if (row === undefined) fresh.push(entry);
    else await parkAgain(runner, row, entry, nowMs());
  }
  await parkRecords(runner, fresh, nowMs());
}
