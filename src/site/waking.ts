/** Waking records that wait for something the host got: a language, or a column that can hold a value. */
import { wakeParkedFor } from '../store/parked.ts';
import type { Runner } from '../db/transaction.ts';
import { hasNewLocale, hasOtherColumns, type Parts } from '../osclass/host.ts';

/** Makes a function that is given the host each time it was looked at; the first time it wakes everything. */
export function makeWaking(db: Runner): (parts: Parts) => Promise<void> {
  let woken: Parts | undefined;
  return async (parts) => {
    if (hasNewLocale(woken, parts)) await wakeParkedFor(db, 'LOCALE_UNKNOWN');
    if (hasOtherColumns(woken, parts)) await wakeParkedFor(db, 'VALUE_UNSTORABLE');
    woken = parts;
  };
}
