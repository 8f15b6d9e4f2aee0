/** Stands in for src/store/parked.ts. */
import type { HeldCount } from '../../../src/store/outbox.ts';
import type { ParkedUse, ParkedRecord, ParkedRow } from '../../../src/store/parked.ts';
import type { ParkedRef } from '../../../src/model/outcome.ts';
import type { Uid } from '../../../src/model/uid.ts';
import { memoryOf } from './database.ts';

export async function parkRecords(
  runner: unknown,

  records: readonly ParkedRecord[],
  nowMs: number,
): Promise<void> {
  const memory = memoryOf(runner);
  const { parked, uids } = memory.tables;
  for (const one of records) {
    if (one.isStranger !== true || one.userId === null) continue;
    memory.step();
    for (const [key, { peer, uid, userId, code }] of parked) {
      const isSame = peer === one.peer && userId === one.userId && code === 'EMAIL_UNPROVEN';
      if (isSame && uid !== one.uid && uids.get(uid) !== userId) parked.delete(key);
    }
  }
  for (const { peer, uid, userId, code, record } of records) {
    memory.step();
    const before = memory.tables.parked.get(`${peer} ${uid}`);
    const { id, createdAtMs } = before ?? { id: memory.next(), createdAtMs: nowMs };
    const row = { id, peer, uid, userId, code, record, createdAtMs, triedAtMs: nowMs };
    memory.tables.parked.set(`${peer} ${uid}`, { ...row, attempts: (before?.attempts ?? 0) + 1 });
  }
}

export async function parkAgain(
  runner: unknown,

  { id, attempts }: ParkedRef,
  { userId, code }: Pick<ParkedRecord, 'userId' | 'code'>,
  nowMs: number,
): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  for (const [key, row] of memory.tables.parked) {
    if (row.id !== id || row.attempts !== attempts) continue;
    memory.tables.parked.set(key, { ...row, userId, code, attempts: attempts + 1, triedAtMs: nowMs });
  }
}

export async function unparkRow(runner: unknown, { id, attempts }: ParkedRef): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  for (const [key, row] of memory.tables.parked) {
    if (row.id === id && row.attempts === attempts) memory.tables.parked.delete(key);
  }
}

export async function unparkRecords(
  runner: unknown,

  peer: string,
  uids: readonly Uid[],
): Promise<void> {
  if (uids.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const uid of uids) memory.tables.parked.delete(`${peer} ${uid}`);
}

export async function unparkRemoved(runner: unknown, uids: readonly Uid[]): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  for (const [key, row] of memory.tables.parked) if (uids.includes(row.uid)) memory.tables.parked.delete(key);
}

export async function unparkForgotten(runner: unknown, of: string): Promise<void> {
  const memory = memoryOf(runner);
  const { parked, uids } = memory.tables;
  for (const [key, { peer, uid, code, record }] of parked) {
    const isForAddress = code === 'EMAIL_TAKEN' || code === 'EMAIL_UNPROVEN';
    if (peer === of && isForAddress && record.kind === 'user' && !uids.has(uid)) parked.delete(key);
  }
}

export async function readParked(
  runner: unknown,

  filter:
    { readonly ids: readonly number[] } | { readonly nowMs: number; readonly everyMs: number; readonly limit: number },
): Promise<ParkedRow[]> {
  const rows = [...memoryOf(runner).tables.parked.values()];
  if ('ids' in filter) return rows.filter((row) => filter.ids.includes(row.id));
  return rows
    .filter(({ triedAtMs }) => triedAtMs <= filter.nowMs - filter.everyMs || triedAtMs > filter.nowMs)
    .toSorted((a, b) => a.triedAtMs - b.triedAtMs || a.id - b.id)
    .slice(0, filter.limit);
}

export async function usersContested(
  runner: unknown,

  userIds: readonly number[],
): Promise<Set<number>> {
  const rows = [...memoryOf(runner).tables.parked.values()].filter((row) => row.code === 'EMAIL_TAKEN');
  return new Set(rows.flatMap((row) => (row.userId !== null && userIds.includes(row.userId) ? [row.userId] : [])));
}

export async function addressesUnproven(
  runner: unknown,
  peer: string,
  userIds: readonly number[],
): Promise<{ userId: number; email: string }[]> {
  const { parked, uids } = memoryOf(runner).tables;
  return [...parked.values()].flatMap(({ uid, userId, code, record, peer: of }) => {
    if (of !== peer || code !== 'EMAIL_UNPROVEN' || record.kind !== 'user') return [];
    return userId !== null && userIds.includes(userId) && uids.get(uid) === userId
      ? [{ userId, email: record.email }]
      : [];
  });
}

export async function usersUnproven(runner: unknown, peer: string, userIds: readonly number[]): Promise<Set<number>> {
  const rows = [...memoryOf(runner).tables.parked.values()].filter(
    (row) => row.code === 'EMAIL_UNPROVEN' && row.peer === peer,
  );
  return new Set(rows.flatMap((row) => (row.userId !== null && userIds.includes(row.userId) ? [row.userId] : [])));
}

export async function waitingByUid(runner: unknown, peer: string, uids: readonly Uid[]): Promise<Map<Uid, ParkedRow>> {
  const { parked } = memoryOf(runner).tables;
  return new Map(
    uids.flatMap((uid) => {
      const row = parked.get(`${peer} ${uid}`);
      return row === undefined ? [] : [[uid, row] as const];
    }),
  );
}

export async function wakeParked(runner: unknown, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const [key, row] of memory.tables.parked) {
    const wakes = row.code === 'EMAIL_TAKEN' || (row.userId !== null && userIds.includes(row.userId));
    if (wakes) memory.tables.parked.set(key, { ...row, triedAtMs: 0 });
  }
}

export async function renumberParked(
  runner: unknown,

  moves: ReadonlyMap<number, number>,
): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  for (const [key, row] of memory.tables.parked) {
    const userId = row.userId === null ? undefined : moves.get(row.userId);
    if (userId !== undefined) memory.tables.parked.set(key, { ...row, userId });
  }
}

export async function touchParked(
  runner: unknown,

  ids: readonly number[],
  nowMs: number,
): Promise<void> {
  if (ids.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const [key, row] of memory.tables.parked) {
    if (ids.includes(row.id)) memory.tables.parked.set(key, { ...row, triedAtMs: nowMs });
  }
}

export async function parkedIdsOf(runner: unknown, peer: string, uid: Uid): Promise<number[]> {
  const row = memoryOf(runner).tables.parked.get(`${peer} ${uid}`);
  return row === undefined ? [] : [row.id];
}

export async function dropParked(runner: unknown, parkedId: number): Promise<boolean> {
  const memory = memoryOf(runner);
  memory.step();
  const found = [...memory.tables.parked].find(([, row]) => row.id === parkedId);
  return found !== undefined && memory.tables.parked.delete(found[0]);
}

export async function wakeParkedFor(): Promise<void> {
  throw new Error('not here');
}

export async function heldOf(): Promise<number[]> {
  return [];
}

export async function heldByUid(): Promise<Map<Uid, number>> {
  return new Map();
}

export async function countHeldOf(): Promise<HeldCount[]> {
  return [];
}

export async function parkedUse(): Promise<ParkedUse> {
  const none = { rows: 0, bytes: 0 };
  return { others: none, unproven: none, known: new Map() };
}
