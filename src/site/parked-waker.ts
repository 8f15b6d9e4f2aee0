/** Retries parked records once the site has what they need: a language, a column that can hold a value, or another config. */
import type { Config } from '../config/config.ts';
import { wakeParkedFor } from '../store/parked.ts';
import type { Runner } from '../db/transaction.ts';
import { hasNewLocale, hasOtherColumns, type HostSnapshot } from '../osclass/host.ts';

/** Makes a function that is given the host each time it was looked at, and the config; the first time it wakes everything. */
export function makeParkedWaker(db: Runner): (snapshot: HostSnapshot, config: Config) => Promise<void> {
  let woken: { readonly snapshot: HostSnapshot; readonly accepted: string; readonly trusted: string } | undefined;
  return async (snapshot, config) => {
    const accepted = JSON.stringify(config.peers.map(({ name, columns }) => [name, columns]));
    if (hasNewLocale(woken?.snapshot, snapshot)) await wakeParkedFor(db, 'LOCALE_UNKNOWN');
    if (hasOtherColumns(woken?.snapshot, snapshot)) await wakeParkedFor(db, 'VALUE_UNSTORABLE');
    if (accepted !== woken?.accepted) await wakeParkedFor(db, 'NOT_ACCEPTED');
    const trusted = JSON.stringify(config.peers.map(({ name, emailTrust }) => [name, emailTrust]));
    if (trusted !== woken?.trusted) await wakeParkedFor(db, 'EMAIL_UNPROVEN');
    woken = { snapshot, accepted, trusted };
  };
}
