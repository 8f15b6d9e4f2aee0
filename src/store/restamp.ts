/**
 * After the clock of this site was far ahead and was set right: what it stamped meanwhile is refused everywhere until that
 * time has come, which may be years. So it is stamped again, as of now, before it is sent.
 */
import type { Kysely } from 'kysely';
import type { OutboxWriter, Routes } from './ports.ts';
import { writeTombstones, readShadows, writeShadows, type StoredUser } from './shadows.ts';
import { inTransaction } from '../db/transaction.ts';
import { birthsOf, uniteBirths } from '../model/births.ts';
import { restampShadow, restamp } from '../model/clock-guard.ts';
import { routesFor } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import type { Tombstone } from '../model/tombstone.ts';

/** What it needs. */
export interface RestampDeps {
  readonly db: Kysely<unknown>;
  readonly origin: Origin;
  readonly nowMs: () => number;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly routes: Routes;
}

/**
 * Restamps users whose shadows hold such stamps; returns all as they are then. An entry for every peer is made: one whose
 * clock was ahead as well has accepted the stamps.
 */
export async function restampUsers(
  { db, origin, nowMs, outbox, routes }: RestampDeps,
  users: ReadonlyMap<number, StoredUser>,
): Promise<ReadonlyMap<number, StoredUser>> {
  const isAhead = ({ shadow }: StoredUser): boolean => restampShadow(shadow, nowMs(), origin) !== shadow;
  const ids = [...users.values()].filter(isAhead).map((user) => user.userId);
  if (ids.length === 0) return users;
  return await inTransaction(db, async (trx) => {
    const locked = await readShadows(trx, ids, { lock: true });
    const renewed = [...locked.values()].map((user): StoredUser => {
      const shadow = restampShadow(user.shadow, nowMs(), origin);
      // Peers may know it by the birth that it had.
      const births = uniteBirths(user.provenance.births, birthsOf(shadow.born, user.userId));
      return { ...user, shadow, provenance: { ...user.provenance, births } };
    });
    await writeShadows(trx, renewed);
    const peers = routesFor(routes(), 'all').map((route) => route.name);
    const told = renewed.filter((user) => user.uids.length > 0);
    const entries = told.flatMap(({ userId }) => peers.map((peer) => ({ peer, kind: 'user' as const, ref: userId })));
    await outbox.enqueue(trx, entries, nowMs());
    return new Map([...users, ...renewed.map((user) => [user.userId, user] as const)]);
  });
}

/** Likewise for removals. */
export async function restampTombstones(
  { db, origin, nowMs }: Omit<RestampDeps, 'outbox' | 'routes'>,
  tombstones: ReadonlyMap<number, Tombstone>,
): Promise<ReadonlyMap<number, Tombstone>> {
  const renewed = [...tombstones.values()].flatMap((tombstone) => {
    const stamp = restamp(tombstone.stamp, nowMs(), origin);
    return stamp === tombstone.stamp ? [] : [{ ...tombstone, stamp }];
  });
  if (renewed.length === 0) return tombstones;
  await inTransaction(db, async (trx) => {
    for (const tombstone of renewed) await writeTombstones(trx, { ...tombstone, nowMs: nowMs() });
  });
  return new Map([...tombstones, ...renewed.map((tombstone) => [tombstone.removalId, tombstone] as const)]);
}
