/** Everything known of one user: what is stored and since when, what each peer still lacks and why, what happened last. */
import type { Kysely } from 'kysely';
import { markerTimes } from '../store/markers.ts';
import { readShadows, readTombstones, tombstonesByUid, type StoredUser } from '../store/shadows.ts';
import { maskEmail } from '../model/log-entry.ts';
import { isHashOf } from '../model/register.ts';
import { notPassedOnTo, type PeerRoute } from '../model/route.ts';
import { compareStamps, isAdoption, type Stamp } from '../model/stamp.ts';
import { canonicalEmail, uidsOfEmail } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import type { LogRecord } from '../model/response-schemas.ts';
import type { ActivityLog } from '../store/activity-log.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import { waitingOf, parkedOf, type UserEntry, type UserParked } from '../store/user-entries.ts';

/** When and where something was set. */
export interface SetAt {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly site: string;
  /** True: it was there before account-sync, so the date is that of the row. */
  readonly adopted: boolean;
}

/** One register. */
export interface RegisterReport {
  readonly name: string;
  /** Of what is remembered. */
  readonly hash: string;
  readonly set: SetAt;
  /** The row differs from what is remembered: an edit that is still to be looked at. */
  readonly edited: boolean;
  /** What is stored here is less than what was sent, so it is not passed on. */
  readonly altered: boolean;
}

/** How a peer stands. */
export interface PeerReport {
  readonly peer: string;
  /** It has confirmed all that goes to it; false: something waits. Null: we send it nothing. */
  readonly confirmed: boolean | null;
  readonly waiting: UserEntry | null;
  /** Calls to it fail, for everybody. */
  readonly failing: { readonly since: string; readonly message: string | null } | null;
  /** Records of it that could not be stored here. */
  readonly parked: readonly UserParked[];
  /**
   * Peers from which something of the account came here, and went no further than this site, for their entries lack
   * `relay: true`: either they tell this peer themselves, or nobody does.
   */
  readonly not_passed_on: readonly string[];
}

/** The report; dates in ISO 8601, UTC. */
export interface UserReport {
  readonly user_id: number | null;
  /** Masked. */
  readonly email: string | null;
  /** `unmarked`: nobody has looked at the account yet. */
  readonly state: 'known' | 'unmarked' | 'removed';
  readonly uids: readonly string[];
  readonly born: SetAt | null;
  readonly removed: SetAt | null;
  /** A change of the row that the drain has not processed. */
  readonly marked_at: string | null;
  readonly registers: readonly RegisterReport[];
  readonly peers: readonly PeerReport[];
  /** Newest first. */
  readonly logs: readonly LogRecord[];
}

/** What a report needs. */
export interface UserReportDeps {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  readonly routes: readonly PeerRoute[];
  readonly activity: ActivityLog;
  readonly status: PeerStatus;
}

const LOGS = 10;

/** By e-mail address or by id of this site; undefined if neither an account nor a removal is known by that. Reads only. */
export async function reportUser(deps: UserReportDeps, who: string | number): Promise<UserReport | undefined> {
  const { db, hosts } = deps;
  const userId =
    typeof who === 'number' ? who : (await hosts.holdersOf(db, [canonicalEmail(who)])).get(canonicalEmail(who))?.id;
  const host = userId === undefined ? undefined : (await hosts.byId(db, [userId])).get(userId);
  const stored = userId === undefined ? undefined : (await readShadows(db, [userId])).get(userId);
  if (userId === undefined || (host === undefined && stored === undefined)) {
    return typeof who === 'string' ? await reportRemoved(deps, who) : undefined;
  }
  const marked = (await markerTimes(db, [userId])).get(userId);
  return {
    user_id: userId,
    email: host === undefined ? null : maskEmail(host.email),
    state: stored === undefined ? 'unmarked' : 'known',
    uids: stored?.uids ?? [],
    born: stored === undefined ? null : setAt(stored.shadow.born),
    removed: null,
    marked_at: marked === undefined ? null : new Date(marked).toISOString(),
    registers: stored === undefined ? [] : registersOf(stored, host),
    peers: await peersOf(deps, {
      uids: stored?.uids ?? [],
      entry: { kind: 'u', ref: userId },
      userId,
      sites: stored === undefined ? [] : sitesOf(stored),
    }),
    logs: await logsOf(deps, stored?.uids ?? []),
  };
}

async function reportRemoved(deps: UserReportDeps, email: string): Promise<UserReport | undefined> {
  const tombstones = await tombstonesByUid(deps.db, uidsOfEmail(email));
  const last = [...tombstones.values()].toSorted((a, b) => compareStamps(b.stamp, a.stamp))[0];
  if (last === undefined) return undefined;
  const tombstone = (await readTombstones(deps.db, [last.removalId])).get(last.removalId);
  if (tombstone === undefined) return undefined;
  return {
    user_id: null,
    email: maskEmail(email),
    state: 'removed',
    uids: tombstone.uids,
    born: null,
    removed: setAt(tombstone.stamp),
    marked_at: null,
    registers: [],
    peers: await peersOf(deps, {
      uids: tombstone.uids,
      entry: { kind: 'r', ref: tombstone.removalId },
      userId: null,
      sites: [tombstone.stamp.site],
    }),
    logs: await logsOf(deps, tombstone.uids),
  };
}

function registersOf({ shadow }: StoredUser, host: HostUser | undefined): RegisterReport[] {
  return [...shadow.registers].map(([name, { hash, stamp, altered }]) => {
    const values = host?.registers.get(name);
    return {
      name,
      hash,
      set: setAt(stamp),
      edited: values !== undefined && !isHashOf(hash, values),
      altered: altered === true,
    };
  });
}

/** The sites that set something of a user. */
function sitesOf({ shadow }: StoredUser): string[] {
  return [shadow.born, ...[...shadow.registers.values()].map(({ stamp }) => stamp)].map(({ site }) => site);
}

/** An account, or the removal of one, and the sites that set something of it. */
interface Subject {
  readonly uids: readonly string[];
  readonly entry: { readonly kind: 'u' | 'r'; readonly ref: number };
  readonly userId: number | null;
  readonly sites: readonly string[];
}

async function peersOf(
  { db, routes, status }: UserReportDeps,
  { uids, entry, userId, sites }: Subject,
): Promise<PeerReport[]> {
  const waiting = await waitingOf(db, entry);
  const parked = await parkedOf(db, uids, userId);
  const failing = await status.failures(routes.map(({ name }) => name));
  return routes.map((route) => ({
    peer: route.name,
    failing: failing.get(route.name) ?? null,
    confirmed: route.send ? !waiting.has(route.name) : null,
    waiting: waiting.get(route.name) ?? null,
    parked: parked.filter(({ peer }) => peer === route.name),
    not_passed_on: notPassedOnTo(route, routes).flatMap(({ name }) => (sites.includes(name) ? [name] : [])),
  }));
}

async function logsOf({ activity }: UserReportDeps, uids: readonly string[]): Promise<LogRecord[]> {
  const found = await Promise.all(uids.map((uid) => activity.query({ search: uid, limit: LOGS })));
  const all = new Map(found.flatMap(({ logs }) => logs).map((record) => [record.id, record]));
  return [...all.values()].toSorted((a, b) => b.id - a.id).slice(0, LOGS);
}

function setAt(stamp: Stamp): SetAt {
  return { date: new Date(stamp.ms).toISOString(), site: stamp.site, adopted: isAdoption(stamp) };
}
