/** Stands in for src/store/outbox-unproven.ts. */
import { memoryOf } from './database.ts';

export async function usersUntold(): Promise<number[]> {
  throw new Error('not here');
}

export async function wakeUntold(
  runner: unknown,

  peer: string,
  userIds: readonly number[],
  nowMs: number,
): Promise<void> {
  const memory = memoryOf(runner);
  for (const userId of userIds) {
    const key = `${peer} user ${userId}`;
    const row = memory.tables.outbox.get(key);
    if (row?.code !== 'EMAIL_UNPROVEN') continue;
    memory.step();
    memory.tables.outbox.set(key, { ...row, attempts: 0, dueAtMs: nowMs, code: null });
  }
}
