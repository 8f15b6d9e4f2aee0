/** Keeping what cannot be applied now: new records, and those that lay here already and have to go on. */
import type { Runner } from '../db/transaction.ts';
import type { Origination } from './outcome.ts';
import { parkAgain, parkRecords, type ParkedRecord } from '../store/parked.ts';

/** Keeps records; one that lay here does not push out another of the same user that came while it was tried again. */
export async function keepParked(
  runner: Runner,
  { nowMs }: { readonly nowMs: () => number },
  { lying }: Origination,
  records: readonly ParkedRecord[],
): Promise<void> {
  const fresh: ParkedRecord[] = [];
  for (const entry of records) {
    const lay = lying?.get(entry.record);
    if (lay === undefined) fresh.push(entry);
    else await parkAgain(runner, lay, entry, nowMs());
  }
  await parkRecords(runner, fresh, nowMs());
}
