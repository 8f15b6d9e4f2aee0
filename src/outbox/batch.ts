/** One request with entries of an outbox, and what came of it. An entry leaves only after the peer confirmed it (invariant 3). */
import type { Transaction } from 'kysely';
import type { Lease } from '../db/lease.ts';
import type { AppendLog } from '../db/ports.ts';
import { noteGuarded } from '../db/guard-events.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { ERRORS, SyncError, type ErrorCode } from '../model/errors.ts';
import { maskEmail, type LogEntry } from '../model/log-entry.ts';
import type { StreamAnswer, StreamResult, WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import { pack, type PackDeps, type Parcel, type PeerForm } from './pack.ts';
import { confirm, enqueue, park, postpone, type DueEntry, type Postponed } from './store.ts';

/** What one request and what comes of it needs. */
export interface BatchDeps extends PackDeps {
  /** How the peer takes records. May ask the peer; throws PEER_… errors. */
  readonly formFor: (peer: string, signal?: AbortSignal) => Promise<PeerForm>;
  /** Delay before an entry is tried again, in milliseconds, after so many tries. */
  readonly backoffMs: (attempts: number) => number;
  readonly newTrace: () => string;
  readonly appendLog: AppendLog;
  /** Start of the digest of our own key, for log records. */
  readonly keyDigest: string;
  /** Sends records to the peer; throws PEER_… errors. */
  readonly send: (
    peer: string,
    records: readonly WireRecord[],
    options: { trace: string; stillOurs: (trx: Runner) => Promise<void>; signal?: AbortSignal },
  ) => Promise<StreamAnswer>;
  /** Whose work it is: only that one writes down what came of it. */
  readonly lease: Pick<Lease, 'fence' | 'renew'>;
  /** Is told what became of entries, once that is stored, for figures. */
  readonly onAnswered: (peer: string, answered: readonly Answered[]) => void;
}

/** What a peer said to an entry; `refused`: it takes no request with it, not even alone. All but `retry` and that confirm it. */
export interface Answered {
  readonly entry: DueEntry;
  readonly result: StreamResult['result'] | 'refused';
}

/** What became of entries. */
export interface Sums {
  /** They left the outbox. */
  readonly done: number;
  /** They wait for another try, or for a person. */
  readonly kept: number;
}

/** Reads the users of entries, sends them in one request, and writes down what came of it. */
export async function deliverBatch(
  deps: BatchDeps,
  route: PeerRoute,
  entries: readonly DueEntry[],
  signal: AbortSignal | undefined,
): Promise<Sums> {
  const { own, nowMs } = deps;
  const { parcels, moot, early } = await pack(deps, route, entries, await deps.formFor(route.name, signal));
  const until = early.map((entry): Postponed => ({
    ...entry,
    dueAtMs: nowMs() + deps.backoffMs(entry.attempts + 1),
    code: 'USER_BUSY',
    message: 'The account changed just now; the drain looks at it first.',
  }));
  if (moot.length + until.length > 0) {
    await fenced(deps, async (trx) => {
      await confirm(trx, own, route.name, moot);
      await postpone(trx, own, route.name, until);
    });
  }
  const sent = await send(deps, route, parcels, signal);
  return { done: sent.done + moot.length, kept: sent.kept + early.length };
}

/** A transaction that commits only if the work is still ours. Throws `LEASE_LOST`. */
export async function fenced(
  deps: Pick<BatchDeps, 'db' | 'lease'>,
  work: (trx: Transaction<unknown>) => Promise<void>,
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    await work(trx);
    await deps.lease.fence(trx);
  });
}

/**
 * Sends, and writes down what came of it. If another worker took over meanwhile, both may have sent, and a peer that knows
 * no stamps may have got the older values last: so the present ones go out once more.
 */
async function send(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  signal: AbortSignal | undefined,
): Promise<Sums> {
  if (parcels.length === 0) return { done: 0, kept: 0 };
  // However long it took to get here, another one may be sending by now.
  await deps.lease.renew();
  try {
    return await sendAndSettle(deps, route, parcels, signal);
  } catch (error) {
    if (error instanceof SyncError && error.code === 'LEASE_LOST') {
      const again = parcels.filter(({ entry }) => entry.kind === 'user');
      const entries = again.map(({ entry: { kind, ref } }) => ({ peer: route.name, kind, ref }));
      // The other worker may be confirming the same entries just now.
      await inTransaction(deps.db, (trx) => enqueue(trx, deps.own, entries, deps.nowMs()));
    }
    throw error;
  }
}

async function sendAndSettle(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  signal: AbortSignal | undefined,
): Promise<Sums> {
  const trace = deps.newTrace();
  let answer: StreamAnswer;
  try {
    answer = await deps.send(
      route.name,
      parcels.map((parcel) => parcel.record),
      { trace, stillOurs: deps.lease.fence, ...(signal === undefined ? {} : { signal }) },
    );
  } catch (error) {
    const code = error instanceof SyncError ? error.code : undefined;
    const message = error instanceof SyncError ? error.message : ERRORS.INTERNAL.meaning;
    if (code === 'LEASE_LOST') throw error;
    if (code !== undefined && isAboutContent(code))
      return await isolate(deps, route, parcels, { code, message }, signal);
    await deps.appendLog(deps.db, [failedCall(deps, route, parcels, trace, code ?? 'INTERNAL', message)]);
    throw error;
  }
  return await settle(deps, route, parcels, answer, trace);
}

/** The peer refused the request for what is in it: halve it until the record that is to blame stands alone. */
async function isolate(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  reason: { code: ErrorCode; message: string },
  signal: AbortSignal | undefined,
): Promise<Sums> {
  const [only] = parcels;
  if (parcels.length === 1 && only !== undefined) {
    await fenced(deps, async (trx) => {
      await park(trx, deps.own, route.name, only.entry, reason);
      const log = { status: String(ERRORS[reason.code].http), response: reason.message, code: reason.code };
      await deps.appendLog(trx, [sentRecord(deps, route, only, deps.newTrace(), log)]);
    });
    deps.onAnswered(route.name, [{ entry: only.entry, result: 'refused' }]);
    return { done: 0, kept: 1 };
  }
  const half = Math.ceil(parcels.length / 2);
  const first = await send(deps, route, parcels.slice(0, half), signal);
  const second = await send(deps, route, parcels.slice(half), signal);
  return { done: first.done + second.done, kept: first.kept + second.kept };
}

async function settle(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  answer: StreamAnswer,
  trace: string,
): Promise<Sums> {
  const { own, nowMs } = deps;
  const outcome = parcels.map((parcel, index) => ({ parcel, result: answer.results[index] as StreamResult }));
  const confirmed = outcome.filter(({ result }) => result.result !== 'retry').map(({ parcel }) => parcel.entry);
  const later = outcome
    .filter(({ result }) => result.result === 'retry')
    .map(({ parcel, result }) => ({
      ...parcel.entry,
      dueAtMs: nowMs() + deps.backoffMs(parcel.entry.attempts + 1),
      code: knownCode(result.code),
      message: result.message ?? 'The peer asked for another try.',
    }));
  await fenced(deps, async (trx) => {
    await confirm(trx, own, route.name, confirmed);
    const guarded = confirmed.filter((entry) => entry.guarded).length;
    await noteGuarded(trx, own, route.name, 'out', guarded, nowMs());
    await postpone(trx, own, route.name, later);
    const logs = outcome.map(({ parcel, result }) =>
      sentRecord(deps, route, parcel, trace, {
        status: '200',
        response: result.message === undefined ? result.result : `${result.result}: ${result.message}`,
        result: result.result,
        ...(result.code === undefined ? {} : { code: result.code }),
      }),
    );
    await deps.appendLog(trx, logs);
  });
  deps.onAnswered(
    route.name,
    outcome.map(({ parcel, result }) => ({ entry: parcel.entry, result: result.result })),
  );
  return { done: confirmed.length, kept: later.length };
}

function sentRecord(
  deps: BatchDeps,
  route: PeerRoute,
  { record, userId, email }: Parcel,
  trace: string,
  outcome: { status: string; response: string; result?: string; code?: string },
): LogEntry {
  const { status, response, ...rest } = outcome;
  const content = {
    operation: record.kind === 'user' ? 'send' : 'remove',
    uid: record.uids[0],
    ...(userId === null ? {} : { userId }),
    ...(email === null ? {} : { email: maskEmail(email) }),
    ...(record.kind === 'user' ? { registers: Object.keys(record.registers) } : {}),
    ...rest,
  };
  return { type: 'STREAM', peer: route.name, key: deps.keyDigest, ip: null, status, response, content, trace };
}

function failedCall(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  trace: string,
  code: ErrorCode,
  response: string,
): LogEntry {
  const status = /^HTTP (\d{3})/.exec(response)?.[1] ?? 'ERR';
  const content = { operation: 'send', code, records: parcels.length };
  return { type: 'STREAM', peer: route.name, key: deps.keyDigest, ip: null, status, response, content, trace };
}

function isAboutContent(code: ErrorCode): boolean {
  return code === 'BODY_TOO_LARGE' || code === 'REQUEST_INVALID';
}

function knownCode(code: string | undefined): ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'PEER_FAILED';
}
