/** Stands in for src/store/markers.ts. */
import type { Marker } from '../../../src/store/markers.ts';
import { memoryOf } from './database.ts';

export async function readMarkers(runner: unknown, limit: number): Promise<Marker[]> {
  const memory = memoryOf(runner);
  memory.step();
  return [...memory.tables.queue.values()].slice(0, limit);
}

export async function readMarkersOf(runner: unknown, userIds: readonly number[]): Promise<Marker[]> {
  return [...memoryOf(runner).tables.queue.values()].filter(({ userId }) => userIds.includes(userId));
}

export async function deleteMarkers(runner: unknown, markers: readonly Marker[]): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  for (const { seq } of markers) memory.tables.queue.delete(seq);
}

export async function markerTimes(
  runner: unknown,

  userIds: readonly number[],
): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  for (const { userId, atMs } of memoryOf(runner).tables.queue.values()) {
    if (userIds.includes(userId)) times.set(userId, Math.max(times.get(userId) ?? 0, atMs));
  }
  return times;
}

export async function usersMarked(
  runner: unknown,

  op: Marker['op'],
  userIds: readonly number[],
): Promise<Set<number>> {
  const markers = [...memoryOf(runner).tables.queue.values()].filter((marker) => marker.op === op);
  return new Set(markers.map((marker) => marker.userId).filter((userId) => userIds.includes(userId)));
}

export async function idsChangingHands(
  runner: unknown,

  userIds: readonly number[],
  except: ReadonlySet<string> = new Set(),
): Promise<Set<number>> {
  const pending = [...memoryOf(runner).tables.queue.values()].filter(
    ({ seq, op, userId, oldUserId }) => op === 'U' && oldUserId !== null && oldUserId !== userId && !except.has(seq),
  );
  const touched = new Set(pending.flatMap(({ userId, oldUserId }) => [userId, oldUserId]));
  return new Set(userIds.filter((userId) => touched.has(userId)));
}

export async function usersMailedElsewhere(runner: unknown, userIds: readonly number[]): Promise<Set<number>> {
  const markers = [...memoryOf(runner).tables.queue.values()].filter(
    ({ op, oldEmail }) => op === 'E' || (op === 'U' && oldEmail !== null),
  );
  return new Set(markers.map((marker) => marker.userId).filter((userId) => userIds.includes(userId)));
}
