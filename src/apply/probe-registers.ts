/**
 * Probe: asks the database which registers of a plan it refuses, where it refused the whole and nothing could be seen
 * beforehand: checks, limits of exotic types, triggers of the host. One bad value then costs its register, not the user.
 */
import { sql, type Transaction } from 'kysely';
import { isDuplicate } from '../db/failures.ts';
import { SyncError } from '../model/errors.ts';
import type { RegisterName } from '../model/register.ts';
import type { UserPlan } from './decide.ts';
import type { Note } from '../model/outcome.ts';
import { storeUsers, type StoreDeps } from './store-users.ts';

/**
 * Stores each register of the plans by itself and takes that back; those that are refused are parked. As slow as it
 * sounds: for single records that failed. Throws whatever does not concern values.
 */
export async function parkRefused(
  trx: Transaction<unknown>,
  deps: StoreDeps,
  plans: readonly UserPlan[],
): Promise<void> {
  for (const plan of plans) {
    for (const register of plan.take.keys()) {
      const note = await refusalOf(trx, deps, plan, register);
      if (note === undefined) continue;
      plan.take.delete(register);
      plan.parked.push(note);
    }
  }
}

/** `SAVEPOINT … ROLLBACK TO SAVEPOINT`: nothing stays. */
async function refusalOf(
  trx: Transaction<unknown>,
  deps: StoreDeps,
  plan: UserPlan,
  register: RegisterName,
): Promise<Note | undefined> {
  const take = new Map([...plan.take].filter(([name]) => name === register));
  await sql`SAVEPOINT account_sync_probe`.execute(trx);
  let refusal: SyncError | undefined;
  try {
    await storeUsers(trx, deps, [{ ...plan, take, notes: [], parked: [] }], []);
  } catch (error) {
    if (!(error instanceof SyncError) || error.code !== 'DB_ERROR') throw error;
    refusal = error;
  }
  await sql`ROLLBACK TO SAVEPOINT account_sync_probe`.execute(trx);
  if (refusal === undefined) return undefined;
  const isTaken = register === 's_email' && isDuplicate(refusal);
  return { code: isTaken ? 'EMAIL_TAKEN' : 'VALUE_UNSTORABLE', register, message: refusal.message };
}
