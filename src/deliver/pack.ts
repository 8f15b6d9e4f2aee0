/** What entries of an outbox stand for: the present values of each user, read now and not when the change was made. */
import type { Kysely } from 'kysely';
import type { ReadValidation, Routes } from '../store/ports.ts';
import { restampTombstones, restampUsers } from '../store/restamp.ts';
import { readShadows, readTombstones } from '../store/shadows.ts';
import type { Undrained } from '../store/undrained.ts';
import { registersOf } from '../model/guard.ts';
import type { Selection } from '../model/policy.ts';
import { toWireProvenance, type WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import { formatStamp, type Origin } from '../model/stamp.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { encodeUser, hasAddress } from '../osclass/records.ts';
import type { Zone } from '../osclass/timezone.ts';
import { enqueue, type DueEntry } from '../store/outbox.ts';

/** What packing needs. */
export interface PackDeps {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  readonly undrained: Undrained;
  readonly origin: Origin;
  readonly nowMs: () => number;
  /** All peers. */
  readonly routes: Routes;
  readonly validation: ReadValidation;
}

/** How a peer takes records. */
export interface PeerForm {
  /** Times as UTC if both sites state a zone. */
  readonly zone: Zone;
  /** The peer understands `row`: whether a register that is a row of its own exists. */
  readonly saysRows: boolean;
  /** The peer understands births and proofs. */
  readonly saysProofs: boolean;
  /** The peer knows accounts by nothing but their address. */
  readonly isByAddress: boolean;
}

/** An entry with what is to be sent. */
export interface Parcel {
  readonly entry: DueEntry;
  readonly record: WireRecord;
  readonly userId: number | null;
  readonly email: string | null;
}

/** What becomes of due entries before anything is sent. */
export interface Packed {
  readonly parcels: Parcel[];
  /** There is nothing to tell any more. */
  readonly moot: DueEntry[];
  /**
   * The account has an unread marker. What was to be sent may come back unchanged, and then the drain makes no entry, so
   * this one has to stay.
   */
  readonly early: DueEntry[];
}

/** Reads the users of entries as they are now. */
export async function pack(
  deps: PackDeps,
  route: PeerRoute,
  entries: readonly DueEntry[],
  { zone, saysRows, saysProofs }: Omit<PeerForm, 'isByAddress'>,
): Promise<Packed> {
  const { db, hosts, origin } = deps;
  const nowMs = deps.nowMs();
  const form = { saysRows, proving: saysProofs ? { origin, nowMs, validation: await deps.validation(db) } : undefined };
  const refs = (kind: DueEntry['kind']): number[] => entries.filter((e) => e.kind === kind).map((entry) => entry.ref);
  const users = await hosts.byId(db, refs('user'));
  const shadows = await restampUsers(
    { ...deps, outbox: { enqueue: (...call) => enqueue(call[0], call[1], call[2]) } },
    await readShadows(db, refs('user')),
  );
  const absent = refs('user').filter((userId) => shadows.has(userId) && !users.has(userId));
  const deleted = await deps.undrained.deleted(db, absent);
  const renumbered = await deps.undrained.changingHands(db, absent);
  const tombstones = await restampTombstones(deps, await readTombstones(db, refs('removal')));
  const packed: Packed = { parcels: [], moot: [], early: [] };
  for (const entry of entries) {
    if (entry.kind === 'removal') {
      const tombstone = tombstones.get(entry.ref);
      if (tombstone === undefined) {
        packed.moot.push(entry);
        continue;
      }
      const { uids, emailHash, stamp } = tombstone;
      const provenance = saysProofs ? toWireProvenance(tombstone, nowMs) : {};
      const removed = { uids: [...uids], emailHash, stamp: formatStamp(stamp) };
      const record: WireRecord = { kind: 'removal', ...removed, ...provenance };
      packed.parcels.push({ entry, record, userId: null, email: null });
      continue;
    }
    const user = users.get(entry.ref);
    const stored = shadows.get(entry.ref);
    if (stored === undefined || stored.uids.length === 0) packed.moot.push(entry);
    else if (user !== undefined && !hasAddress(user)) packed.moot.push(entry);
    else if (user === undefined)
      (deleted.has(entry.ref) || renumbered.has(entry.ref) ? packed.early : packed.moot).push(entry);
    else {
      const held = registersOf(entry.held);
      const sends: Selection = (register) => route.sends(register) && !held.has(register);
      const encoded = encodeUser(user, stored, sends, hosts, zone, form);
      if (encoded?.isWhole !== true) packed.early.push(entry);
      else packed.parcels.push({ entry, record: encoded.record, userId: user.id, email: user.email });
    }
  }
  return packed;
}
