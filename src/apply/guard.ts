/** The guard, incoming: what exceeds it is parked until a person approves; the rest of each account goes on. */
import type { Transaction } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import {
  ALL_CHANGES,
  CHANGE,
  CHANGES_OF,
  GUARD_CLASSES,
  changeOfStatus,
  changesIn,
  registersOf,
  weightOf,
  type Changes,
  type GuardClass,
  type GuardLimits,
} from '../model/guard.ts';
import type { Note, RecordSource } from '../model/outcome.ts';
import type { Uid } from '../model/uid.ts';
import { openGuardLedger } from '../store/guard-ledger.ts';
import { heldByUid } from '../store/parked.ts';
import type { UserPlan } from './decide.ts';

/** What guarding needs. */
export interface GuardDeps {
  readonly catalog: Catalog;
  readonly guard: GuardLimits;
  readonly nowMs: () => number;
}

/** Asked for what a chunk changes, in the transaction that carries it out. */
export interface Guard {
  /** True if so much more of a class may go through; then it counts. `gone`: the accounts that are removed by it. */
  admits(name: GuardClass, weight: number, gone?: readonly number[]): Promise<boolean>;
  /** What is held already of the users of these records: it stays so, whatever room there is by now. */
  heldBefore(uids: readonly Uid[]): Promise<ReadonlyMap<Uid, Changes>>;
  /** Those of the accounts whose creation was let through lately. */
  createdLately(userIds: readonly number[]): Promise<ReadonlySet<number>>;
  /** Writes down what was let through, and which accounts were made; once, at the end of the transaction. */
  write(created: readonly number[]): Promise<void>;
}

/** The guard for one chunk from one peer. What a person approved is not counted, nor held again. */
export function makeGuard(trx: Transaction<unknown>, deps: GuardDeps, from: RecordSource): Guard {
  const { guard: limits, nowMs } = deps;
  const peer = from.route.name;
  const userTable = deps.catalog.requireTable('t_user').name;
  const ledger = openGuardLedger(trx, { limits, userTable, nowMs }, { peer, direction: 'in' });
  const approved = changesIn(from.approved ?? []);
  const uncounted = from.startedByPerson === true ? ALL_CHANGES & ~CHANGE.removal : approved;
  return {
    admits: async (name, weight, gone) =>
      (uncounted & CHANGES_OF[name]) !== 0 || (await ledger.admits(name, weight, gone)),
    async heldBefore(uids) {
      const held = await heldByUid(trx, peer, uids);
      return new Map([...held].map(([uid, changes]) => [uid, changes & ~uncounted]));
    },
    createdLately: ledger.createdLately,
    write: ledger.write,
  };
}

/** What is said of a held record, or register. */
export function heldNote(from: RecordSource, name: GuardClass): Pick<Note, 'code' | 'message'> {
  const { name: peer } = from.route;
  const message = `${peer} ${WHAT[name]} than the guard lets through; see "account-sync approve ${peer} --class ${name}".`;
  return { code: 'GUARD_HELD', message };
}

const WHAT: Readonly<Record<GuardClass, string>> = {
  removals: 'removes or disables more accounts',
  credentials: 'changes more passwords and addresses',
  revivals: 'unblocks or activates more accounts',
  creations: 'makes more accounts',
};

/** What the guard counts of a plan as it stands. */
export function changesOfPlan({ user, take }: UserPlan): Changes {
  if (user === undefined) return CHANGE.creation;
  const { host } = user;
  const isOther = (register: string, column: string): boolean => {
    const value = take.get(register)?.values[column];
    return value !== undefined && value !== (host.registers.get(register)?.[column] ?? null);
  };
  let changes: Changes = 0;
  if (isOther('password', 's_password')) changes |= CHANGE.password;
  if (isOther('s_email', 's_email')) changes |= CHANGE.address;
  const status = take.get('status')?.values;
  if (status === undefined) return changes;
  const flag = (column: string, held: boolean): boolean =>
    status[column] === undefined ? held : status[column] === '1';
  const after = { enabled: flag('b_enabled', host.enabled), active: flag('b_active', host.active) };
  return changes | changeOfStatus(host, after);
}

/**
 * Takes out of the plans what is beyond the guard. Returns the plans that are to be carried out: a new account that is held is
 * none of them, nor an account that is to give way to its owner's.
 */
export async function holdExcess(guard: Guard, plans: readonly UserPlan[], from: RecordSource): Promise<UserPlan[]> {
  const counted = plans.map((plan) => ({ plan, changes: changesOfPlan(plan) })).filter(({ changes }) => changes !== 0);
  if (counted.length === 0) return [...plans];
  const before = await guard.heldBefore(counted.flatMap(({ plan }) => plan.incoming.uids));
  const revived = counted.filter(({ changes }) => (changes & CHANGE.revival) !== 0);
  const createdLately = await guard.createdLately(revived.flatMap(({ plan }) => plan.user?.userId ?? []));
  for (const { plan, changes } of counted) {
    const heldBefore = plan.incoming.uids.reduce((all, uid) => all | (before.get(uid) ?? 0), 0);
    for (const name of GUARD_CLASSES) {
      const ofClass = CHANGES_OF[name] & changes;
      if (ofClass === 0) continue;
      const isPart = name === 'revivals' && createdLately.has(plan.user?.userId ?? 0);
      const isHeld = (CHANGES_OF[name] & heldBefore) !== 0;
      if (isPart || (!isHeld && (await guard.admits(name, weightOf(name, ofClass))))) continue;
      hold(plan, ofClass, heldNote(from, name));
    }
  }
  return plans.filter((plan) => !isHeldWhole(plan));
}

/** Of an account that gives way to another nothing may stay behind: once they have met, stamps would decide about the rest. */
function isHeldWhole({ held = 0, overtaken }: UserPlan): boolean {
  return (held & CHANGE.creation) !== 0 || (overtaken && held !== 0);
}

function hold(plan: UserPlan, changes: Changes, note: Pick<Note, 'code' | 'message'>): void {
  plan.held = (plan.held ?? 0) | changes;
  if ((changes & CHANGE.creation) !== 0) plan.parked.push(note);
  for (const register of registersOf(changes)) {
    plan.take.delete(register);
    plan.parked.push({ ...note, register });
  }
}
