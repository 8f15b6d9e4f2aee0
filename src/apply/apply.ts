/**
 * Apply: merges records that came from a peer into this site. Row, shadow, stamps, outboxes of other peers and log go in
 * one transaction per chunk (invariant 4); whatever is applied twice, late or out of order gives the same (invariant 5).
 */
import type { Transaction } from 'kysely';
import { isAnswering } from '../db/answering.ts';
import { isConnectionLost } from '../db/failures.ts';
import { requireUid } from '../store/shadows.ts';
import { asDaemon, inTransaction } from '../db/transaction.ts';
import { SyncError, type ErrorCode } from '../model/errors.ts';
import type { WireRecord } from '../model/record.ts';
import { eachOf, slices } from '../runtime/each-of.ts';
import { unchangedOutcome } from './outcomes.ts';
import { processEntry } from './log.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { keepParked } from './keep-parked.ts';
import { applyInTransaction, type ApplyDeps } from './chunk.ts';

/** How records are to be applied. */
export interface ApplyOptions {
  /** Plans only; writes nothing. */
  readonly dryRun?: boolean;
  /** Runs in the transaction of each chunk: proves that the work is still ours, keeps what could not be applied. */
  readonly within?: (trx: Transaction<unknown>, chunk: AppliedChunk) => Promise<void>;
  /** Transactions under way at a time; default 1. The order of records in different ones is then left open. */
  readonly chunksAtOnce?: number;
  readonly signal?: AbortSignal;
}

/** Options, and when a caller that waits has to get its answer: records not begun by then are to be sent again. */
interface Pass extends ApplyOptions {
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** A chunk about to be committed. */
export interface AppliedChunk {
  readonly records: readonly WireRecord[];
  readonly outcomes: readonly Outcome[];
}

/**
 * Half of the 30 s that a peer waits for an answer; what was begun by then has the other half. However slow the database
 * or long its locks: without an answer the whole batch would come again and again.
 */
const ANSWER_WITHIN_MS = 15_000;

/** Users per transaction: the host waits for none of its rows longer than this many take. */
const CHUNK = 250;

/** Applies records; one outcome per record. Throws only when the database is away or the signal aborts. */
export async function applyRecords(
  deps: ApplyDeps,
  records: readonly WireRecord[],
  from: RecordSource,
  options: ApplyOptions = {},
): Promise<Outcome[]> {
  const beganMs = deps.nowMs();
  const pass: Pass = { ...options, untilMs: from.via === 'stream' ? beganMs + ANSWER_WITHIN_MS : Infinity };
  const chunks = chunksOf(records);
  const done: Outcome[][] = [];
  await eachOf([...chunks.keys()], options.chunksAtOnce ?? 1, async (index) => {
    options.signal?.throwIfAborted();
    const chunk = chunks[index] ?? [];
    done[index] = deps.nowMs() > pass.untilMs ? chunk.map(notBegun) : await applyChunk(deps, chunk, from, pass);
  });
  const outcomes = done.flat();
  if (options.dryRun !== true && records.length > 0) {
    deps.measured?.(from, records, outcomes, deps.nowMs() - beganMs);
  }
  return outcomes;
}

/**
 * What goes in one transaction: no two records of one account, for each would wait for the one before, while all accounts of the
 * chunk are locked.
 */
function chunksOf(records: readonly WireRecord[]): WireRecord[][] {
  const chunks: WireRecord[][] = [];
  let last: WireRecord[] = [];
  let uids = new Set<string>();
  for (const record of records) {
    if (chunks.length === 0 || last.length === CHUNK || record.uids.some((uid) => uids.has(uid))) {
      last = [];
      uids = new Set();
      chunks.push(last);
    }
    last.push(record);
    for (const uid of record.uids) uids.add(uid);
  }
  return chunks;
}

/** A record that loses the connection so often, while the database answers in between, is what loses it. */
const MOST_LOSSES = 3;

/**
 * One transaction for all; if that fails for what is in it, one per record, so that one bad user holds up no other; and
 * if that fails too, each register is tried by itself. Where the connection is lost and the database is there, each half
 * is tried by itself: the server, or a proxy before it, closes the connection instead of saying what it cannot bear.
 */
async function applyChunk(
  deps: ApplyDeps,
  chunk: readonly WireRecord[],
  from: RecordSource,
  options: Pass,
  { probing = false, losses = 0 } = {},
): Promise<Outcome[]> {
  const retries = chunk.length > 1 ? 1 : 2;
  try {
    return await inTransaction(
      deps.db,
      (trx) =>
        asDaemon(trx, async () => {
          const outcomes = await applyInTransaction(trx, deps, chunk, from, {
            dryRun: options.dryRun === true,
            probing,
          });
          await options.within?.(trx, { records: chunk, outcomes });
          if (options.dryRun !== true) await deps.applied?.(trx, from, chunk, outcomes);
          return outcomes;
        }),
      { retries, signal: options.signal },
    );
  } catch (error) {
    if (isConnectionLost(error) && (await isAnswering(deps.db))) {
      if (chunk.length > 1) return await applyHalves(deps, chunk, from, options);
      const lost = losses + 1;
      if (lost < MOST_LOSSES) return await applyChunk(deps, chunk, from, options, { losses: lost });
      return [await giveUp(deps, chunk[0] as WireRecord, from, lostAgain(error as SyncError), options)];
    }
    if (!isAboutRecords(error)) throw error;
    const isRefused = error instanceof SyncError && error.code === 'DB_ERROR';
    if (chunk.length === 1 && isRefused && !probing)
      return await applyChunk(deps, chunk, from, options, { probing: true });
    if (chunk.length === 1) return [await giveUp(deps, chunk[0] as WireRecord, from, error as SyncError, options)];
  }
  const outcomes: Outcome[] = [];
  for (const record of chunk) {
    if (deps.nowMs() > options.untilMs) outcomes.push(notBegun(record));
    else outcomes.push(...(await applyChunk(deps, [record], from, options)));
  }
  return outcomes;
}

async function applyHalves(
  deps: ApplyDeps,
  chunk: readonly WireRecord[],
  from: RecordSource,
  options: Pass,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const half of slices(chunk, Math.ceil(chunk.length / 2))) {
    const isLate = deps.nowMs() > options.untilMs;
    outcomes.push(...(isLate ? half.map(notBegun) : await applyChunk(deps, half, from, options)));
  }
  return outcomes;
}

function lostAgain(cause: SyncError): SyncError {
  const message = `Each time this record was to be stored, the connection to the database was lost: ${cause.message}`;
  return new SyncError('DB_ERROR', message, { cause });
}

function notBegun(record: WireRecord): Outcome {
  const outcome = unchangedOutcome(requireUid(record.uids[0] as string), record.kind === 'user' ? record.email : null);
  return { ...outcome, result: 'retry', code: 'USER_BUSY', message: 'The site was too busy to come to this record.' };
}

/** Errors that another record would not have met. */
function isAboutRecords(error: unknown): boolean {
  const codes: readonly ErrorCode[] = ['DB_ERROR', 'DB_CONFLICT', 'FOREIGN_KEY'];
  return error instanceof SyncError && codes.includes(error.code);
}

/** A record the database refuses by itself: busy ones are tried again by the sender, the others wait for a person. */
async function giveUp(
  deps: ApplyDeps,
  record: WireRecord,
  from: RecordSource,
  error: SyncError,
  options: ApplyOptions,
): Promise<Outcome> {
  const uid = requireUid(record.uids[0] as string);
  const busy = error.code === 'DB_CONFLICT';
  const outcome: Outcome = {
    ...unchangedOutcome(uid, record.kind === 'user' ? record.email : null),
    result: busy ? 'retry' : 'parked',
    code: busy ? 'USER_BUSY' : error.code === 'FOREIGN_KEY' ? 'FOREIGN_KEY' : 'VALUE_UNSTORABLE',
    message: error.message,
  };
  if (options.dryRun === true) return outcome;
  await inTransaction(deps.db, async (trx) => {
    if (!busy) {
      const code = outcome.code as ErrorCode;
      const entry = { peer: from.route.name, uid, userId: null, code, message: error.message, record };
      await keepParked(trx, deps, from, [entry]);
    }
    await deps.appendLog(trx, [processEntry(outcome, from)]);
    await options.within?.(trx, { records: [record], outcomes: [outcome] });
    await deps.applied?.(trx, from, [record], [outcome]);
  });
  return outcome;
}
