/** After a chunk was stored: shadows, uids and outboxes of everyone it touched, in the same transaction. */
import type { Transaction } from 'kysely';
import type { OutboxWriter, Routes } from '../store/ports.ts';
import { bindUids, forgetUsers, writeShadows, type StoredUser } from '../store/shadows.ts';
import { waitingByUid, type Waiting } from '../store/parked.ts';
import { reserveUids } from '../store/uid-assignment.ts';
import { ALL_CHANGES, CHANGE, changesIn, sentChanges, type Changes } from '../model/guard.ts';
import type { Uid } from '../model/uid.ts';
import { routesFor, type OutboxEntry, type PeerRoute } from '../model/route.ts';
import { requireNotRemoved } from './concurrent-removal.ts';
import type { UserPlan } from './decide.ts';
import { changesOfPlan } from './guard.ts';
import type { Loaded, LocalUser } from './load.ts';
import { whyParked } from './outcomes.ts';
import { isReproved } from './provenance.ts';
import type { RecordSource } from '../model/outcome.ts';
import type { StoredPlan } from './store-users.ts';

/** What remembering needs. */
export interface WriteShadowsDeps {
  readonly outbox: OutboxWriter;
  readonly routes: Routes;
  readonly nowMs: () => number;
}

/**
 * True if the account here has registers that the record knows nothing of: a text in another language, above all. Where
 * an account changes its uids or address, the sender may have told of them under another account, and does not have them.
 */
function holdsMore({ user, incoming }: UserPlan): boolean {
  return [...(user?.shadow.registers.keys() ?? [])].some((name) => !Object.hasOwn(incoming.record.registers, name));
}

/** What is remembered of an account of which no record was stored. */
function toStored({ userId, shadow, provenance }: LocalUser, uids: readonly Uid[]): StoredUser {
  return { userId, uids, shadow, provenance };
}

/** True if a record of the same account waits for the same reason. */
function waitsAlready(plan: UserPlan, waiting: ReadonlyMap<Uid, Waiting>): boolean {
  const why = whyParked(plan)?.code;
  return why !== undefined && plan.incoming.uids.some((uid) => waiting.get(uid)?.code === why);
}

/** What the guard counts of a plan towards other peers: what a person let in here goes on as it came. */
function changesToRelay(plan: UserPlan, { approved = [], startedByPerson }: RecordSource): Changes {
  const counted = startedByPerson === true ? CHANGE.removal : ALL_CHANGES;
  return changesOfPlan(plan) & counted & ~changesIn(approved);
}

/**
 * Writes the shadows, lets the uids name their users, and puts into outboxes: what was absorbed here, for everyone; what
 * came in, for the other peers if we relay; and what the sender does not know yet, for the sender.
 */
export async function writeShadowsAndOutboxes(
  trx: Transaction<unknown>,
  deps: WriteShadowsDeps,
  loaded: Loaded,
  stored: readonly StoredPlan[],
  from: RecordSource,
): Promise<void> {
  const { outbox } = deps;
  const write = new Map<number, StoredUser>();
  const entries: OutboxEntry[] = [];
  const send = (routes: readonly PeerRoute[], userId: number, changes: Changes = 0): void => {
    for (const { name, sends } of routes) {
      entries.push({ peer: name, kind: 'user', ref: userId, changes: sentChanges(changes, sends) });
    }
  };
  const routes = deps.routes();
  const source = routes.filter((route) => route.name === from.route.name && route.send);
  const waiting = await waitingByUid(
    trx,
    from.route.name,
    stored.flatMap(({ plan }) => (whyParked(plan) === undefined ? [] : plan.incoming.uids)),
  );

  for (const user of loaded.users.values()) {
    if (!user.adopted && user.absorbed.length === 0) continue;
    write.set(user.userId, toStored(user, user.uids));
    if (user.uids.length > 0) send(routesFor(routes, user.absorbed), user.userId, user.absorbedChanges);
  }
  for (const { plan, userId, host, stored: user, changed } of stored) {
    const before = plan.user;
    const isLinked = before === undefined || plan.uids.some((uid) => !before.uids.includes(uid));
    const knowsLess = plan.uids.some((uid) => !plan.incoming.uids.includes(uid));
    const isProvenAnew = before !== undefined && isReproved(before, user.provenance, host);
    const isNews = before === undefined || isLinked || plan.take.size > 0 || isProvenAnew;
    if (isNews || user.provenance !== before.provenance || before.adopted || before.absorbed.length > 0)
      write.set(userId, user);
    const news = before === undefined || isLinked || isProvenAnew ? 'all' : [...plan.take.keys()];
    // Whose those uids are, or which of two equal claims counts, was found here; nobody else will tell. Neither will the
    // sender of what was taken for an account it does not know as we do: for it, that may belong to another one by now.
    const isFinding =
      (knowsLess && (isLinked || plan.take.size > 0)) ||
      plan.partings.length > 0 ||
      (plan.isOurs && isNews) ||
      plan.tied.some((name) => plan.take.has(name));
    if (isFinding || (isNews && (from.route.relay || from.overwrite))) {
      send(routesFor(routes, news, from.route.name), userId, changesToRelay(plan, from));
    }
    // A record that waits was answered when it arrived; it is retried many times, and may be sent again as an answer to ours.
    const isAnswered = (from.via === 'parked' || waitsAlready(plan, waiting)) && !isNews;
    const isMoved = isLinked || changed.includes('s_email');
    const hasMore = plan.newerHere.length > 0 || (isMoved && holdsMore(plan));
    // Its people come to what they have here by nothing else: it was another account until now.
    const isAnother = before !== undefined && changed.includes('s_email') && holdsMore(plan);
    if (isAnother && from.via === 'feed') send(routesFor(routes, 'all'), userId);
    // Where nothing was new, they would tell each other for ever.
    const isUntold = plan.incoming.record.proof === null && before !== undefined && before.proof !== null && isNews;
    // Where each takes a uid of the account for another's, neither learns from the other before those are settled.
    const learns = knowsLess && plan.rivals.length === 0;
    const owesAnswer = plan.answers || isFinding || learns;
    if (!isAnswered && (owesAnswer || ((hasMore || isUntold) && from.via !== 'feed'))) send(source, userId);
    // Told again and again of one that waits there, it would part from none of its uids.
    if (isNews) for (const rival of plan.rivals) send(source, rival);
    for (const parting of plan.partings) {
      const other = loaded.users.get(parting.userId);
      if (other === undefined) continue;
      write.set(other.userId, toStored(other, parting.uids));
      send(routesFor(routes, 'all'), other.userId);
    }
  }
  const back = stored.flatMap(({ stored: { uids } }) => uids.flatMap((uid) => loaded.vanished.get(uid) ?? []));
  await forgetUsers(trx, back);
  await outbox.dropUsers(trx, back);
  await writeShadows(trx, [...write.values()]);
  const bindings = [...write.values()].flatMap(({ uids, userId }) => uids.map((uid) => ({ uid, userId })));
  await bindUids(trx, bindings);
  await requireNotRemoved(
    trx,
    loaded,
    bindings.map(({ uid }) => uid),
  );
  await reserveUids(
    trx,
    stored
      .filter(({ plan }) => plan.user !== undefined && plan.take.has('s_email'))
      .map(({ userId, host, stored: { uids } }) => ({ userId, email: host.email, uids })),
  );
  await outbox.enqueue(trx, entries, deps.nowMs());
}
