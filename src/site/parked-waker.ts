/** Retries parked records once the host has what they need: a language, or a column that can hold a value. */
import { wakeParkedFor } from '../store/parked.ts';
import type { Runner } from '../db/transaction.ts';
import { hasNewLocale, hasOtherColumns, type HostSnapshot } from '../osclass/host.ts';

/** Makes a function that is given the host each time it was looked at; the first time it wakes everything. */
export function makeParkedWaker(db: Runner): (snapshot: HostSnapshot) => Promise<void> {
  let woken: HostSnapshot | undefined;
  return async (snapshot) => {
    if (hasNewLocale(woken, snapshot)) await wakeParkedFor(db, 'LOCALE_UNKNOWN');
    if (hasOtherColumns(woken, snapshot)) await wakeParkedFor(db, 'VALUE_UNSTORABLE');
    woken = snapshot;
  };
}
