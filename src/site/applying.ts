/** Applying records to one site: what src/apply can do, put together with what the site can. */
import type { Kysely, Transaction } from 'kysely';
import { applyRecords, type ApplyOptions } from '../apply/apply.ts';
import type { ApplyDeps } from '../apply/chunk.ts';
import { findRemovedElsewhere, type RemovedElsewhere } from '../apply/removed-elsewhere.ts';
import { retryParkedOnce, type Retried, type RetryOptions } from '../apply/retry-parked.ts';
import { partAccount, proveAccount } from '../apply/said-by-person.ts';
import { adopt } from '../capture/adopt.ts';
import { inTransaction } from '../db/transaction.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import type { RemovalRecord, WireRecord } from '../model/record.ts';
import type { Uid } from '../model/uid.ts';
import { makeRandomBytes } from '../runtime/random-bytes.ts';
import { newTrace } from '../runtime/trace.ts';
import type { AppendLog, OutboxWriter, ReadValidation } from '../store/ports.ts';
import type { Undrained } from '../store/undrained.ts';
import type { ActiveConfig } from './active-config.ts';

/** What it needs of the site. */
export interface ApplyingSite {
  readonly db: Kysely<unknown>;
  readonly nowMs: () => number;
  readonly randomUid: () => Uid;
  readonly outbox: OutboxWriter;
  readonly appendLog: AppendLog;
  readonly undrained: Undrained;
  readonly validation: ReadValidation;
  readonly now: () => ActiveConfig;
  /** Runs a pass; once more where the host turns out to be other than it was last seen. */
  readonly withFreshHost: <T>(pass: () => Promise<T>) => Promise<T>;
  readonly meter: Meter | undefined;
  /** Is told of what was applied, in the transaction that does it. */
  readonly applied: NonNullable<ApplyDeps['applied']>;
}

/** The ways in for records. */
export interface Applying {
  /** See {@link applyRecords}. */
  apply(records: readonly WireRecord[], from: RecordSource, options?: ApplyOptions): Promise<Outcome[]>;
  /** See {@link retryParkedOnce}. */
  retryParked(retry?: RetryOptions): Promise<Retried>;
  /** What a person says of the account of an address; see src/apply/said-by-person.ts. `within` runs in the same transaction. */
  say(what: 'proved' | 'another', email: string, within: (trx: Transaction<unknown>) => Promise<void>): Promise<void>;
  /** The accounts here that removals of a peer mean. */
  findRemoved(records: readonly RemovalRecord[]): Promise<RemovedElsewhere[]>;
}

/** Puts them together. */
export function makeApplying(site: ApplyingSite): Applying {
  const { withFreshHost } = site;
  return {
    apply: (records, from, how = {}) => withFreshHost(() => applyRecords(applyDeps(site), records, from, how)),
    retryParked: (retry = {}) => withFreshHost(() => retryParkedOnce(applyDeps(site), { trace: newTrace(), ...retry })),
    say: (what, email, within) =>
      withFreshHost(() =>
        inTransaction(site.db, async (trx) => {
          await (what === 'proved' ? proveAccount : partAccount)(trx, applyDeps(site), email);
          await within(trx);
        }),
      ),
    findRemoved: (records) => findRemovedElsewhere(applyDeps(site), records),
  };
}

/** What applying needs, as the site is now. */
function applyDeps(site: ApplyingSite): ApplyDeps {
  const { db, nowMs, randomUid, outbox, appendLog, undrained, validation, applied, meter } = site;
  const {
    config: { guard, quotas, removal, relatedTables },
    origin,
    snapshot,
  } = site.now();
  const { toEpochMs } = snapshot.zone;
  return {
    ...snapshot,
    db,
    outbox,
    origin,
    nowMs,
    randomUid,
    randomBytes: makeRandomBytes(),
    appendLog,
    guard,
    quotas,
    routes: () => site.now().routes,
    undrained,
    validation,
    usersWaiting: outbox.usersWaiting,
    removal: { itemsOfBlocked: removal.itemsOfBlocked, related: relatedTables },
    adopt: (user) => adopt(user, { origin, nowMs, toEpochMs }),
    registeredMs: toEpochMs,
    locales: async () => snapshot.locales,
    applied,
    measured: meter?.applied,
  };
}
