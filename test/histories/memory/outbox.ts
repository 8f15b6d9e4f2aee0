/** Stands in for src/store/outbox.ts. */
import type { ErrorCode } from '../../../src/model/errors.ts';
import type { OutboxEntry } from '../../../src/model/route.ts';
import type { DueEntry, EntryName, GuardDecision, HeldCount, Postponed } from '../../../src/store/outbox.ts';
import { memoryOf } from './database.ts';

export async function enqueue(
  runner: unknown,

  entries: readonly OutboxEntry[],
  nowMs: number,
): Promise<void> {
  if (entries.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const { peer, kind, ref, changes = 0 } of entries) {
    const key = `${peer} ${kind} ${ref}`;
    const before = memory.tables.outbox.get(key);
    const generation = (before?.generation ?? 0) + 1;
    memory.tables.outbox.set(key, {
      peer,
      kind,
      ref,
      generation,
      attempts: 0,
      changedAt: '',
      dueAtMs: nowMs,
      changes: (before?.changes ?? 0) | changes,
      passed: before?.passed ?? 0,
      held: 0,
      code: null,
    });
  }
}

export async function dueEntries(
  runner: unknown,

  peer: string,
  nowMs: number,
  limit: number,
): Promise<DueEntry[]> {
  const isDue = (dueAtMs: number): boolean => dueAtMs <= nowMs || dueAtMs > nowMs + 10 * 60_000;
  const rows = [...memoryOf(runner).tables.outbox.values()].filter(
    (row) => row.peer === peer && row.code !== 'EMAIL_UNPROVEN' && isDue(row.dueAtMs),
  );
  return rows.toSorted((a, b) => a.dueAtMs - b.dueAtMs || a.ref - b.ref).slice(0, limit);
}

export async function confirm(
  runner: unknown,

  peer: string,
  entries: readonly DueEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const { kind, ref, generation } of entries) {
    const key = `${peer} ${kind} ${ref}`;
    if (memory.tables.outbox.get(key)?.generation === generation) memory.tables.outbox.delete(key);
  }
}

export async function postpone(
  runner: unknown,

  peer: string,
  entries: readonly Postponed[],
): Promise<void> {
  const memory = memoryOf(runner);
  for (const { kind, ref, generation, dueAtMs, code } of entries) {
    memory.step();
    const key = `${peer} ${kind} ${ref}`;
    const row = memory.tables.outbox.get(key);
    if (row?.generation !== generation) continue;
    memory.tables.outbox.set(key, { ...row, attempts: row.attempts + 1, dueAtMs, code });
  }
}

export async function usersWaiting(
  runner: unknown,

  peers: readonly string[],
  userIds: readonly number[],
): Promise<Set<number>> {
  const rows = [...memoryOf(runner).tables.outbox.values()].filter((row) => row.kind === 'user');
  return new Set(rows.filter((row) => peers.includes(row.peer) && userIds.includes(row.ref)).map((row) => row.ref));
}

export async function dropUsers(
  runner: unknown,

  peers: readonly string[],
  userIds: readonly number[],
): Promise<void> {
  if (userIds.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const peer of peers) for (const userId of userIds) memory.tables.outbox.delete(`${peer} user ${userId}`);
}

export async function renumberEntries(
  runner: unknown,

  moves: ReadonlyMap<number, number>,
): Promise<void> {
  const memory = memoryOf(runner);
  const rows = [...memory.tables.outbox].filter(([, row]) => row.kind === 'user' && moves.has(row.ref));
  if (rows.length === 0) return;
  memory.step();
  for (const [key] of rows) memory.tables.outbox.delete(key);
  const generation = Math.max(...rows.map(([, row]) => row.generation)) + 1;
  memory.step();
  for (const [, row] of rows) {
    const ref = moves.get(row.ref) ?? row.ref;
    memory.tables.outbox.set(`${row.peer} user ${ref}`, { ...row, ref, generation });
  }
}

/** Nothing else may come to wait for a person. */
export async function park(
  runner: unknown,

  peer: string,
  entry: DueEntry,
  { code }: { readonly code: ErrorCode },
): Promise<void> {
  const { outbox } = memoryOf(runner).tables;
  const key = `${peer} ${entry.kind} ${entry.ref}`;
  const row = outbox.get(key);
  if (code === 'EMAIL_UNPROVEN') {
    memoryOf(runner).step();
    if (row?.generation === entry.generation) outbox.set(key, { ...row, code });
    return;
  }
  throw new Error(`an entry for ${peer} was parked: ${entry.kind} ${entry.ref}`);
}

export async function peersWithDue(): Promise<string[]> {
  throw new Error('not here');
}

export async function retryEntry(_runner: unknown, _entry: EntryName): Promise<boolean> {
  throw new Error('not here');
}

export async function dropEntry(_runner: unknown, _entry: EntryName): Promise<boolean> {
  throw new Error('not here');
}

export async function releaseHeld(): Promise<number> {
  throw new Error('not here');
}

export async function countWaiting(runner: unknown): Promise<number> {
  return memoryOf(runner).tables.outbox.size;
}

export async function noteDecided(
  runner: unknown,
  peer: string,
  entries: readonly DueEntry[],
  { passed, held }: GuardDecision,
): Promise<void> {
  if (held !== 0) throw new Error(`an entry for ${peer} is held`);
  const memory = memoryOf(runner);
  memory.step();
  for (const { kind, ref, generation } of entries) {
    const key = `${peer} ${kind} ${ref}`;
    const row = memory.tables.outbox.get(key);
    if (row?.generation === generation) memory.tables.outbox.set(key, { ...row, passed: row.passed | passed });
  }
}

export async function undecidedRemovals(): Promise<number> {
  return 0;
}

export async function countHeld(): Promise<HeldCount[]> {
  throw new Error('not here');
}
