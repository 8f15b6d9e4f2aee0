/** How long to wait after failures: 1 s, doubling to 60 s, spread so that many waiters do not come back at once. */

/** Wait after the first failure. */
const FIRST_BACKOFF_MS = 1_000;
/** Longest wait of our own choice. */
const MAX_BACKOFF_MS = 60_000;
/** Longest wait that is believed of a far side: a mistake there must not silence us for days. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Milliseconds to wait after `failures` failures in a row (1 = the first). It is between 80 % and 100 % of 1 s, 2 s, 4 s,
 * … 60 s. What the far side asked for (`retryAfterS`) is a floor, up to an hour.
 * @param random 0 ≤ n < 1
 */
export function backoffMs(failures: number, random: number, retryAfterS?: number): number {
  const doublings = Math.min(Math.max(Math.trunc(failures) - 1, 0), 16);
  const full = Math.min(FIRST_BACKOFF_MS * 2 ** doublings, MAX_BACKOFF_MS);
  const ours = Math.round(full * (0.8 + 0.2 * random));
  const asked = retryAfterS !== undefined && retryAfterS > 0 ? retryAfterS * 1000 : 0;
  return Math.max(ours, Math.min(asked, MAX_RETRY_AFTER_MS));
}
