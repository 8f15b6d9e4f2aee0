/** Log records of callers who did not show who they are. Anybody can cause one, so there is an end to how many are written. */
import { setTimeout as wait } from 'node:timers/promises';
import type { LogEntry } from '../model/log-entry.ts';
import type { ServerDeps } from './deps.ts';

/** A slow database must not hold up the refusal of a key. */
const PATIENCE_MS = 1_000;
/** Records of one hour. */
const MOST_AN_HOUR = 1_000;
const HOUR_MS = 3_600_000;
/** Being written at once: connections to the database are for who may use it. */
const MOST_AT_ONCE = 4;

/** Writes the record, or counts it where there are too many; throws nothing, and takes a second at most. */
export type FailureLog = (entry: LogEntry) => Promise<void>;

/** @param nowMs a clock that is never set back */
export function makeFailureLog(
  { appendLog, log }: Pick<ServerDeps, 'appendLog' | 'log'>,
  nowMs: () => number,
): FailureLog {
  let hour = { startMs: nowMs(), written: 0, leftOut: 0 };
  let underWay = 0;
  const write = async (entry: LogEntry): Promise<void> => {
    underWay += 1;
    try {
      await appendLog([entry]);
    } catch (error) {
      log.warn({ err: error, trace: entry.trace }, 'log record not written');
    } finally {
      underWay -= 1;
    }
  };
  return async (entry) => {
    if (nowMs() - hour.startMs >= HOUR_MS) {
      if (hour.leftOut > 0) log.warn({ leftOut: hour.leftOut }, 'failed authentications without a log record');
      hour = { startMs: nowMs(), written: 0, leftOut: 0 };
    }
    if (hour.written >= MOST_AN_HOUR || underWay >= MOST_AT_ONCE) {
      hour.leftOut += 1;
      return;
    }
    hour.written += 1;
    const patience = new AbortController();
    await Promise.race([
      write(entry),
      wait(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  };
}
