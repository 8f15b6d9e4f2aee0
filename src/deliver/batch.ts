/** One request with entries of an outbox, and what came of it. An entry leaves only after the peer confirmed it (invariant 3). */
import type { Transaction } from 'kysely';
import type { Lease } from '../store/lease.ts';
import type { AppendLog } from '../store/ports.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { ERRORS, SyncError, type ErrorCode } from '../model/errors.ts';
import { roughBytes, type StreamAnswer, type StreamResult, type WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Uid } from '../model/uid.ts';
import { slicesOfWeight } from '../runtime/each-of.ts';
import { pack, type PackDeps, type Parcel, type PeerForm } from './pack.ts';
import { failedCall, sentRecord, wayFound } from './sent-log.ts';
import { confirm, enqueue, park, postpone, type DueEntry, type Postponed } from '../store/outbox.ts';
import { unparkRecords } from '../store/parked.ts';
import { requireUid } from '../store/shadows.ts';

/** What one request and what comes of it needs. */
export interface BatchDeps extends PackDeps {
  /** How the peer takes records. May ask the peer; throws PEER_… errors. */
  readonly formFor: (peer: string, signal?: AbortSignal) => Promise<PeerForm>;
  /** Delay before an entry is tried again, in milliseconds, after so many tries. */
  readonly backoffMs: (attempts: number) => number;
  readonly newTrace: () => string;
  readonly appendLog: AppendLog;
  /** Names what we show the peer, for log records. */
  readonly keyDigest: string;
  /** Sends records to the peer; throws PEER_… errors. */
  readonly send: (
    peer: string,
    records: readonly WireRecord[],
    options: { trace: string; stillOurs: (trx: Runner) => Promise<void>; signal?: AbortSignal },
  ) => Promise<StreamAnswer>;
  /**
   * Sends nothing, the way records are sent. `plain`: only compressed requests do not get there, and from now on none is
   * compressed. Throws PEER_… errors.
   */
  readonly probe: (peer: string, options: { trace: string; signal?: AbortSignal }) => Promise<'open' | 'plain'>;
  /** Whose work it is: only that one writes down what came of it. */
  readonly lease: Pick<Lease, 'fence' | 'renew'>;
  /** Is told what became of entries, once that is stored, for figures. */
  readonly onAnswered: (peer: string, answered: readonly Answered[]) => void;
}

/** What a peer said to an entry; `refused`: no request with this entry gets through, not even alone. All but `retry` and `refused` confirm it. */
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

/**
 * About so many bytes go into one request, before it is compressed; a user that has more goes alone. Proxies take 1 MiB
 * unless told otherwise.
 */
const MOST_BYTES = 900_000;

/** What is refused in front of the peer so often, while other requests get there, waits for a person. */
const MOST_TRIES = 3;

/** Reads the users of entries, sends them in as few requests as they fit, and writes down what came of it. */
export async function deliverBatch(
  deps: BatchDeps,
  route: PeerRoute,
  entries: readonly DueEntry[],
  signal: AbortSignal | undefined,
): Promise<Sums> {
  const { nowMs } = deps;
  const { parcels, moot, early } = await pack(deps, route, entries, await deps.formFor(route.name, signal));
  const until = early.map((entry): Postponed => ({
    ...entry,
    dueAtMs: nowMs() + deps.backoffMs(entry.attempts + 1),
    code: 'USER_BUSY',
    message: 'The account changed just now; the drain looks at it first.',
  }));
  if (moot.length + until.length > 0) {
    await fenced(deps, async (trx) => {
      await confirm(trx, route.name, moot);
      await postpone(trx, route.name, until);
    });
  }
  const sums = { done: moot.length, kept: early.length };
  for (const some of slicesOfWeight(parcels, ({ record }) => roughBytes(record), { most: MOST_BYTES })) {
    const sent = await send(deps, route, some, signal);
    sums.done += sent.done;
    sums.kept += sent.kept;
  }
  return sums;
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
      await inTransaction(deps.db, (trx) => enqueue(trx, entries, deps.nowMs()));
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
    const failure = error instanceof SyncError ? error : new SyncError('INTERNAL');
    const { code } = failure;
    if (code === 'LEASE_LOST') throw error;
    if (isAboutContent(code)) return await isolate(deps, route, parcels, failure, signal);
    const way = mayBeAboutContent(code) ? await lookAtWay(deps, route, signal) : 'shut';
    if (way === 'plain') return await sendAndSettle(deps, route, parcels, signal);
    if (way === 'open') return await isolate(deps, route, parcels, failure, signal);
    await deps.appendLog(deps.db, [failedCall(deps, route, parcels, trace, failure)]);
    throw error;
  }
  return await settleParcels(deps, route, parcels, answer, trace);
}

/**
 * Whether other requests get there. `plain`: only compressed ones do not, and from now on none is; that is written down.
 */
async function lookAtWay(
  deps: BatchDeps,
  { name }: PeerRoute,
  signal: AbortSignal | undefined,
): Promise<'open' | 'plain' | 'shut'> {
  const trace = deps.newTrace();
  let way: 'open' | 'plain';
  try {
    way = await deps.probe(name, { trace, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return 'shut';
  }
  if (way === 'plain') {
    const words = `Compressed requests are refused in front of ${name}: they go uncompressed until the daemon is started again.`;
    await deps.appendLog(deps.db, [wayFound(deps, name, trace, words)]);
  }
  return way;
}

/** The request was refused for what is in it: halve it until the record that is to blame stands alone. */
async function isolate(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  refusal: SyncError,
  signal: AbortSignal | undefined,
): Promise<Sums> {
  const [only] = parcels;
  if (parcels.length === 1 && only !== undefined) return await setAside(deps, route, only, refusal);
  const half = Math.ceil(parcels.length / 2);
  const first = await send(deps, route, parcels.slice(0, half), signal);
  const second = await send(deps, route, parcels.slice(half), signal);
  return { done: first.done + second.done, kept: first.kept + second.kept };
}

/**
 * The one that is to blame. The peer's own refusal is final; what stands in front of it may change its mind, and is asked
 * some times before a person is; an error of the peer's may pass, however long it takes.
 */
async function setAside(deps: BatchDeps, route: PeerRoute, parcel: Parcel, refusal: SyncError): Promise<Sums> {
  const { nowMs } = deps;
  const { entry } = parcel;
  const isFinal = isAboutContent(refusal.code);
  const code = isFinal || refusal.code === 'PEER_FAILED' ? refusal.code : 'PEER_BLOCKED';
  const message = isFinal ? refusal.message : `Only the request with this user fails. ${refusal.message}`;
  const isParked = isFinal || isSpent(entry, code);
  const dueAtMs = nowMs() + deps.backoffMs(entry.attempts + 1);
  await fenced(deps, async (trx) => {
    if (isParked) await park(trx, route.name, entry, { code, message });
    else await postpone(trx, route.name, [{ ...entry, dueAtMs, code, message }]);
    const status = String(refusal.httpStatus ?? (isFinal ? ERRORS[code].http : 'ERR'));
    await deps.appendLog(trx, [sentRecord(deps, route, parcel, deps.newTrace(), { status, response: message, code })]);
  });
  if (isParked) deps.onAnswered(route.name, [{ entry, result: 'refused' }]);
  return { done: 0, kept: 1 };
}

/** True if no further try helps after the one that just failed: a person has to look at it, or the owner to prove the address. */
function isSpent(entry: DueEntry, code: ErrorCode): boolean {
  return code === 'EMAIL_UNPROVEN' || (code === 'PEER_BLOCKED' && entry.attempts + 1 >= MOST_TRIES);
}

async function settleParcels(
  deps: BatchDeps,
  route: PeerRoute,
  parcels: readonly Parcel[],
  answer: StreamAnswer,
  trace: string,
): Promise<Sums> {
  const { nowMs } = deps;
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
    await confirm(trx, route.name, confirmed);
    await unparkRecords(trx, route.name, outcome.flatMap(uidsGivenUp));
    await postpone(
      trx,
      route.name,
      later.filter((entry) => !isSpent(entry, entry.code)),
    );
    for (const entry of later) if (isSpent(entry, entry.code)) await park(trx, route.name, entry, entry);
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

/**
 * The uids that nobody has at the peer any more, now that it carried out a removal. What waits of it under these is another
 * account, which goes on under others there, and is sent again under those.
 */
function uidsGivenUp({ parcel: { record }, result }: { parcel: Parcel; result: StreamResult }): Uid[] {
  const isDone = result.result === 'applied' || result.result === 'unchanged';
  return isDone && record.kind === 'removal' ? record.uids.map(requireUid) : [];
}

/** The peer itself says that the failure is about what was sent. */
function isAboutContent(code: ErrorCode): boolean {
  return code === 'BODY_TOO_LARGE' || code === 'REQUEST_INVALID';
}

/** The failure may be about what was sent, if other requests arrive. */
function mayBeAboutContent(code: ErrorCode): boolean {
  return TROUBLES.has(code) || code === 'PEER_BAD_ANSWER' || code === 'PEER_UNREACHABLE' || code === 'PEER_TIMEOUT';
}

const TROUBLES: ReadonlySet<ErrorCode> = new Set(['PEER_BLOCKED', 'PEER_FAILED']);

/** True for an entry that made a request fail when it was tried last. */
export function hasFailedAlone({ code }: DueEntry): boolean {
  return code !== null && TROUBLES.has(code);
}

function knownCode(code: string | undefined): ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'PEER_FAILED';
}
