/** Stands in for src/store/guard-events.ts: a site of any number of users, where nothing was let through yet. */
import type { GuardUse } from '../../../src/store/guard-events.ts';

export async function guardUse(): Promise<GuardUse> {
  return { byPeer: 0, byAll: 0, accounts: 0 };
}

export async function countUsersUpTo(_runner: unknown, _table: unknown, most: number): Promise<number> {
  return most;
}

export async function takeGuardTurn(): Promise<void> {}

export async function createdLately(): Promise<Set<number>> {
  return new Set();
}

export async function noteGuarded(): Promise<void> {}

export async function forgetGuarded(): Promise<void> {}
