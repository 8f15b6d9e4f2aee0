/** What the work of a site tells of itself, as metrics. */
import type { RecordSource, Outcome } from '../model/outcome.ts';
import type { Drained } from '../capture/drain.ts';
import { fromSqlTime } from '../db/time.ts';
import type { WireRecord } from '../model/record.ts';
import type { Metrics } from './metrics.ts';
import type { Answered } from '../deliver/batch.ts';
import type { Clock } from '../runtime/clock.ts';

/** Is told of work that is done and stored; never throws. */
export interface Meter {
  drained(pass: Drained): void;
  /** What a peer said to entries of its outbox. */
  answered(peer: string, answered: readonly Answered[]): void;
  /** What became of a batch of records of a peer; `outcomes` in the order of `records`. */
  applied(from: RecordSource, records: readonly WireRecord[], outcomes: readonly Outcome[], tookMs: number): void;
}

/** A meter that counts into `metrics`. */
export function makeMeter(metrics: Metrics, clock: Clock): Meter {
  return {
    drained({ done, changed }) {
      metrics.count('account_sync_markers_drained_total', {}, done);
      metrics.count('account_sync_users_changed_total', {}, changed.length);
    },
    answered(peer, answered) {
      for (const { entry, result } of answered) {
        metrics.count('account_sync_records_sent_total', { peer, type: entry.kind, result });
        if (result === 'retry' || result === 'refused') continue;
        const lagMs = clock.nowMs() - fromSqlTime(entry.changedAt);
        metrics.observe('account_sync_lag_seconds', { peer }, lagMs / 1000);
      }
    },
    applied({ route: { name: peer }, via }, records, outcomes, tookMs) {
      metrics.observe('account_sync_apply_duration_seconds', { via }, tookMs / 1000);
      for (const [index, { result, code, notes }] of outcomes.entries()) {
        const type = records[index]?.kind ?? 'user';
        metrics.count('account_sync_records_received_total', { peer, type, via, result });
        // Parked records are retried every minute, and would be counted every time.
        if (via === 'parked') continue;
        const conflicts = notes.filter((note) => note.code === 'CONFLICT').length;
        metrics.count('account_sync_conflicts_total', { peer }, conflicts);
        const codes = new Set([...(code === undefined ? [] : [code]), ...notes.map((note) => note.code)]);
        for (const each of codes) metrics.count('account_sync_codes_total', { peer, code: each });
      }
    },
  };
}
