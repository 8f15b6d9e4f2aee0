/** The guard at work in one transaction: asked for each change of an account, it says whether that may pass, and counts it. */
import type { Ident } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { allowance, usersThatMatter, type GuardClass, type GuardLimits } from '../model/guard.ts';
import {
  countUsersUpTo,
  createdLately,
  guardUse,
  noteGuarded,
  takeGuardTurn,
  type GuardedPeer,
  type GuardEvent,
  type GuardUse,
} from './guard-events.ts';

/** What counting needs. */
export interface GuardLedgerDeps {
  readonly limits: GuardLimits;
  /** The host's `t_user`. */
  readonly userTable: Ident;
  readonly nowMs: () => number;
}

/** Changes of one peer, in one direction. */
export interface GuardLedger {
  /**
   * True if so much more may pass; then it counts. Takes the turn of the guard, so whoever else asks waits for this transaction.
   *
   * @param gone ids of accounts that are removed by it; 0 where the id is not known
   */
  admits(name: GuardClass, weight: number, gone?: readonly number[]): Promise<boolean>;
  /** Those of the accounts whose creation was let through lately: that they are activated now is part of it. */
  createdLately(userIds: readonly number[]): Promise<ReadonlySet<number>>;
  /**
   * Writes down what was let through; to be called once, before the transaction ends.
   *
   * @param created ids of the accounts that were made, also without being asked for
   */
  write(created: readonly number[]): Promise<void>;
}

/** What is known of a class. */
interface Tally {
  readonly used: GuardUse;
  /** Let through in this transaction. */
  admitted: number;
}

/**
 * Opens it; nothing is read before the first question.
 *
 * @param missing only `out`: accounts that are gone here, and of whose removal nothing was decided yet
 */
export function openGuardLedger(
  runner: Runner,
  { limits, userTable, nowMs }: GuardLedgerDeps,
  of: GuardedPeer,
  missing = 0,
): GuardLedger {
  const tallies = new Map<GuardClass, Tally>();
  const removed: number[] = [];
  let counted = { users: 0, most: 0, removedBefore: 0 };
  let made: number | undefined;

  const tallyOf = async (name: GuardClass): Promise<Tally> => {
    const known = tallies.get(name);
    if (known !== undefined) return known;
    // Towards a peer only the worker that has the lease sends.
    if (tallies.size === 0 && of.direction === 'in') await takeGuardTurn(runner);
    const tally = { used: await guardUse(runner, of, name, windowStart()), admitted: 0 };
    tallies.set(name, tally);
    return tally;
  };
  const windowStart = (): number => nowMs() - limits.windowMs;
  /** How many users there were when the window began, as far as `most` and as far as creations and changes of this class tell. */
  const usersThen = async (name: GuardClass, { accounts }: GuardUse, most: number): Promise<number> => {
    // Else whoever makes accounts first could remove more of the others.
    made ??= (await guardUse(runner, of, 'creations', windowStart())).byAll;
    const enough = most + accounts + made;
    // There may be more than were counted. Twice as many as asked for, so that it is not asked for each of many.
    if (counted.most < enough && counted.users === counted.most) {
      const users = await countUsersUpTo(runner, userTable, 2 * enough);
      counted = { users, most: 2 * enough, removedBefore: removed.length };
    }
    if (name === 'creations') return Math.max(0, counted.users - accounts);
    const older = Math.max(0, counted.users - made);
    if (name !== 'removals') return older;
    return older + accounts + (of.direction === 'in' ? counted.removedBefore : missing);
  };
  /** `times`: as much as so many peers may do. */
  const passes = async (name: GuardClass, use: GuardUse, total: number, times: number): Promise<boolean> => {
    const amount = Math.ceil(total / times);
    if (amount <= allowance(limits, name, 0)) return true;
    return amount <= allowance(limits, name, await usersThen(name, use, usersThatMatter(limits, name, amount)));
  };
  return {
    async admits(name, weight, gone = []) {
      const tally = await tallyOf(name);
      const { used, admitted } = tally;
      if (!(await passes(name, used, sum(name, used.byPeer + admitted, weight), 1))) return false;
      // What goes out goes to every peer: only what comes in is summed up.
      const isSummed = of.direction === 'in';
      if (isSummed && !(await passes(name, used, sum(name, used.byAll + admitted, weight), limits.total))) return false;
      tally.admitted += weight;
      removed.push(...gone);
      return true;
    },
    createdLately: (userIds) => createdLately(runner, of, userIds),
    async write(created) {
      const events = [...tallies].flatMap(([name, { admitted }]): GuardEvent[] => {
        const ids = name === 'removals' ? removed : name === 'creations' ? created : [];
        const weight = Math.max(0, admitted - ids.length);
        const ofAccounts = ids.map((userId, at) => ({ name, weight: at < admitted ? 1 : 0, userId }));
        return weight > 0 ? [...ofAccounts, { name, weight, userId: null }] : ofAccounts;
      });
      const uncounted = tallies.has('creations') ? [] : created;
      events.push(...uncounted.map((userId) => ({ name: 'creations' as const, weight: 0, userId })));
      if (events.length > 0) await noteGuarded(runner, of, events, nowMs());
    },
  };
}

/** Of the smallest sites too one person may change password and address at a time: the first account passes whatever it weighs. */
function sum(name: GuardClass, used: number, weight: number): number {
  return name === 'credentials' && used === 0 ? Math.min(1, weight) : used + weight;
}
