/** Whether the site validated addresses when its accounts were first looked at: it decides which of them count as proved. */
import type { Runner } from '../db/transaction.ts';
import { readState, writeState } from './state.ts';

/** What was noted; undefined: nobody looked yet. */
export async function readFirstSight(runner: Runner): Promise<boolean | undefined> {
  const noted = await readState(runner, 'validated_at_first_sight');
  return noted === undefined ? undefined : noted === 'yes';
}

/** Notes it, once for all. */
export async function noteFirstSight(runner: Runner, validates: boolean): Promise<void> {
  if ((await readFirstSight(runner)) !== undefined) return;
  await writeState(runner, 'validated_at_first_sight', validates ? 'yes' : 'no');
}
