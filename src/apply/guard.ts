/** The guard, incoming: removals and disablings beyond what it lets through are parked until a person approves. */
import type { Transaction } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { guardAllowance, guardAlone, noteGuarded } from '../store/guard-events.ts';
import type { GuardLimits } from '../model/guard.ts';
import type { UserPlan } from './decide.ts';
import type { Note, RecordSource } from '../model/outcome.ts';

/** What guarding needs. */
export interface GuardDeps {
  readonly catalog: Catalog;
  readonly guard: GuardLimits;
  readonly nowMs: () => number;
}

/** Asked for each removal and disabling of a chunk, in the transaction that carries it out. */
export interface Guard {
  /** True if it may go through; then it counts. */
  admits(): Promise<boolean>;
}

/** The guard for one chunk from one peer. What a person approved is not counted again. */
export function makeGuard(trx: Transaction<unknown>, deps: GuardDeps, from: RecordSource): Guard {
  let left: number | undefined;
  return {
    async admits() {
      if (from.approved) return true;
      const { name } = from.route;
      const users = deps.catalog.requireTable('t_user').name;
      if (left === undefined) {
        await guardAlone(trx, name);
        left = await guardAllowance(trx, deps.guard, name, 'in', users, deps.nowMs());
      }
      if (left <= 0) return false;
      left -= 1;
      await noteGuarded(trx, name, 'in', 1, deps.nowMs());
      return true;
    },
  };
}

/** What is said of a held record. */
export function heldNote(from: RecordSource): Pick<Note, 'code' | 'message'> {
  const { name } = from.route;
  const message = `${name} removes or disables more accounts than the guard lets through; see "account-sync approve ${name}".`;
  return { code: 'GUARD_HELD', message };
}

/** True if somebody who can log in could no more: blocked, or as if never validated. */
function isDisabling({ user, take }: UserPlan): boolean {
  const status = take.get('status')?.values;
  if (user === undefined || status === undefined || !user.host.enabled || !user.host.active) return false;
  return status['b_enabled'] === '0' || status['b_active'] === '0';
}

/** Takes disablings beyond the guard out of the plans; the rest of each user goes on. */
export async function holdDisablings(guard: Guard, plans: readonly UserPlan[], from: RecordSource): Promise<void> {
  for (const plan of plans) {
    if (!isDisabling(plan) || (await guard.admits())) continue;
    plan.take.delete('status');
    plan.parked.push({ ...heldNote(from), register: 'status' });
  }
}
