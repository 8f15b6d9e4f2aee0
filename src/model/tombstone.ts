/** Tombstones: what remains of removed users. Pure. */
import { createHmac } from 'node:crypto';
import { concerns, hasGivenWay, uniteBirths, type Births } from './births.ts';
import { compareStamps, type Stamp } from './stamp.ts';
import { canonicalEmail, uidToBytes, uniteUids, type Uid } from './uid.ts';

/** When, and which account. */
export interface Removal {
  readonly stamp: Stamp;
  /** Those of the removed account; undefined: a peer of a version before them told of it. */
  readonly births: Births | undefined;
  /** Hex of the keyed hash of the address; null if it was not known. */
  readonly emailHash: string | null;
}

/** A removal as remembered. */
export interface Tombstone extends Removal {
  readonly removalId: number;
  /** The first is the main one. */
  readonly uids: readonly Uid[];
  /** Until then it waits at the peers; see {@link Provenance}. */
  readonly heldUntilMs: number | undefined;
}

/** One uid of a tombstone, and the removal it belongs to. */
export interface TombstoneRow extends Omit<Tombstone, 'uids'> {
  readonly uid: Uid;
  /** Main uid of the removed user. */
  readonly main: Uid;
}

/** Removals put together from their rows; the latest stamp of each counts. */
export function gatherTombstones(tombstoneRows: readonly TombstoneRow[]): Map<number, Tombstone> {
  const found = new Map<number, Tombstone>();
  for (const { uid, main, ...row } of tombstoneRows) {
    const seen = found.get(row.removalId);
    const latest = seen === undefined || compareStamps(row.stamp, seen.stamp) > 0 ? row : seen;
    found.set(row.removalId, {
      removalId: row.removalId,
      uids: uniteUids(seen?.uids ?? [main], [uid]),
      stamp: latest.stamp,
      emailHash: seen?.emailHash ?? row.emailHash,
      births: birthsOfBoth(seen?.births, row.births),
      heldUntilMs: latest.heldUntilMs,
    });
  }
  return found;
}

/** The keyed hash under which the address of a removed user is kept. */
export function hashRemovedEmail(main: Uid, email: string): string {
  return createHmac('sha256', uidToBytes(main)).update(canonicalEmail(email)).digest('hex');
}

/**
 * True if the removed account has met this one, or if nobody can say. Who gave way to the removed account, and has another address
 * than that, is not it: he left before he heard of it.
 *
 * @param main the first uid of the removal
 */
export function isAbout(
  { births, emailHash }: Removal,
  main: Uid,
  account: { readonly births: Births; readonly email: string },
): boolean {
  if (births === undefined) return true;
  const hasLeft = emailHash !== null && emailHash !== hashRemovedEmail(main, account.email);
  return concerns(births, account.births) && !(hasLeft && hasGivenWay(account.births, births));
}

/** Of what is removed together. */
export function birthsOfBoth(one: Births, other: Births | undefined): Births;
/** Likewise; undefined: they are known of neither. */
export function birthsOfBoth(one: Births | undefined, other: Births | undefined): Births | undefined;
/** Likewise. */
export function birthsOfBoth(one: Births | undefined, other: Births | undefined): Births | undefined {
  return one === undefined || other === undefined ? (one ?? other) : uniteBirths(one, other);
}

/** The number of a removal, by its main uid. */
export function removalIdOf(main: Uid): number {
  return Number(uidToBytes(main).readBigUInt64BE(8) & 0x1f_ffff_ffff_ffffn);
}
