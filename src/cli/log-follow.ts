/** Following the log: every new record once, although ids do not become visible in their order. */
import type { LogPage, LogRecord } from '../model/response-schemas.ts';
import type { LogFilter } from '../store/activity-log.ts';

/**
 * A transaction that takes its time commits records with smaller ids than some that were seen before it. Those of the
 * last seconds are therefore looked at again; what writes records takes no longer than that.
 */
const SETTLED_AFTER_MS = 5_000;
const PAGE = 1000;

/** Asks for one page. */
export type QueryLog = (page: Required<Pick<LogFilter, 'after' | 'limit'>>) => Promise<LogPage>;

/**
 * Gives a function that returns, oldest first, what has come since it was last called.
 * @param shown the records that were shown before following began, newest first
 * @param nowMs of a clock that never goes back, here and at each call
 */
export function followLog(query: QueryLog, shown: readonly LogRecord[], nowMs: number) {
  /** When each id was first seen; only of those behind `settled`. */
  const seen = new Map(shown.map((record) => [record.id, nowMs]));
  let settled = shown.length === 0 ? 0 : Math.min(...seen.keys()) - 1;

  return async (now: number): Promise<LogRecord[]> => {
    const fresh: LogRecord[] = [];
    for (let after: number | null = settled; after !== null;) {
      const page: LogPage = await query({ after, limit: PAGE });
      for (const record of page.logs) {
        if (seen.has(record.id)) continue;
        seen.set(record.id, now);
        fresh.push(record);
      }
      after = page.next;
    }
    for (const [id, atMs] of [...seen].toSorted(([a], [b]) => a - b)) {
      if (now - atMs < SETTLED_AFTER_MS) break;
      settled = id;
      seen.delete(id);
    }
    return fresh;
  };
}
