/**
 * The records of one transaction. Removals come first, for they make room for registrations; then the living, in rounds:
 * a record that concerns an account another record of the chunk is changing waits for the next round.
 */
import type { Transaction } from 'kysely';
import type { AppendLog } from '../store/ports.ts';
import { requireUid } from '../store/shadows.ts';
import { isAhead } from '../model/clock-guard.ts';
import type { ErrorCode } from '../model/errors.ts';
import { CHANGE, type Changes } from '../model/guard.ts';
import { areWithin } from '../model/births.ts';
import { heldUntil, isBelieved } from '../model/proof.ts';
import type { RemovalRecord, UserRecord, WireRecord } from '../model/record.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import type { Zone } from '../osclass/timezone.ts';
import { dryOutcome, heldOutcome, unchangedOutcome, outcomeOf, toParked, whyParked } from './outcomes.ts';
import { aheadMessage, decide, type UserPlan } from './decide.ts';
import { heldNote, holdExcess, makeGuard, type Guard, type GuardDeps } from './guard.ts';
import { toIncoming } from './incoming.ts';
import { loadChunk, type Loaded, type LoadDeps } from './load.ts';
import { processEntry } from './log.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { keepParked } from './keep-parked.ts';
import {
  unparkRow,
  unparkRecords,
  usersUnproven,
  waitingByUid,
  wakeParked,
  type ParkedRecord,
} from '../store/parked.ts';
import { reportPlaces } from './places.ts';
import { withinQuota, type ParkedQuota } from './parked-quota.ts';
import { parkRefused } from './probe-registers.ts';
import { keepUserNames, movingAway, parkTakenEmails, parkUnstorable } from './veto-registers.ts';
import { writeShadowsAndOutboxes, type WriteShadowsDeps } from './write-shadows.ts';
import {
  isParkedRemoval,
  removeAccounts,
  planOfRemoval,
  toIncomingRemoval,
  type IncomingRemoval,
  type RemovalDeps,
} from './removals.ts';
import { storeUsers, type StoreDeps } from './store-users.ts';

/** What applying needs. */
export interface ApplyDeps extends LoadDeps, StoreDeps, WriteShadowsDeps, RemovalDeps, GuardDeps {
  readonly zone: Zone;
  readonly appendLog: AppendLog;
  readonly quotas: ParkedQuota;
  /** Locales of this site; undefined: it has no list of them. */
  readonly locales: () => Promise<ReadonlySet<string> | undefined>;
  /** Is told of what was applied, in the transaction that does it. */
  readonly applied?: (
    trx: Transaction<unknown>,
    from: RecordSource,
    records: readonly WireRecord[],
    outcomes: readonly Outcome[],
  ) => Promise<void>;
  /** Is told of a whole batch once it is stored, for figures. */
  readonly measured?:
    | ((from: RecordSource, records: readonly WireRecord[], outcomes: readonly Outcome[], tookMs: number) => void)
    | undefined;
}

/** One chunk under way. */
interface ChunkRun {
  readonly trx: Transaction<unknown>;
  readonly deps: ApplyDeps;
  readonly from: RecordSource;
  readonly dryRun: boolean;
  /** The database refused these records: each register is tried by itself. */
  readonly probing: boolean;
  readonly records: readonly WireRecord[];
  readonly outcomes: Map<number, Outcome>;
  readonly parked: ParkedRecord[];
  /** Accounts that the sender has to hear of, for its own of the same address, under these uids, was not taken for them. */
  readonly answered: { readonly userId: number; readonly uids: readonly Uid[] }[];
  readonly guard: Guard;
  /** Ids of the accounts that were made. */
  readonly created: number[];
}

/** Applies all records inside `trx` and returns their outcomes in order. With `dryRun` nothing is written. */
export async function applyInTransaction(
  trx: Transaction<unknown>,
  deps: ApplyDeps,
  records: readonly WireRecord[],
  from: RecordSource,
  { dryRun, probing }: { readonly dryRun: boolean; readonly probing: boolean },
): Promise<Outcome[]> {
  const run: ChunkRun = {
    trx,
    deps,
    from,
    dryRun,
    probing,
    records,
    outcomes: new Map(),
    parked: [],
    answered: [],
    guard: makeGuard(trx, deps, from),
    created: [],
  };
  await applyRemovals(run);
  let open = [...records.keys()].filter((index) => records[index]?.kind === 'user');
  while (open.length > 0) {
    const later = await applyRound(run, open);
    // A round that got nowhere would get nowhere again; alone, a record waits for no other.
    if (later.length === open.length) for (const index of later) await applyRound(run, [index]);
    open = later.length === open.length ? [] : later;
  }
  const outcomes = [...records.keys()].map((index) => run.outcomes.get(index) as Outcome);
  if (dryRun) return outcomes;
  await run.guard.write(run.created);
  const kept = await withinQuota(trx, deps.quotas, from, { parked: run.parked, outcomes });
  await writeParkedAndLog(run, kept);
  return [...kept.outcomes];
}

/** Removals one after the other, each seeing what the one before left. */
async function applyRemovals(run: ChunkRun): Promise<void> {
  const { trx, deps, from } = run;
  for (const [index, record] of run.records.entries()) {
    if (record.kind !== 'removal') continue;
    const stated = toIncomingRemoval(record);
    const loaded = await loadChunk(trx, deps, [stated]);
    const removal = await sparing(trx, from, stated, loaded);
    run.outcomes.set(index, await removeOrPark(run, removal, record, loaded));
    // What was found changed on the way is remembered even if the account stays.
    if (!run.dryRun) await writeShadowsAndOutboxes(trx, deps, bystanders(loaded, removal), [], from);
  }
}

async function removeOrPark(
  run: ChunkRun,
  removal: IncomingRemoval,
  record: RemovalRecord,
  loaded: Loaded,
): Promise<Outcome> {
  const main = removal.uids[0] as Outcome['uid'];
  const { origin, nowMs } = run.deps;
  if (isAhead(removal.stamp, nowMs())) {
    const message = aheadMessage(removal.stamp, nowMs(), origin);
    return { ...unchangedOutcome(main, null), result: 'retry', code: 'CLOCK_SKEW', message };
  }
  const busy = removal.uids.some((uid) => loaded.beingDeleted.has(uid));
  if (busy) {
    // Deleted, or deleted and inserted again: the drain will tell.
    const message = 'The account was just deleted here; the drain looks at it first.';
    return { ...unchangedOutcome(main, null), result: 'retry', code: 'USER_BUSY', message };
  }
  if (run.dryRun) return { ...unchangedOutcome(main, null), result: 'applied', operation: 'remove' };
  const park = (code: ErrorCode, message: string, held: Changes = 0): Outcome => {
    run.parked.push({ peer: run.from.route.name, uid: main, userId: null, code, message, record, held });
    return { ...unchangedOutcome(main, null), result: 'parked', code, message };
  };
  const heldUntilMs = heldUntil(removal.heldUntilMs, nowMs());
  if (heldUntilMs !== undefined && planOfRemoval(removal, loaded).remove.length > 0) {
    const until = new Date(heldUntilMs).toISOString();
    const message = `On ${run.from.route.name} the account came over from somebody who had not proved the address: its removal waits until ${until}.`;
    return park('EMAIL_UNPROVEN', message);
  }
  if (!(await mayRemove(run, removal, loaded))) {
    const { code, message } = heldNote(run.from, 'removals');
    return park(code, message, CHANGE.removal);
  }
  try {
    return await removeAccounts(run.trx, run.deps, removal, loaded, run.from);
  } catch (error) {
    if (!isParkedRemoval(error)) throw error;
    return park(error.code, error.message);
  }
}

/** Asks the guard for every account that a removal means: one record may name many. */
async function mayRemove({ guard }: ChunkRun, removal: IncomingRemoval, loaded: Loaded): Promise<boolean> {
  const { remove } = planOfRemoval(removal, loaded);
  if (remove.length === 0) return true;
  const held = [...(await guard.heldBefore(removal.uids)).values()];
  if (held.some((changes) => (changes & CHANGE.removal) !== 0)) return false;
  return await guard.admits('removals', remove.length, remove);
}

/**
 * A peer of a version without births does not say which registration was removed. What waits of it here as unproved is of another
 * account than ours, and so then is its removal. One that is not believed may have removed whom it took for the account of here.
 */
async function sparing(
  trx: Transaction<unknown>,
  { route }: RecordSource,
  removal: IncomingRemoval,
  { users }: Loaded,
): Promise<IncomingRemoval> {
  const { births } = removal;
  if (births !== undefined) {
    if (isBelieved(route.emailTrust)) return removal;
    const others = [...users.values()].filter((user) => !areWithin(births, user.births));
    return { ...removal, spared: new Set(others.map(({ userId }) => userId)) };
  }
  return { ...removal, spared: await usersUnproven(trx, route.name, [...users.keys()]) };
}

/** One round over the records at `open`; returns those that have to wait for the next. */
async function applyRound(run: ChunkRun, open: readonly number[]): Promise<number[]> {
  const { trx, deps, from } = run;
  const incoming = open.map((index) => ({
    index,
    incoming: toIncoming(run.records[index] as UserRecord, deps, from.route),
  }));
  const loaded = await loadChunk(
    trx,
    deps,
    incoming.map(({ incoming: { uids, record } }) => ({ uids, email: record.email })),
    from.route.name,
  );
  const locales = await deps.locales();
  const plans = new Map<UserPlan, number>();
  const later: number[] = [];
  const touchedUsers = new Set<number>();
  const touchedEmails = new Set<string>();
  const decideAll = async (entries: typeof incoming, moving: ReadonlySet<number>): Promise<void> => {
    for (const { index, incoming: one } of entries) {
      const context = { from, origin: deps.origin, nowMs: deps.nowMs(), locales, touchedUsers, touchedEmails };
      const decision = decide(one, loaded, { ...context, movingAway: moving });
      if (decision.kind === 'defer') later.push(index);
      else if (decision.kind === 'done') {
        run.outcomes.set(index, decision.outcome);
        if (decision.park) run.parked.push(toParked(from, one, decision.outcome, null));
      } else if (decision.kind === 'refused') {
        run.outcomes.set(index, decision.outcome);
        run.parked.push({ ...toParked(from, one, decision.outcome, decision.userId), isStranger: true });
        if (decision.answers) run.answered.push({ userId: decision.userId, uids: one.uids });
      } else if (decision.kind === 'followRemoval') {
        const outcome = await followRemoval(run, decision, loaded);
        run.outcomes.set(index, outcome);
        if (outcome.result === 'parked') run.parked.push(toParked(from, one, outcome, null, CHANGE.removal));
        for (const uid of decision.uids) touchedUsers.add(loaded.byUid.get(uid)?.userId ?? 0);
      } else {
        plans.set(decision.plan, index);
        touch(decision.plan, touchedUsers, touchedEmails);
      }
    }
  };
  // Those known by uid first: they tell whose address becomes free for those known only by address.
  const known = incoming.filter((entry) => entry.incoming.uids.some((uid) => loaded.byUid.has(uid)));
  await decideAll(known, new Set());
  await decideAll(
    incoming.filter((entry) => !known.includes(entry)),
    movingAway([...plans.keys()]),
  );
  await storePlans(run, plans, loaded);
  return later;
}

async function storePlans(run: ChunkRun, plans: ReadonlyMap<UserPlan, number>, loaded: Loaded): Promise<void> {
  const { trx, deps, from, dryRun } = run;
  const wanted = [...plans.keys()];
  parkUnstorable(wanted, deps.hosts, from.route.accepts);
  await keepUserNames(trx, wanted, deps.catalog.requireTable('t_user'));
  const moves = await parkTakenEmails(trx, wanted, deps.hosts);
  if (dryRun) {
    for (const [plan, index] of plans) run.outcomes.set(index, dryOutcome(plan));
    return;
  }
  if (run.probing) await parkRefused(trx, deps, wanted);
  const list = await holdExcess(run.guard, wanted, from);
  for (const plan of wanted.filter((one) => !list.includes(one))) {
    const outcome = heldOutcome(plan);
    run.outcomes.set(plans.get(plan) as number, outcome);
    run.parked.push(toParked(from, plan.incoming, outcome, null, plan.held));
  }
  // Who keeps an address after all may be in the way of others.
  const isHeld = moves.some(({ plan }) => !plan.take.has('s_email'));
  const stored = await storeUsers(trx, deps, list, isHeld ? await parkTakenEmails(trx, list, deps.hosts) : moves);
  run.created.push(...stored.flatMap(({ plan, userId }) => (plan.user === undefined ? [userId] : [])));
  await reportPlaces(trx, deps, from, list);
  await writeShadowsAndOutboxes(trx, deps, loaded, stored, from);
  for (const done of stored) {
    const outcome = outcomeOf(done);
    run.outcomes.set(plans.get(done.plan) as number, outcome);
    const waits = whyParked(done.plan) ?? done.plan.notes.find((note) => note.code === 'LOCALE_UNKNOWN');
    if (waits !== undefined) {
      const why = { ...outcome, code: waits.code, message: waits.message };
      run.parked.push(toParked(from, done.plan.incoming, why, done.userId, done.plan.held));
    }
  }
}

/**
 * A record of a user that was removed: whatever else its uids name is removed too, and the sender is told, for it has not heard
 * of the removal or does not know all it concerns.
 */
async function followRemoval(
  run: ChunkRun,
  removal: Pick<IncomingRemoval, 'uids' | 'stamp' | 'births'>,
  loaded: Loaded,
): Promise<Outcome> {
  const { deps, from } = run;
  const outcome: Outcome = {
    ...unchangedOutcome(removal.uids[0] as Outcome['uid'], null),
    code: 'USER_REMOVED',
    message: 'The account was removed; the record came too late.',
  };
  if (run.dryRun) return outcome;
  const followed = { ...removal, emailHash: null, heldUntilMs: 0 };
  if (!(await mayRemove(run, followed, loaded))) {
    return { ...outcome, result: 'parked', ...heldNote(from, 'removals') };
  }
  const done = await removeAccounts(run.trx, deps, followed, loaded, from, {
    isFinding: true,
    isAnswer: from.via !== 'feed',
  });
  return { ...outcome, userId: done.userId, operation: done.operation };
}

/** What has to outlive the chunk besides the users themselves: records that wait, and the log. */
async function writeParkedAndLog(
  run: ChunkRun,
  { parked, outcomes }: { readonly parked: readonly ParkedRecord[]; readonly outcomes: readonly Outcome[] },
): Promise<void> {
  const { trx, deps, from } = run;
  await answerRefused(run);
  await keepParked(trx, deps, from, parked);
  const waiting = new Set(parked.map((entry) => entry.uid));
  const settled = outcomes.flatMap((outcome, index) => {
    const isSettled = outcome.result !== 'retry' && !waiting.has(outcome.uid);
    return isSettled ? [run.records[index] as WireRecord] : [];
  });
  if (from.rows === undefined) {
    // Older parked records of the same user from the same peer are obsolete, whichever of the uids they name.
    const through = settled.flatMap((record) => record.uids.map(requireUid)).filter((uid) => !waiting.has(uid));
    await unparkRecords(trx, from.route.name, through);
  } else {
    for (const record of settled) {
      const row = from.rows.get(record);
      if (row !== undefined) await unparkRow(trx, row);
    }
  }
  // Records that were parked because an address was taken may be applied now.
  const freed = outcomes.filter((outcome) => outcome.operation === 'remove' || outcome.registers.includes('s_email'));
  await wakeParked(
    trx,
    freed.flatMap((outcome) => (outcome.userId === null || outcome.result !== 'applied' ? [] : [outcome.userId])),
  );
  const isOldNews = (outcome: Outcome): boolean =>
    from.via === 'parked' && (outcome.result === 'parked' || outcome.result === 'retry');
  await deps.appendLog(
    trx,
    outcomes.filter((outcome) => !isOldNews(outcome)).map((outcome) => processEntry(outcome, from)),
  );
}

/** Of one that waits here already the sender was told when it came: both would tell each other for ever. */
async function answerRefused({ trx, deps, from, answered }: ChunkRun): Promise<void> {
  const { name: peer, send } = from.route;
  if (!send) return;
  const waiting = await waitingByUid(
    trx,
    peer,
    answered.flatMap(({ uids }) => uids),
  );
  const isNew = ({ userId, uids }: ChunkRun['answered'][number]): boolean =>
    !uids.some((uid) => waiting.get(uid)?.userId === userId && waiting.get(uid)?.code === 'EMAIL_UNPROVEN');
  const refs = new Set(answered.filter(isNew).map(({ userId }) => userId));
  await deps.outbox.enqueue(
    trx,
    [...refs].map((ref) => ({ peer, kind: 'user' as const, ref })),
    deps.nowMs(),
  );
}

function touch(plan: UserPlan, users: Set<number>, emails: Set<string>): void {
  if (plan.user !== undefined) users.add(plan.user.userId);
  for (const parting of plan.partings) users.add(parting.userId);
  const to = plan.take.get('s_email')?.values['s_email'];
  if (plan.user === undefined) emails.add(canonicalEmail(plan.incoming.record.email));
  else if (typeof to === 'string') emails.add(canonicalEmail(to));
}

/** The loaded accounts that the removal does not name. */
function bystanders(loaded: Loaded, { uids }: IncomingRemoval): Loaded {
  const named = new Set(uids.map((uid) => loaded.byUid.get(uid)?.userId));
  return { ...loaded, users: new Map([...loaded.users].filter(([userId]) => !named.has(userId))) };
}
