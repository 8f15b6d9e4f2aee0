/** Stands in for src/store/shadows.ts. Shadows are packed and unpacked as they are there. */
import { type StoredUser, type TombstoneWrite, FIRST_WAITING_ID } from '../../../src/store/shadows.ts';
import { decodeShadow, encodeShadow } from '../../../src/model/shadow.ts';
import { areOfStamp, birthsOf, formatBirths, parseBirths } from '../../../src/model/births.ts';
import { formatProof, parseProof } from '../../../src/model/proof.ts';
import { gatherTombstones, removalIdOf, type Tombstone, type TombstoneRow } from '../../../src/model/tombstone.ts';
import type { Uid } from '../../../src/model/uid.ts';
import { memoryOf } from './database.ts';

export { FIRST_WAITING_ID, requireUid } from '../../../src/store/shadows.ts';

export async function readShadows(
  runner: unknown,

  userIds: readonly number[],
  _options: { lock?: boolean | undefined } = {},
): Promise<Map<number, StoredUser>> {
  const { users } = memoryOf(runner).tables;
  const ids = [...new Set(userIds)].toSorted((a, b) => a - b);
  return new Map(ids.map((id) => users.get(id)).flatMap((user) => (user === undefined ? [] : [[user.userId, user]])));
}

export async function writeShadows(runner: unknown, users: readonly StoredUser[]): Promise<void> {
  if (users.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const { userId, uids, shadow, provenance } of users) {
    const { births, proof } = provenance;
    const kept = {
      ...provenance,
      births: areOfStamp(births, shadow.born) ? birthsOf(shadow.born) : parseBirths(formatBirths(births)),
      proof: proof === undefined ? undefined : parseProof(formatProof(proof)),
    };
    memory.tables.users.set(userId, { userId, uids, shadow: decodeShadow(encodeShadow(shadow)), provenance: kept });
  }
}

export async function addShadows(runner: unknown, users: readonly StoredUser[]): Promise<void> {
  const known = memoryOf(runner).tables.users;
  await writeShadows(
    runner,
    users.filter((user) => !known.has(user.userId)),
  );
}

export async function bindUids(
  runner: unknown,

  bindings: readonly { readonly uid: Uid; readonly userId: number }[],
): Promise<void> {
  if (bindings.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const { uid, userId } of bindings) memory.tables.uids.set(uid, userId);
}

export async function unbindUids(runner: unknown, userId: number): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  for (const [uid, named] of memory.tables.uids) if (named === userId) memory.tables.uids.delete(uid);
}

export async function usersByUid(runner: unknown, uids: readonly Uid[]): Promise<Map<Uid, number>> {
  const { uids: table } = memoryOf(runner).tables;
  return new Map(
    uids.flatMap((uid) => {
      const userId = table.get(uid);
      return userId === undefined ? [] : [[uid, userId] as const];
    }),
  );
}

export async function tombstonesByUid(
  runner: unknown,

  uids: readonly Uid[],
): Promise<Map<Uid, TombstoneRow>> {
  const { tombstoneRows } = memoryOf(runner).tables;
  return new Map(
    uids.flatMap((uid) => {
      const tombstoneRow = tombstoneRows.get(uid);
      return tombstoneRow === undefined ? [] : [[uid, tombstoneRow] as const];
    }),
  );
}

export async function readTombstones(
  runner: unknown,

  removalIds: readonly number[],
): Promise<Map<number, Tombstone>> {
  const tombstoneRows = [...memoryOf(runner).tables.tombstoneRows.values()];
  return gatherTombstones(tombstoneRows.filter((tombstoneRow) => removalIds.includes(tombstoneRow.removalId)));
}

export async function writeTombstones(
  runner: unknown,

  { uids, stamp, emailHash, births, heldUntilMs }: TombstoneWrite,
): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  const main = uids[0] as Uid;
  const removalId = removalIdOf(main);
  for (const uid of uids) {
    const tombstoneRow = memory.tables.tombstoneRows.get(uid) ?? { uid, main, removalId, emailHash };
    memory.tables.tombstoneRows.set(uid, { ...tombstoneRow, stamp, births, heldUntilMs });
  }
}

export async function forgetUsers(runner: unknown, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0) return;
  const memory = memoryOf(runner);
  memory.step();
  for (const userId of userIds) {
    for (const uid of memory.tables.users.get(userId)?.uids ?? []) {
      if (memory.tables.uids.get(uid) === userId) memory.tables.uids.delete(uid);
    }
    memory.tables.users.delete(userId);
  }
}

export async function expireTombstones(): Promise<number> {
  return 0;
}

export async function renumberShadows(runner: unknown, moves: ReadonlyMap<number, number>): Promise<void> {
  if (moves.size === 0) return;
  const memory = memoryOf(runner);
  const stored = await readShadows(runner, [...moves.keys()]);
  const named = [...memory.tables.uids].filter(([, userId]) => moves.has(userId));
  memory.step();
  for (const userId of stored.keys()) memory.tables.users.delete(userId);
  const toNew = (userId: number): number => moves.get(userId) ?? userId;
  await writeShadows(
    runner,
    [...stored.values()].map((user) => ({ ...user, userId: toNew(user.userId) })),
  );
  await bindUids(
    runner,
    named.map(([uid, userId]) => ({ uid, userId: toNew(userId) })),
  );
}

export async function waitingUsers(runner: unknown, limit: number): Promise<number[]> {
  const ids = [...memoryOf(runner).tables.users.keys()].filter((userId) => userId >= FIRST_WAITING_ID);
  return ids.toSorted((a, b) => a - b).slice(0, limit);
}

export async function lastWaitingId(runner: unknown): Promise<number | undefined> {
  return (await waitingUsers(runner, Infinity)).at(-1);
}

export async function countUsers(): Promise<{ total: number; known: number }> {
  throw new Error('no history asks how far a scan is');
}

export async function shadowIdsAfter(): Promise<number[]> {
  throw new Error('no history plays scan mode');
}

export async function lastShadowId(): Promise<number> {
  throw new Error('no history plays scan mode');
}

export async function removalIdsAfter(): Promise<number[]> {
  throw new Error('no history asks which accounts were removed');
}
