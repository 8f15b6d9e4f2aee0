/**
 * Sending records to a plugin peer: one request for each, removals first, since a user that registered again must not be
 * deleted by the removal of the account before. What it confirmed is remembered before the outbox forgets it.
 */
import type { Kysely } from 'kysely';
import { readShadows, requireUid, usersByUid } from '../store/shadows.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { SyncError, type ErrorCode } from '../model/errors.ts';
import { maskEmail } from '../model/log-entry.ts';
import type { RemovalRecord, StreamAnswer, StreamResult, UserRecord, WireRecord } from '../model/record.ts';
import { removalIdOf } from '../model/tombstone.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { RandomBytes } from '../osclass/defaults.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { greet, type PluginClient, type PluginSays } from './client.ts';
import { isShown } from './account.ts';
import { linkOf } from './link.ts';
import { makeMayTell, UNTOLD, type TellingDeps } from './may-tell.ts';
import { afterAnswer, afterTelling, beforeTelling, impress, noveltyOf, type Memory } from '../model/plugin-memory.ts';
import { onlyChanges, saysNothing, toFields, toOutgoing, type OutgoingDeps } from './record-to-row.ts';
import { lookUpAccount, searchFeed } from './account-lookup.ts';
import { withRegistration } from './registration.ts';
import {
  forgetRemoval,
  noteRemovedAtPeer,
  readSeen,
  removedAddresses,
  writeAccounts,
  writeMemories,
} from '../store/plugin-seen.ts';
import { isAlreadyGone } from './wire.ts';

/** What sending needs. */
export interface SendDeps extends OutgoingDeps, TellingDeps {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  readonly nowMs: () => number;
  readonly client: PluginClient;
  readonly randomBytes: RandomBytes;
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
      const isAlone = await isAboutOneUser(deps.client, error, signal);
      if (!isAlone) {
        if (results.size === 0) throw error;
        down = error;
      }
      const code = isAlone && error.code !== 'PEER_FAILED' ? 'PEER_BLOCKED' : error.code;
      results.set(record, { result: 'retry', code, message: error.message });
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
  const { db, hosts, nowMs } = deps;
  const email = canonicalEmail(record.email);
  const seen = (await readSeen(db, peer, [email])).get(email);
  if (seen !== undefined && seen.removalId !== null) {
    return retry('PEER_FAILED', 'The removal of the earlier account of this address has to go first.');
  }
  if (seen?.isUndecided === true && !isUsed(record)) {
    return retry(
      'PEER_FAILED',
      'The peer sent a removal of this address; whether it is of this account is not known yet.',
    );
  }
  const uids = record.uids.map(requireUid);
  const [userId] = (await usersByUid(db, uids)).values();
  if (userId === undefined) return { result: 'unchanged', message: 'The account is gone.' };
  const link = await linkOf(db, deps, seen, { uids, regDate: registeredIn(record) });
  if (link === 'waiting' || link === 'elsewhere') {
    return retry('EMAIL_TAKEN', 'Another account of the peer has the address; this one must not be written over it.');
  }
  const [host, stored] = [(await hosts.byId(db, [userId])).get(userId), (await readShadows(db, [userId])).get(userId)];
  if (host === undefined || stored === undefined) return { result: 'unchanged', message: 'The account is gone.' };
  if (!(await makeMayTell(db, deps))({ host, stored, seen, link })) return retry('EMAIL_UNPROVEN', UNTOLD);
  const before = seen?.memory ?? undefined;
  const outgoing = withRegistration(onlyChanges(toOutgoing(record, userId, before, deps), before), {
    memory: before,
    accountId: seen?.accountId ?? null,
    table: deps.table,
    randomBytes: deps.randomBytes,
    isPage: false,
  });
  const remember = (change: (now: Memory | undefined) => Memory): Promise<void> =>
    inTransaction(db, async (trx) => {
      const now = (await readSeen(trx, peer, [email], { lock: true })).get(email);
      await writeMemories(trx, peer, new Map([[email, change(now?.memory ?? undefined)]]), nowMs());
      const [user] = uids;
      // The account is another than the one the peer said: whether the row went to that or made another, it has not said.
      const registered = outgoing.told.get('dt_reg_date');
      const isAnother =
        link === 'removed' || (registered !== undefined && registered !== before?.get('dt_reg_date')?.has);
      const account = isAnother ? { accountId: null, hasMet: false } : {};
      if (user !== undefined) await writeAccounts(trx, peer, new Map([[email, { user, ...account }]]));
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
  const { db, nowMs } = deps;
  const removalId = removalIdOf(requireUid(record.uids[0] as string));
  const email = (await removedAddresses(db, peer, [removalId])).get(removalId);
  if (email === undefined) return { result: 'unchanged', message: 'The peer never had the account.' };
  if (await isAnotherAccount(deps, peer, email, record)) {
    await inTransaction(db, async (trx) => {
      await forgetRemoval(trx, peer, removalId);
      await deps.stillOurs(trx);
    });
    return { result: 'unchanged', message: 'Another account has the address there by now.' };
  }
  if (!(await isMeant(deps, peer, email, signal))) {
    await inTransaction(db, async (trx) => {
      // Somebody deleted it there, and the removal is on its way to us.
      await noteRemovedAtPeer(trx, peer, email, 'told and echoed', nowMs());
      await deps.stillOurs(trx);
    });
    return { result: 'unchanged', message: 'The peer does not have that account any more.' };
  }
  await inTransaction(db, deps.stillOurs);
  const said = await deps.client.call('userStreamPostRemoval', [['ascData', email]], signal);
  const isGone = said.status === 'ERR' && isAlreadyGone(said.message);
  if (said.status !== 'OK' && !isGone) return refused(said);
  const outcome = isGone ? 'told' : 'told and echoed';
  await inTransaction(db, (trx) => noteRemovedAtPeer(trx, peer, email, outcome, nowMs()));
  return isGone ? { result: 'unchanged', message: 'The peer did not have the account.' } : { result: 'applied' };
}

/** True if the account at the peer is that of somebody who lives here, and who is not the one that was removed. */
async function isAnotherAccount(
  { db }: SendDeps,
  peer: string,
  email: string,
  { uids }: RemovalRecord,
): Promise<boolean> {
  const user = (await readSeen(db, peer, [email])).get(email)?.user ?? null;
  if (user === null || uids.includes(user)) return false;
  return (await usersByUid(db, [user])).size > 0;
}

/**
 * True if who would be removed at the peer is the account that was removed here, and not one that got the address since.
 * Accounts that are blocked or inactive are in no feed; of those nobody can tell.
 */
async function isMeant(
  { client, db }: SendDeps,
  peer: string,
  email: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const seen = (await readSeen(db, peer, [email])).get(email);
  // Nothing was ever exchanged about it: whoever has the address there never met the one who was removed.
  if (seen === undefined || seen.memory === null) return false;
  const { accountId, memory } = seen;
  const byId = accountId === null ? undefined : await lookUpAccount(client, accountId, signal);
  if (byId?.kind === 'there' && byId.row.email === email) return true;
  if (byId?.kind === 'unknown') return true;
  // By the address alone, for a table may have been renumbered: others may have been registered in the same second.
  const found = await searchFeed(client, (row) => row.email === email, { signal });
  // Its id is another's there, or it has another address: that one must not be removed in its place.
  if (found.kind !== 'there' && byId?.kind === 'there') return false;
  if (found.kind === 'absent') return !isShown(memory);
  if (found.kind === 'unknown') return byId === undefined || !isShown(memory);
  const registered = found.row.columns.get('dt_reg_date');
  if (registered === undefined) return byId === undefined;
  const novelty = noveltyOf(memory.get('dt_reg_date'), impress('dt_reg_date', registered));
  return novelty === 'same' || novelty === 'stale' || (byId === undefined && novelty === 'first');
}

/** True if the account is active and enabled here, so that its owner may be in it. */
function isUsed({ registers }: UserRecord): boolean {
  const status = registers['status']?.values ?? {};
  return status['b_enabled'] !== '0' && status['b_active'] !== '0';
}

/** When the user in a record was registered, in local time. */
function registeredIn({ registers }: UserRecord): string | null {
  const value = registers['dt_reg_date']?.values['dt_reg_date'];
  return typeof value === 'string' ? value : null;
}

/** A refusal of what was sent repeats it; one that repeats nothing is about who sent it. */
function refused(said: PluginSays): StreamResult {
  const message = said.message
    .slice(0, 300)
    .replaceAll(/[^\s#(,)]+/g, (word) => (word.includes('@') ? maskEmail(word) : word));
  if (said.data.length === 0) throw new SyncError('PEER_REFUSED_KEY', `HTTP 200: ${message}`, { httpStatus: 200 });
  return retry('PEER_FAILED', `HTTP 200, but ERR: ${message}`);
}

/**
 * A fatal error there may be about this one row. So may whatever stands in front of the site, if it lets another call
 * through; a site in maintenance, or away, is about all.
 */
async function isAboutOneUser(
  client: PluginClient,
  error: SyncError,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (error.code === 'PEER_FAILED') return true;
  if (error.code === 'PEER_REFUSED_KEY') return false;
  try {
    return (await greet(client, signal)).status === 'OK';
  } catch (failure) {
    if (failure instanceof SyncError) return false;
    throw failure;
  }
}

function retry(code: ErrorCode, message: string): StreamResult {
  return { result: 'retry', code, message };
}
