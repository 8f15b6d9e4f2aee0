/** Retries parked records: when this site changed, when a person asks, and now and then by itself. */
import { applyRecords, type ApplyOptions } from './apply.ts';
import type { GuardClass } from '../model/guard.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { readParked, touchParked, type ParkedRow } from '../store/parked.ts';
import type { ApplyDeps } from './chunk.ts';

/** A parked record nobody woke is tried again after so long: by the next of the passes that come every minute. */
const RETRY_EVERY_MS = 55_000;
const BATCH = 200;
/** A record that still waits after so long is not merely one that came late: newer ones would have overtaken it. */
const LATE_RECORDS_MS = 10 * 60_000;

/** Which records are tried, and what a person said of them. */
export interface RetryOptions extends Pick<ApplyOptions, 'within' | 'signal'> {
  /** Only these, now. */
  readonly ids?: readonly number[];
  /** What the guard held of these classes goes through. */
  readonly approved?: readonly GuardClass[];
  /** See {@link RecordSource.linked}. */
  readonly linked?: true;
}

/** What a pass over parked records did. */
export interface Retried {
  readonly done: number;
  readonly full: boolean;
  readonly outcomes: readonly Outcome[];
}

/** Applies parked records again, those of one peer together, so that chains and swaps of addresses can go through. */
export async function retryParkedOnce(
  deps: ApplyDeps,
  { ids, approved = [], linked, trace, within, signal }: RetryOptions & { readonly trace: string },
): Promise<Retried> {
  const due = { nowMs: deps.nowMs(), everyMs: RETRY_EVERY_MS, limit: BATCH };
  const found = await readParked(deps.db, ids === undefined ? due : { ids });
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
        trace,
        ip: null,
        keyDigest: null,
        overwrite: false,
        approved,
        rows,
        ...(waited ? { waited } : {}),
        ...(linked === undefined ? {} : { linked }),
      };
      const options = { ...(within === undefined ? {} : { within }), ...(signal === undefined ? {} : { signal }) };
      outcomes.push(...(await applyRecords(deps, [...rows.keys()], from, options)));
    }
  }
  return { done: outcomes.length, full: found.length === BATCH, outcomes };
}
