/**
 * After records were applied, in the same transaction: what is known of the plugin peer by the rows they were made of, and
 * what it and other plugins have to be told for that.
 */
import type { Transaction } from 'kysely';
import type { AppliedChunk } from '../apply/apply.ts';
import { busyOf } from '../apply/outcomes.ts';
import { CHANGE } from '../model/guard.ts';
import type { Memory } from '../model/plugin-memory.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import type { WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import { usersWaiting } from '../store/outbox.ts';
import { wakeUntold } from '../store/outbox-unproven.ts';
import { parkRecords } from '../store/parked.ts';
import {
  forgetReplaced,
  forgetUndecided,
  noteRemoved,
  noteReplaced,
  writeAccounts,
  writeMemories,
  type AccountThere,
} from '../store/plugin-seen.ts';
import type { AppendLog, OutboxWriter } from '../store/ports.ts';
import { accountIdOf } from './account.ts';
import { passwordEntry } from './password-log.ts';
import { memoryOf, type Prepared } from './receive-rows.ts';

/** What it needs. */
export interface AppliedDeps {
  readonly nowMs: () => number;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly appendLog: AppendLog;
  /** Of all plugin peers. */
  readonly routes: () => readonly PeerRoute[];
  /** The row that a record was made of. */
  readonly preparedOf: (record: WireRecord) => Prepared | undefined;
}

/** A row whose record was applied. */
interface AppliedRow {
  readonly prepared: Prepared;
  readonly outcome: Outcome;
  /** The peer said something new of a user that is being sent to it: that may put back what it said. */
  readonly isOnItsWay: boolean;
}

/**
 * Remembers what the peer said, tells whom it concerns, and keeps the records that could not be applied now, for the plugin
 * sends nothing twice. Of records that no row was made of, only the last is done.
 */
export async function rememberApplied(
  trx: Transaction<unknown>,
  deps: AppliedDeps,
  from: RecordSource,
  chunk: AppliedChunk,
): Promise<void> {
  const { nowMs } = deps;
  const peer = from.route.name;
  const rows = await rowsOf(trx, deps, peer, chunk);
  await writeMemories(trx, peer, new Map(rows.flatMap(memoryAfter)), nowMs());
  await writeAccounts(trx, peer, new Map(rows.flatMap(accountOf)));
  for (const row of rows.filter(({ outcome }) => !isUnproven(outcome))) {
    const { userId } = row.outcome;
    // They have met: ours may go there.
    if (userId !== null) await wakeUntold(trx, peer, [userId], nowMs());
    await settle(trx, deps, peer, row);
    await tell(trx, deps, peer, row);
  }
  if (from.via !== 'parked' && deps.routes().some(({ name }) => name === peer)) {
    await parkRecords(trx, busyOf(peer, chunk.records, chunk.outcomes, nowMs()), nowMs());
  }
  const logs = rows
    .filter(({ prepared, outcome }) => prepared.withoutPassword && outcome.operation === 'insert')
    .map(({ outcome }) => passwordEntry(from, outcome));
  if (logs.length > 0) await deps.appendLog(trx, logs);
}

async function rowsOf(
  trx: Transaction<unknown>,
  { preparedOf }: AppliedDeps,
  peer: string,
  { records, outcomes }: AppliedChunk,
): Promise<AppliedRow[]> {
  const rows: AppliedRow[] = [];
  for (const [index, record] of records.entries()) {
    const prepared = preparedOf(record);
    const outcome = outcomes[index];
    if (prepared === undefined || outcome === undefined) continue;
    const { userId } = outcome;
    const isOnItsWay =
      userId !== null && prepared.news.length > 0 && (await usersWaiting(trx, [peer], [userId])).size > 0;
    rows.push({ prepared, outcome, isOnItsWay });
  }
  return rows;
}

/** Of an account that is not that of here nothing is remembered: what it has says nothing of what the peer was told. */
function isUnproven({ code }: Outcome): boolean {
  return code === 'EMAIL_UNPROVEN';
}

function memoryAfter({ prepared, outcome, isOnItsWay }: AppliedRow): [email: string, memory: Memory][] {
  const { row, memory, news } = prepared;
  if (memory === undefined || isUnproven(outcome)) return [];
  const notStored = outcome.notes.flatMap(({ code, register }) =>
    code === 'VALUE_UNSTORABLE' ? (register ?? []) : [],
  );
  return [[row.email, memoryOf(memory, news, new Set(notStored), isOnItsWay)]];
}

function accountOf({ prepared, outcome }: AppliedRow): [email: string, account: AccountThere][] {
  const { row, memory, user, rowsSaid } = prepared;
  if (memory === undefined || user === undefined || isUnproven(outcome)) return [];
  const account = { user, accountId: accountIdOf(row), hasMet: true };
  return [[row.email, rowsSaid === undefined ? account : { ...account, rowsSaid }]];
}

/** What the row decides of removals and of the account that had the address before. */
async function settle(
  trx: Transaction<unknown>,
  { nowMs }: AppliedDeps,
  peer: string,
  { prepared: { row, settles, replaced } }: AppliedRow,
): Promise<void> {
  if (settles.removal) await forgetUndecided(trx, peer, row.email);
  if (settles.replaced) await forgetReplaced(trx, peer, row.email);
  if (replaced !== undefined) await noteReplaced(trx, peer, row.email, replaced, nowMs());
}

/** Puts into outboxes what the row shows that the peer, or another plugin, lacks. */
async function tell(
  trx: Transaction<unknown>,
  { nowMs, outbox, routes }: AppliedDeps,
  peer: string,
  { prepared: { row, knowsLess, removal }, outcome: { userId }, isOnItsWay }: AppliedRow,
): Promise<void> {
  if (userId !== null && (knowsLess || isOnItsWay)) {
    // Another plugin may have been told the same by it.
    const told = routes().filter(({ name, send }) => name === peer || send);
    await outbox.enqueue(
      trx,
      told.map(({ name }) => ({ peer: name, kind: 'user', ref: userId })),
      nowMs(),
    );
  }
  if (removal !== undefined) {
    await outbox.enqueue(trx, [{ peer, kind: 'removal', ref: removal, changes: CHANGE.removal }], nowMs());
    await noteRemoved(trx, peer, { email: row.email, removalId: removal, told: true }, nowMs());
  }
}
