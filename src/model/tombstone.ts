/** Tombstones: what remains of removed users. Pure. */
import { compareStamps, type Stamp } from './stamp.ts';
import { uidToBytes, uniteUids, type Uid } from './uid.ts';

/** A removal as remembered. */
export interface Tombstone {
  readonly removalId: number;
  /** The first is the main one. */
  readonly uids: readonly Uid[];
  readonly stamp: Stamp;
  /** Hex of the keyed hash of the address; null if it was not known. */
  readonly emailHash: string | null;
}

/** One uid of a tombstone, and the removal it belongs to. */
export interface TombstoneRow {
  readonly uid: Uid;
  /** Main uid of the removed user. */
  readonly main: Uid;
  readonly removalId: number;
  readonly stamp: Stamp;
  readonly emailHash: string | null;
}

/** Removals put together from their rows; the latest stamp of each counts. */
export function gatherTombstones(tombstoneRows: readonly TombstoneRow[]): Map<number, Tombstone> {
  const found = new Map<number, Tombstone>();
  for (const { uid, main, removalId, stamp, emailHash } of tombstoneRows) {
    const seen = found.get(removalId);
    found.set(removalId, {
      removalId,
      uids: uniteUids(seen?.uids ?? [main], [uid]),
      stamp: seen === undefined || compareStamps(stamp, seen.stamp) > 0 ? stamp : seen.stamp,
      emailHash: seen?.emailHash ?? emailHash,
    });
  }
  return found;
}

/** The number of a removal, by its main uid. */
export function removalIdOf(main: Uid): number {
  return Number(uidToBytes(main).readBigUInt64BE(8) & 0x1f_ffff_ffff_ffffn);
}
