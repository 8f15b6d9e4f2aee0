/**
 * A removal that a plugin peer sends. It names an address and nothing else, comes after every row of the same run, and
 * comes back as an echo: so first of all, whose removal is it?
 */
import type { Kysely } from 'kysely';
import type { RecordSource } from '../model/outcome.ts';
import { usersUnproven } from '../store/parked.ts';
import { parseBirth } from '../model/births.ts';
import { HELD_MS, type Provenance } from '../model/proof.ts';
import type { OutboxWriter } from '../store/ports.ts';
import { readShadows, usersByUid, type StoredUser } from '../store/shadows.ts';
import { inTransaction } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { RemovalRecord, WireRecord } from '../model/record.ts';
import { compareStamps, formatStamp, nextStamp, type Origin } from '../model/stamp.ts';
import { hashRemovedEmail } from '../model/tombstone.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import { accountIdOf, isShown } from './account.ts';
import type { PluginClient } from './client.ts';
import { linkOf, type LinkDeps } from './link.ts';
import { lookUpAccount, searchFeed, type AccountLookup } from './account-lookup.ts';
import type { PluginRow } from './row.ts';
import {
  forgetReplaced,
  forgetUndecided,
  noteRemovedAtPeer,
  noteUndecided,
  RARE_RUNS_MS,
  readSeen,
  undecidedRemovals,
  type Seen,
} from '../store/plugin-seen.ts';
import type { Caller, Named } from './http-handler.ts';
import { registeredThere, type PeerTimes } from './times.ts';

/** What taking a removal needs of the site. */
export interface RemovalSite {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  readonly times: (peer: string) => PeerTimes;
  readonly origin: Origin;
  readonly nowMs: () => number;
  readonly outbox: OutboxWriter;
  readonly apply: (records: readonly WireRecord[], from: RecordSource) => Promise<unknown>;
  /** Gives up what waits here of the user that a uid names. */
  readonly dropWaiting: (peer: string, uid: Uid) => Promise<void>;
  /** Gives up what waits here of the peer for an address that nobody here has; `user` is who has it there, if that is known. */
  readonly dropWaitingFor: (peer: string, email: string, user: Uid | null) => Promise<void>;
  /** Tries again what waits for an address. */
  readonly retryWaiting: (peer: string, uid: Uid) => Promise<void>;
  /** A client of the peer that gives up soon: the peer waits for our answer meanwhile. */
  readonly asking: (peer: string) => PluginClient;
  /** Several plugins may repeat each other's removals, any number of times. */
  readonly isRound: boolean;
}

/** The account that has the address here. */
interface LocalHolder {
  readonly host: HostUser;
  readonly stored: StoredUser;
  readonly main: Uid;
}

/** Two plugins that know each other send a removal back and forth, until both find no account; it takes no longer than this. */
const ROUND_MS = 3 * 3_600_000;

function linking({ hosts, times }: RemovalSite, peer: string): LinkDeps {
  return { hosts, times: times(peer) };
}

/** Removes who is meant; undefined: nobody here. */
export async function removeFor(
  site: RemovalSite,
  email: string,
  caller: Caller,
  from: RecordSource,
): Promise<Named | undefined> {
  const { db, nowMs } = site;
  const peer = caller.route.name;
  const living = await readLiving(site, email);
  const seen = (await readSeen(db, peer, [email])).get(email);
  const lookup = await currentOf(site, peer, email, seen);
  const isDeleted = lookup.kind === 'absent' && seen !== undefined && seen.memory !== null && isShown(seen.memory);
  const replaced = seen?.replaced ?? undefined;
  // Where only the order of a run tells, and the peer cannot be asked, it is taken at its word.
  const isVague = replaced?.accountId === null && replaced.user === null && lookup.kind === 'unknown';
  // A removal known here is echoed, possibly late: an account registered since is not meant by it.
  const isEcho = seen !== undefined && (seen.memory === null || seen.echoUntilMs > nowMs());
  const postpone = (): Promise<void> => noteUndecided(db, peer, email, nowMs());
  if (seen !== undefined && replaced !== undefined && replaced.untilMs > nowMs() && !isVague) {
    const isHidden = lookup.kind === 'absent' && !isDeleted;
    // Either this account was removed, or it is in no feed and an earlier one, never seen here, was.
    if (replaced.user === null && isHidden && living !== undefined && !isEcho) {
      await postpone();
      return undefined;
    }
    const removed = await removeReplaced(site, email, seen, living, from);
    if (!isDeleted && removed !== undefined && seen.user !== null) await site.retryWaiting(peer, seen.user);
    // The present account of the address may be removed as well: the plugin names an address once, however many were.
    if (!isDeleted) return removed;
    if (removed !== undefined && seen.user !== null) {
      await site.dropWaiting(peer, seen.user);
      await forgetAccount(site, peer, email);
      return removed;
    }
  }
  if (living === undefined || isEcho) {
    const isOfWaiting = isDeleted || (!isEcho && lookup.kind !== 'there');
    if (living === undefined && isOfWaiting) await site.dropWaitingFor(peer, email, seen?.user ?? null);
    await ignoreEcho(site, email, caller, living, seen);
    return undefined;
  }
  if (seen === undefined || (await isStranger(site, caller.route, seen, living))) {
    await site.dropWaiting(peer, living.main);
    return undefined;
  }
  const link = await linkOf(db, linking(site, peer), seen, { uids: living.stored.uids, regDate: living.host.regDate });
  if (link === 'waiting' || link === 'elsewhere') {
    // The account that went was not that of who has the address here.
    if (link === 'waiting' && seen.user !== null) await site.dropWaiting(peer, seen.user);
    await forgetAccount(site, peer, email);
    if (caller.route.send) {
      await inTransaction(db, (trx) =>
        site.outbox.enqueue(trx, [{ peer, kind: 'user', ref: living.host.id }], nowMs()),
      );
    }
    return undefined;
  }
  // The account we know is there: what was removed is one that had the address before, and was never heard of here.
  if (lookup.kind === 'there' && lookup.row.email === email) return undefined;
  // It never said anything of the address: an account of it there may have gone before this one came to be.
  const isUnsaid = seen.accountId === null && lookup.kind !== 'there' && !isDeleted;
  if (isUnsaid && nowMs() - living.stored.shadow.born.ms < RARE_RUNS_MS) {
    await postpone();
    return undefined;
  }
  if (await livesOnThere(site, peer, seen, lookup, living)) return undefined;
  return await removeLiving(site, email, living, from);
}

/**
 * True if the account that the peer had under the address is not known to be that of here: they never met. Where its active accounts
 * count as proved, they have once anything of it was said or told.
 */
async function isStranger(
  { db }: RemovalSite,
  { name, emailTrust }: Caller['route'],
  seen: Seen,
  { host }: LocalHolder,
): Promise<boolean> {
  if (!seen.hasMet && emailTrust !== 'verified') return true;
  return (await usersUnproven(db, name, [host.id])).size > 0;
}

/**
 * True if who has the address here is at the peer under another: whoever was removed there got the address after that, and
 * was never heard of. His date tells him from who has his id since a table was renumbered.
 */
async function livesOnThere(
  site: RemovalSite,
  peer: string,
  { accountId }: Seen,
  lookup: AccountLookup,
  living: LocalHolder,
): Promise<boolean> {
  if (living.host.regDate === null) return false;
  if (accountId === null) {
    const byDate = await ask(site, peer, (client) => lookUpReplaced(site, peer, client, null, living));
    return byDate.kind === 'there';
  }
  const registered = registeredThere(living.host.regDate, site.hosts, site.times(peer));
  return lookup.kind === 'there' && lookup.row.columns.get('dt_reg_date') === registered;
}

/**
 * Decides on removals that came when nobody could tell whose they are. By now every removal of an account before would have
 * come; what the account was told, or said, since then, shows that it is there. Who is in no feed of the peer, and neither
 * active nor enabled here either, is removed; anybody else stays.
 */
export async function decideRemovals(site: RemovalSite, from: RecordSource): Promise<void> {
  const { db, nowMs } = site;
  const peer = from.route.name;
  for (const email of await undecidedRemovals(db, peer, nowMs() - RARE_RUNS_MS)) {
    const living = await readLiving(site, email);
    const seen = (await readSeen(db, peer, [email])).get(email);
    const lookup = await currentOf(site, peer, email, seen, { mostPages: Number.MAX_SAFE_INTEGER });
    const isKnown = living !== undefined && seen !== undefined && seen.memory !== null;
    // The peer cannot be asked now.
    if (isKnown && lookup.kind === 'unknown') continue;
    const isRemovedThere =
      isKnown &&
      lookup.kind === 'absent' &&
      (isShown(seen.memory) || !living.host.active || !living.host.enabled) &&
      (await linkOf(db, linking(site, peer), seen, { uids: living.stored.uids, regDate: living.host.regDate })) ===
        'holder' &&
      !(await isStranger(site, from.route, seen, living));
    if (isRemovedThere && !(await livesOnThere(site, peer, seen, lookup, living)))
      await removeLiving(site, email, living, from);
    else await forgetUndecided(db, peer, email);
  }
}

async function readLiving({ db, hosts }: RemovalSite, email: string): Promise<LocalHolder | undefined> {
  const holder = (await hosts.holdersOf(db, [email])).get(email);
  if (holder === undefined || canonicalEmail(holder.email) !== email) return undefined;
  const host = (await hosts.byId(db, [holder.id])).get(holder.id);
  const stored = (await readShadows(db, [holder.id])).get(holder.id);
  const main = stored?.uids[0];
  return host !== undefined && stored !== undefined && main !== undefined ? { host, stored, main } : undefined;
}

/** Whether the account that last had the address at the peer is still there. */
async function currentOf(
  site: RemovalSite,
  peer: string,
  email: string,
  seen: Seen | undefined,
  how: { readonly mostPages?: number } = {},
): Promise<AccountLookup> {
  if (seen === undefined || seen.memory === null) return { kind: 'unknown' };
  const { accountId } = seen;
  return await ask(site, peer, (client) =>
    accountId === null ? searchFeed(client, (row) => row.email === email, how) : lookUpAccount(client, accountId),
  );
}

async function ask(
  site: RemovalSite,
  peer: string,
  about: (client: PluginClient) => Promise<AccountLookup>,
): Promise<AccountLookup> {
  const client = site.asking(peer);
  try {
    return await about(client);
  } catch (error) {
    if (error instanceof SyncError) return { kind: 'unknown' };
    throw error;
  } finally {
    await client.close();
  }
}

/**
 * The removal of an account whose address has gone to another since. It is removed here, unless it is known to live on
 * at the peer under another address; then the present one takes its place.
 */
async function removeReplaced(
  site: RemovalSite,
  email: string,
  seen: Seen,
  living: LocalHolder | undefined,
  from: RecordSource,
): Promise<Named | undefined> {
  const { db } = site;
  const peer = from.route.name;
  const { user, accountId } = seen.replaced ?? { user: null, accountId: null };
  const holder = user !== null && living?.stored.uids.includes(user) === true ? living : undefined;
  const lookup = holder && (await ask(site, peer, (client) => lookUpReplaced(site, peer, client, accountId, holder)));
  // By its date alone, in a feed that could not be looked through, nobody knows: a person decides on what waits here.
  const isLeft = lookup?.kind === 'there' || (lookup?.kind === 'unknown' && accountId === null);
  const removed = holder !== undefined && !isLeft ? await removeLiving(site, email, holder, from, true) : undefined;
  if (!isLeft) await forgetReplaced(db, peer, email);
  return removed;
}

/** By its id; where that was never said, by its date of registration, which it was told. */
async function lookUpReplaced(
  site: RemovalSite,
  peer: string,
  client: PluginClient,
  accountId: string | null,
  { host }: LocalHolder,
): Promise<AccountLookup> {
  if (accountId !== null) return await lookUpAccount(client, accountId);
  if (host.regDate === null) return { kind: 'unknown' };
  const registered = registeredThere(host.regDate, site.hosts, site.times(peer));
  return await searchFeed(
    client,
    async (row) => row.columns.get('dt_reg_date') === registered && !(await isBystander(site, peer, row, host.id)),
  );
}

/**
 * True if the row is of another account that this site told the peer of, and that only was registered in the same second.
 * Not so one that came from the peer: it may be a user of here that got another address there.
 */
async function isBystander({ db }: RemovalSite, peer: string, row: PluginRow, userId: number): Promise<boolean> {
  const seen = (await readSeen(db, peer, [row.email])).get(row.email);
  if (seen === undefined || seen.memory === null || seen.user === null) return false;
  if (seen.accountId !== null && seen.accountId !== accountIdOf(row)) return false;
  const [other] = (await usersByUid(db, [seen.user])).values();
  if (other === undefined || other === userId) return false;
  const born = (await readShadows(db, [other])).get(other)?.shadow.born;
  return born !== undefined && born.site !== peer;
}

async function removeLiving(
  site: RemovalSite,
  email: string,
  { host, stored, main }: LocalHolder,
  from: RecordSource,
  isReplaced = false,
): Promise<Named> {
  const { db, origin, nowMs } = site;
  const peer = from.route.name;
  const latest = [...stored.shadow.registers.values()].map((state) => state.stamp);
  const last = latest.reduce((a, b) => (compareStamps(a, b) > 0 ? a : b), stored.shadow.born);
  // Whoever has the address there by now was registered before we heard of this, and must not be taken for who was removed.
  const { born } = stored.shadow;
  const stamp = isReplaced ? nextStamp(born.ms, born, origin) : nextStamp(nowMs(), last, origin);
  const heldUntilMs = removalsHeldUntil(stored.provenance);
  const record: RemovalRecord = {
    kind: 'removal',
    uids: [...stored.uids],
    emailHash: hashRemovedEmail(main, email),
    stamp: formatStamp(stamp),
    ...(heldUntilMs > nowMs() ? { heldUntil: heldUntilMs } : {}),
  };
  const before = (await readSeen(db, peer, [email])).get(email);
  await site.apply([record], from);
  // Also where the guard or the mode of this site keeps the account: the peer no longer has it.
  const link = await linkOf(db, linking(site, peer), before, { uids: stored.uids, regDate: host.regDate });
  if (link === 'holder') await forgetAccount(site, peer, email);
  const name = host.registers.get('s_name')?.['s_name'];
  return { id: host.id, email: host.email, name: typeof name === 'string' ? name : '' };
}

/**
 * Until when removals wait: who had the account before its owner took it over may still be logged in at the peer, which can tell
 * neither who removes it nor when somebody proved himself there. 0: nobody lost it.
 */
function removalsHeldUntil({ births: { live, overruled }, heldUntilMs = 0 }: Provenance): number {
  if (overruled.size === 0) return 0;
  const wonMs = [...live].map((birth) => parseBirth(birth)?.ms ?? 0);
  return Math.max(heldUntilMs, ...wonMs.map((ms) => ms + HELD_MS));
}

async function forgetAccount({ db, nowMs, isRound }: RemovalSite, peer: string, email: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await noteRemovedAtPeer(trx, peer, email, isRound ? 'heard and echoed' : 'heard', nowMs());
    await forgetReplaced(trx, peer, email);
  });
}

async function ignoreEcho(
  { db, outbox, nowMs, isRound }: RemovalSite,
  email: string,
  { route }: Caller,
  living: LocalHolder | undefined,
  seen: Seen | undefined,
): Promise<void> {
  const peer = route.name;
  await inTransaction(db, async (trx) => {
    if (seen !== undefined) await noteRemovedAtPeer(trx, peer, email, isRound ? 'told' : 'heard', nowMs());
    if (living === undefined || !route.send) return;
    const atMs = nowMs() + (isRound ? ROUND_MS : 0);
    await outbox.enqueue(trx, [{ peer, kind: 'user', ref: living.host.id }], atMs);
  });
}
