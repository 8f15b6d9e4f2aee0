/**
 * Sending records to a plugin peer: one request for each, removals first, since a user that registered again must not be
 * deleted by the removal of the account before. What it confirmed is remembered before the outbox forgets it.
 */
import type { Kysely } from 'kysely';
import type { OwnTables } from '../db/catalog.ts';
import { requireUid, usersByUid } from '../db/shadows.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { SyncError, type ErrorCode } from '../model/errors.ts';
import { maskEmail } from '../model/log-entry.ts';
import type { RemovalRecord, StreamAnswer, StreamResult, UserRecord, WireRecord } from '../model/record.ts';
import { removalIdOf } from '../model/tombstone.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { PluginClient, PluginSays } from './client.ts';
import { afterAnswer, afterTelling, beforeTelling, type Memory } from './memory.ts';
import { onlyChanges, saysNothing, toFields, toOutgoing, type OutgoingDeps } from './outgoing.ts';
import { noteGone, readSeen, removedAddresses, writeMemories } from './seen-store.ts';
import { isAlreadyGone } from './wire.ts';

/** What sending needs. */
export interface SendDeps extends OutgoingDeps {
  readonly db: Kysely<unknown>;
  readonly own: OwnTables;
  readonly nowMs: () => number;
  readonly client: PluginClient;
  /** Throws `LEASE_LOST` where another worker sends to this peer by now. */
  readonly stillOurs: (trx: Runner) => Promise<void>;
}

/** Errors that are not about this record, and after which nothing more is sent. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set(['BODY_TOO_LARGE', 'LEASE_LOST']);

/**
 * Sends records and says what became of each. A peer that answers nothing of use ends the batch: what was not sent waits.
 * Throws a PEER_… error if that was so from the first on, `BODY_TOO_LARGE` for a row the peer finds too large, and
 * `LEASE_LOST`: an older row must not reach the peer after a newer one.
 */
export async function sendRecords(
  deps: SendDeps,
  peer: string,
  records: readonly WireRecord[],
  signal?: AbortSignal,
): Promise<StreamAnswer> {
  const results = new Map<WireRecord, StreamResult>();
  let down: SyncError | undefined;
  const ordered = [...records].toSorted((a, b) => Number(a.kind === 'user') - Number(b.kind === 'user'));
  for (const record of ordered) {
    signal?.throwIfAborted();
    if (down !== undefined) {
      results.set(record, { result: 'retry', code: down.code, message: down.message });
      continue;
    }
    try {
      results.set(
        record,
        record.kind === 'removal'
          ? await sendRemoval(deps, peer, record, signal)
          : await sendUser(deps, peer, record, signal),
      );
    } catch (error) {
      if (!(error instanceof SyncError) || ENDS_ALL.has(error.code)) throw error;
      if (!isAboutOneUser(error)) {
        if (results.size === 0) throw error;
        down = error;
      }
      results.set(record, { result: 'retry', code: error.code, message: error.message });
    }
  }
  return { status: 'OK', results: records.map((record) => results.get(record) as StreamResult) };
}

async function sendUser(
  deps: SendDeps,
  peer: string,
  record: UserRecord,
  signal: AbortSignal | undefined,
): Promise<StreamResult> {
  const { db, own, nowMs } = deps;
  const email = canonicalEmail(record.email);
  const seen = (await readSeen(db, own, peer, [email])).get(email);
  if (seen !== undefined && seen.removalId !== null) {
    return retry('PEER_FAILED', 'The removal of the earlier account of this address has to go first.');
  }
  const [userId] = (await usersByUid(db, own, record.uids.map(requireUid))).values();
  if (userId === undefined) return { result: 'unchanged', message: 'The account is gone.' };
  const before = seen?.memory ?? undefined;
  const outgoing = onlyChanges(toOutgoing(record, userId, before, deps), before);
  const remember = (change: (now: Memory | undefined) => Memory): Promise<void> =>
    inTransaction(db, async (trx) => {
      const now = (await readSeen(trx, own, peer, [email], { lock: true })).get(email);
      await writeMemories(trx, own, peer, new Map([[email, change(now?.memory ?? undefined)]]), nowMs());
      await deps.stillOurs(trx);
    });
  if (before !== undefined && saysNothing(outgoing)) {
    if (outgoing.told.size > 0) await remember((now) => afterTelling(now, outgoing.told));
    return { result: 'unchanged', message: 'The peer has all that can be told.' };
  }
  // Before the call: if its answer is lost, or we are killed, the peer may have what it will then say to be news.
  const told = beforeTelling(before, outgoing.told);
  await remember((now) => beforeTelling(now, outgoing.told));
  const said = await deps.client.call('userStreamPost', toFields(outgoing), signal);
  if (said.status !== 'OK') return refused(said);
  await remember((now) => afterAnswer(told, now ?? new Map(), outgoing.told));
  return { result: 'applied' };
}

async function sendRemoval(
  deps: SendDeps,
  peer: string,
  record: RemovalRecord,
  signal: AbortSignal | undefined,
): Promise<StreamResult> {
  const { db, own, nowMs } = deps;
  const removalId = removalIdOf(requireUid(record.uids[0] as string));
  const email = (await removedAddresses(db, own, peer, [removalId])).get(removalId);
  if (email === undefined) return { result: 'unchanged', message: 'The peer never had the account.' };
  await inTransaction(db, deps.stillOurs);
  const said = await deps.client.call('userStreamPostRemoval', [['ascData', email]], signal);
  const isGone = said.status === 'ERR' && isAlreadyGone(said.message);
  if (said.status !== 'OK' && !isGone) return refused(said);
  const outcome = isGone ? 'told' : 'told and echoed';
  await inTransaction(db, (trx) => noteGone(trx, own, peer, email, outcome, nowMs()));
  return isGone ? { result: 'unchanged', message: 'The peer did not have the account.' } : { result: 'applied' };
}

/** A refusal of what was sent repeats it; one that repeats nothing is about who sent it. */
function refused(said: PluginSays): StreamResult {
  const message = said.message.slice(0, 300).replaceAll(/[^\s#(,]+@[^\s,)]+/g, maskEmail);
  if (said.data.length === 0) throw new SyncError('PEER_REFUSED_KEY', `HTTP 200: ${message}`);
  return retry('PEER_FAILED', `HTTP 200, but ERR: ${message}`);
}

/** A fatal error there may be about this one row; a site in maintenance, or away, is about all. */
function isAboutOneUser(error: SyncError): boolean {
  return error.code === 'PEER_FAILED' && !error.message.startsWith('HTTP 503');
}

function retry(code: ErrorCode, message: string): StreamResult {
  return { result: 'retry', code, message };
}
