/** Retries parked records: when this site changed, when a person asks, and now and then by itself. */
import { applyRecords } from './apply.ts';
import type { GuardClass } from '../model/guard.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { readParked, touchParked, type ParkedRow } from '../store/parked.ts';
import type { ApplyDeps } from './chunk.ts';

/** A parked record nobody woke is tried again after so long: by the next of the passes that come every minute. */
const RETRY_EVERY_MS = 55_000;
const BATCH = 200;
/** A record that still waits after so long is not merely one that came late: newer ones would have overtaken it. */
const LATE_RECORDS_MS = 10 * 60_000;

/** What a pass over parked records did. */
export interface Retried {
  readonly done: number;
  readonly full: boolean;
  readonly outcomes: readonly Outcome[];
}

/**
 * Applies parked records again, those of one peer together, so that chains and swaps of addresses can go through.
 * `ids`: only these, now.
 */
export async function retryParkedOnce(
  deps: ApplyDeps,
  options: {
    readonly ids?: readonly number[];
    readonly approved?: readonly GuardClass[];
    readonly trace: string;
    readonly signal?: AbortSignal;
  },
): Promise<Retried> {
  const { approved = [] } = options;
  const due = { nowMs: deps.nowMs(), everyMs: RETRY_EVERY_MS, limit: BATCH };
  const found = await readParked(deps.db, options.ids === undefined ? due : { ids: options.ids });
  await touchParked(
    deps.db,
    found.map((row) => row.id),
    deps.nowMs(),
  );
  const hasWaited = (row: ParkedRow): boolean => deps.nowMs() - row.createdAtMs >= LATE_RECORDS_MS;
  const outcomes: Outcome[] = [];
  for (const route of deps.routes()) {
    const ofPeer = found.filter((row) => row.peer === route.name);
    for (const waited of [false, true]) {
      const rows = new Map(ofPeer.filter((row) => hasWaited(row) === waited).map((row) => [row.record, row]));
      if (rows.size === 0) continue;
      const from: RecordSource = {
        route,
        via: 'parked',
        trace: options.trace,
        ip: null,
        keyDigest: null,
        overwrite: false,
        approved,
        rows,
        ...(waited ? { waited } : {}),
      };
      const signal = options.signal === undefined ? {} : { signal: options.signal };
      outcomes.push(...(await applyRecords(deps, [...rows.keys()], from, signal)));
    }
  }
  return { done: outcomes.length, full: found.length === BATCH, outcomes };
}
