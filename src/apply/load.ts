/**
 * What this site knows of the users a chunk of records is about: shadows and host rows, locked in that order,
 * with local changes absorbed that no drain has seen yet.
 */
import type { Kysely, Transaction } from 'kysely';
import { markerTimes, usersMailedElsewhere } from '../store/markers.ts';
import type { TombstoneRow } from '../model/tombstone.ts';
import { readShadows, tombstonesByUid, usersByUid, type StoredUser } from '../store/shadows.ts';
import type { ReadValidation } from '../store/ports.ts';
import type { Undrained } from '../store/undrained.ts';
import { chooseUids, usedUidsOf } from '../store/uid-assignment.ts';
import { absorb, hasOtherAddress, isOtherAccount, type Absorbed } from '../model/absorb.ts';
import { changesOf, type Changes } from '../model/guard.ts';
import type { Candidate } from '../model/identity.ts';
import {
  foundProvenance,
  isCodeNew,
  presentProof,
  provenanceAfter,
  type Proof,
  type Provenance,
} from '../model/proof.ts';
import type { RegisterName } from '../model/register.ts';
import type { Shadow } from '../model/shadow.ts';
import type { Origin, Stamp } from '../model/stamp.ts';
import { canonicalEmail, makeNextUid, type NextUid, type Uid } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import { addressesUnproven, usersContested } from '../store/parked.ts';

/** What loading needs. */
export interface LoadDeps {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  readonly origin: Origin;
  readonly nowMs: () => number;
  readonly randomUid: () => Uid;
  /** Shadow of a user that was there before any marker told of it. */
  readonly adopt: (user: HostUser) => Shadow;
  /** A date of registration as stored here, in milliseconds; undefined for what is no time. */
  readonly registeredMs: (local: string) => number | undefined;
  readonly usersWaiting: (trx: Transaction<unknown>, userIds: readonly number[]) => Promise<Set<number>>;
  readonly undrained: Undrained;
  readonly validation: ReadValidation;
}

/** An account of this site. */
export interface LocalUser extends Candidate {
  readonly host: HostUser;
  readonly shadow: Shadow;
  readonly provenance: Provenance;
  /** Who proved its address; null: nobody. */
  readonly proof: Proof | null;
  /** Changed here since the last drain; stamped now, so peers have to be told. */
  readonly absorbed: readonly RegisterName[];
  /** What of that the guard counts towards the peers. */
  readonly absorbedChanges: Changes;
  /** It had no shadow until now. */
  readonly adopted: boolean;
}

/** Everything a chunk may touch. */
export interface Loaded {
  /** The uids that were looked for. */
  readonly asked: ReadonlySet<Uid>;
  /** Those of them that name a user, or are reserved for one. */
  readonly named: ReadonlyMap<Uid, number>;
  readonly users: ReadonlyMap<number, LocalUser>;
  /** The account each uid names; reservations are not in it. */
  readonly byUid: ReadonlyMap<Uid, LocalUser>;
  /** The account that holds each address, as the collation compares. */
  readonly byEmail: ReadonlyMap<string, LocalUser>;
  readonly tombstones: ReadonlyMap<Uid, TombstoneRow>;
  /** Accounts deleted here, or given another id, whose marker waits for the drain. */
  readonly beingDeleted: ReadonlyMap<Uid, number>;
  /** Accounts that went without being deleted, by the uids they had: what is remembered of them is for those that return. */
  readonly vanished: ReadonlyMap<Uid, number>;
  /**
   * Accounts registered here whose marker waits for the drain: only that sees whether they are new, or one that was
   * deleted and inserted again, or took the id of one that went. Until then they have no uid.
   */
  readonly unadopted: ReadonlySet<number>;
  /** Those found by address only that should have another by now, which is another account's. */
  readonly contested: ReadonlySet<number>;
  /** Those found by address only that have another at the peer, where that waits: whoever has the address there is another. */
  readonly leaving: ReadonlySet<number>;
  /** The uid of an account that cannot keep those it had. */
  readonly nextUid: NextUid;
}

/** What a record leads to accounts by; a removal has no address. */
interface Lead {
  readonly uids: readonly Uid[];
  readonly email?: string;
}

/** Reads and locks all accounts that the uids and addresses of a chunk lead to. `peer`: who sent it, if that matters. */
export async function loadChunk(
  trx: Transaction<unknown>,
  deps: LoadDeps,
  leads: readonly Lead[],
  peer?: string,
): Promise<Loaded> {
  const { hosts } = deps;
  const uids = [...new Set(leads.flatMap((lead) => lead.uids))];
  const emails = [...new Set(leads.flatMap(({ email }) => (email === undefined ? [] : [email])))];
  const named = await usersByUid(trx, uids);
  const holders = await hosts.holdersOf(trx, emails);
  const ids = [...new Set([...named.values(), ...[...holders.values()].map((holder) => holder.id)])].toSorted(
    (a, b) => a - b,
  );
  const stored = await readShadows(trx, ids, { lock: true });
  const rows = await hosts.byId(trx, ids, { lock: true });
  const renumbered = await deps.undrained.changingHands(trx, mismatchedIds(ids, stored, rows));
  const others = new Set([
    ...[...stored.values()].filter((user) => isOther(user, rows)).map((user) => user.userId),
    ...renumbered,
  ]);
  const tombstones = await tombstonesByUid(trx, uids);

  const remembered = new Map([...stored].filter(([userId]) => !others.has(userId)));
  const users = await lookAt(trx, deps, remembered, rows, others);
  const byUid = new Map<Uid, LocalUser>();
  for (const user of users.values()) for (const uid of user.uids) byUid.set(uid, user);
  const byEmail = new Map<string, LocalUser>();
  for (const [email, holder] of holders) {
    const user = users.get(holder.id);
    // The host may have changed the address between the two reads; then nobody we know holds it.
    if (user !== undefined && (user.email === holder.email || canonicalEmail(user.email) === canonicalEmail(email))) {
      byEmail.set(email, user);
    }
  }

  const rowless = [...stored.values()].filter(({ userId }) => !rows.has(userId) || others.has(userId));
  const deleted = await deps.undrained.deleted(
    trx,
    rowless.map((user) => user.userId),
    others,
  );
  const beingDeleted = new Map(
    rowless
      .filter((u) => deleted.has(u.userId) || renumbered.has(u.userId))
      .flatMap((u) => u.uids.map((uid) => [uid, u.userId] as const)),
  );
  const lost = rowless.filter(({ userId }) => !deleted.has(userId) && !others.has(userId));
  const vanished = new Map(lost.flatMap((u) => u.uids.map((uid) => [uid, u.userId] as const)));
  const unadopted = new Set(
    [...users.values()]
      .filter(({ userId, uids: owned }) => owned.length === 0 && !remembered.has(userId))
      .map((user) => user.userId),
  );
  const used = await usedUidsOf(
    trx,
    leads.flatMap((lead) => doubtfulAddresses(lead, byUid, tombstones)),
  );
  // Uids of the chunk may be about to be somebody's; one of a record with the same address is about the same person.
  const isOthers = (uid: Uid, email: string): boolean =>
    uids.includes(uid) && leads.some((lead) => lead.uids.includes(uid) && !isSameAddress(lead.email, email));
  const nextUid = makeNextUid((uid, email) => used.has(uid) || isOthers(uid, email), deps.randomUid);
  const byAddressOnly = leads.flatMap(({ uids: claimed, email }) => {
    const holder = email === undefined ? undefined : byEmail.get(email);
    return holder === undefined || claimed.some((uid) => holder.uids.includes(uid)) ? [] : [holder.userId];
  });
  const contested = await usersContested(trx, byAddressOnly);
  const waiting = peer === undefined ? [] : await addressesUnproven(trx, peer, byAddressOnly);
  const leaving = new Set(
    waiting.flatMap(({ userId, email }) => (isSameAddress(users.get(userId)?.email, email) ? [] : [userId])),
  );
  const asked = new Set(uids);
  const found = { asked, named, users, byUid, byEmail, tombstones, beingDeleted, vanished };
  return { ...found, unadopted, contested, leaving, nextUid };
}

function isSameAddress(one: string | undefined, other: string): boolean {
  return one !== undefined && canonicalEmail(one) === canonicalEmail(other);
}

/** Addresses of accounts that may have to go on under another uid: few records lead to such. */
function doubtfulAddresses(
  { uids, email }: Lead,
  byUid: ReadonlyMap<Uid, LocalUser>,
  tombstones: Loaded['tombstones'],
): string[] {
  const named = uids.map((uid) => byUid.get(uid)?.email).filter((address) => address !== undefined);
  if (email === undefined) return named;
  const isSure = named.every((address) => canonicalEmail(address) === canonicalEmail(email));
  return isSure && !uids.some((uid) => tombstones.has(uid)) ? [] : [email, ...named];
}

/** Ids whose row and shadow do not go together: a marker that was not read yet may tell why. */
function mismatchedIds(
  ids: readonly number[],
  stored: ReadonlyMap<number, StoredUser>,
  rows: ReadonlyMap<number, HostUser>,
): number[] {
  return ids.filter((userId) => {
    const shadow = stored.get(userId)?.shadow;
    const row = rows.get(userId);
    return shadow === undefined || row === undefined || hasOtherAddress(shadow, row.registers);
  });
}

/** True if the row is another account than the one remembered under its id. */
function isOther({ userId, shadow }: StoredUser, rows: ReadonlyMap<number, HostUser>): boolean {
  const row = rows.get(userId);
  return row !== undefined && isOtherAccount(shadow, row.registers);
}

/** What differs from what is remembered, as far as no times are needed to tell. */
function looksAt(
  stored: ReadonlyMap<number, StoredUser>,
  rows: ReadonlyMap<number, HostUser>,
  { origin, hosts }: LoadDeps,
): Map<number, Absorbed> {
  const looks = new Map<number, Absorbed>();
  for (const { userId, shadow } of stored.values()) {
    const host = rows.get(userId);
    if (host !== undefined) looks.set(userId, absorb(shadow, host.registers, 0, origin, false, hosts.describes));
  }
  return looks;
}

/** When the account got the address that it has. */
function sinceOf({ registers }: Shadow): Stamp | undefined {
  return registers.get('s_email')?.stamp;
}

/** The users of whom a code for a new password was made or used since they were last looked at. */
function withNewCode(stored: ReadonlyMap<number, StoredUser>, rows: ReadonlyMap<number, HostUser>): number[] {
  return [...stored.values()].flatMap(({ userId, provenance }) => {
    const host = rows.get(userId);
    return host !== undefined && isCodeNew(provenance, host) ? [userId] : [];
  });
}

async function lookAt(
  trx: Transaction<unknown>,
  deps: LoadDeps,
  stored: ReadonlyMap<number, StoredUser>,
  rows: ReadonlyMap<number, HostUser>,
  others: ReadonlySet<number>,
): Promise<Map<number, LocalUser>> {
  const { origin, nowMs, hosts } = deps;
  const strangers = [...rows.values()].filter((host) => !stored.has(host.id));
  const strangerIds = strangers.map((host) => host.id);
  const unadopted = new Set([...others, ...(await deps.undrained.registered(trx, strangerIds))]);
  const chosen = await chooseUids(
    trx,
    strangers.filter((host) => !unadopted.has(host.id)).map((host) => ({ userId: host.id, email: host.email })),
    deps.randomUid,
  );
  const looks = looksAt(stored, rows, deps);
  const differingIds = [...looks].flatMap(([userId, { changed }]) => (changed.length > 0 ? [userId] : []));
  const validation = await deps.validation(trx);
  const marks = await markerTimes(trx, differingIds);
  const mailedElsewhere = await usersMailedElsewhere(trx, withNewCode(stored, rows));
  const waiting = await deps.usersWaiting(trx, differingIds);

  const users = new Map<number, LocalUser>();
  for (const host of rows.values()) {
    const before = stored.get(host.id);
    const registeredMs = host.regDate === null ? undefined : deps.registeredMs(host.regDate);
    const common = { userId: host.id, email: host.email, host, registeredMs };
    const provenOf = (shadow: Shadow, provenance: Provenance): Pick<LocalUser, 'provenance' | 'births' | 'proof'> => {
      const proof = presentProof(provenance, host, shadow, origin, validation);
      return { provenance, births: provenance.births, proof };
    };
    if (before === undefined) {
      const shadow = deps.adopt(host);
      const uid = chosen.get(host.id);
      const uids = uid === undefined ? [] : [uid];
      users.set(host.id, {
        ...common,
        ...provenOf(shadow, foundProvenance(shadow, host, origin, validation, nowMs())),
        emailSince: sinceOf(shadow),
        uids,
        shadow,
        born: shadow.born,
        absorbed: [],
        absorbedChanges: 0,
        adopted: uid !== undefined,
      });
      continue;
    }
    const at = marks.get(host.id) ?? nowMs();
    const look = looks.get(host.id);
    const mailedElsewhereMs = mailedElsewhere.has(host.id) ? nowMs() : undefined;
    const { shadow, changed } =
      look !== undefined && look.changed.length === 0
        ? look
        : absorb(before.shadow, host.registers, at, origin, waiting.has(host.id), hosts.describes);
    const provenance = provenanceAfter(
      {
        before: before.provenance,
        shadows: [before.shadow, shadow],
        changed,
        account: host,
        mailedElsewhereMs,
      },
      origin,
      validation,
    );
    users.set(host.id, {
      ...common,
      ...provenOf(shadow, provenance),
      emailSince: sinceOf(shadow),
      uids: before.uids,
      shadow,
      born: shadow.born,
      absorbed: changed,
      absorbedChanges: changesOf(changed, before.shadow.registers.get('status')?.hash, host),
      adopted: false,
    });
  }
  return users;
}
