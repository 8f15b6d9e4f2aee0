/**
 * Rows of a plugin peer, looked at beside what this site knows: who they are about, and what they come to. Reads only; what
 * has to be written with them is in the {@link Prepared}.
 */
import type { OwnTables } from '../db/catalog.ts';
import { readShadows, tombstonesByUid, usersByUid } from '../db/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import { chooseUids } from '../db/uid-assignment.ts';
import type { UserRecord } from '../model/record.ts';
import { adoptionStamp, compareStamps, formatStamp, type Stamp } from '../model/stamp.ts';
import { canonicalEmail, uidOfEmail, type Uid } from '../model/uid.ts';
import { readKnown, readNew, type Holder, type News, type ReadingDeps } from './incoming.ts';
import { afterSaying, BLANK, noveltyOf, type Memory } from './memory.ts';
import type { PluginRow } from './row.ts';
import { nothingSaid, valuesIn } from './said.ts';
import { readSeen, type Seen } from './seen-store.ts';

/** What preparing rows needs. */
export interface ReceiveDeps extends ReadingDeps {
  readonly own: OwnTables;
  /** False: the peer is sent nothing, so it never hears of removals. */
  readonly tells: boolean;
  readonly randomUid: () => Uid;
}

/** A row, ready to be applied. */
export interface Prepared {
  readonly row: PluginRow;
  /** Undefined: the row says nothing new of an account that has another address here. */
  readonly record: UserRecord | undefined;
  readonly memory: Memory;
  /** The peer has to be sent the user. */
  readonly knowsLess: boolean;
  /** What of it was changed there. */
  readonly news: readonly News[];
  /** The peer still has a user that was removed: it has to be told of that removal. */
  readonly removal: number | undefined;
  /** The account is new here, and came without a password that could be stored. */
  readonly withoutPassword: boolean;
}

/**
 * What is known of the peer once its row was applied. What this site could not store is newer than what it has: the peer
 * is not told ours, until that changes. `isOnItsWay`: something is being sent there, which may put back what was just said.
 */
export function memoryOf({ memory, news }: Prepared, notStored: ReadonlySet<string>, isOnItsWay: boolean): Memory {
  const after = new Map(memory);
  for (const { register, name, ours } of news) {
    const impression = after.get(name);
    if (impression === undefined) continue;
    if (notStored.has(register)) after.set(name, { ...impression, unstored: ours });
    else if (isOnItsWay) after.set(name, { ...impression, open: true });
  }
  return after;
}

/** Prepares the rows of one message; every user of this site must have a shadow. */
export async function prepareRows(
  runner: Runner,
  peer: string,
  rows: readonly PluginRow[],
  deps: ReceiveDeps,
): Promise<Prepared[]> {
  const { own, hosts } = deps;
  const emails = rows.map((row) => row.email);
  const found = await hosts.holdersOf(runner, emails);
  const ids = [...found.values()].map((holder) => holder.id);
  const stored = await readShadows(runner, own, ids);
  const users = await hosts.byId(runner, ids);
  const seen = await readSeen(runner, own, peer, emails);

  const prepared: Prepared[] = [];
  for (const row of rows) {
    const userId = found.get(row.email)?.id ?? 0;
    const [host, known] = [users.get(userId), stored.get(userId)];
    const isHolder = host !== undefined && canonicalEmail(host.email) === row.email;
    const holder: Holder | undefined =
      isHolder && known !== undefined && known.uids.length > 0 ? { host, stored: known } : undefined;
    const before = seen.get(row.email);
    prepared.push(
      holder === undefined ? await prepareStranger(runner, row, before, deps) : prepareKnown(row, holder, before, deps),
    );
  }
  return prepared;
}

function prepareKnown(row: PluginRow, holder: Holder, seen: Seen | undefined, deps: ReceiveDeps): Prepared {
  const quietMs = deps.nowMs - (seen?.changedAtMs ?? 0);
  if (isMadeAgain(row, seen?.memory ?? undefined)) return madeAgain(row, holder, deps);
  const { knowsLess, ...reading } = readKnown(row, holder, seen?.memory ?? undefined, quietMs, deps);
  return { row, ...reading, knowsLess: knowsLess && deps.tells, removal: undefined, withoutPassword: false };
}

/**
 * True if the peer lost the account that it is known to have (a removal nobody heard of), and made another one of a row of
 * ours that named only what had changed: it has no name and no password, which no account of Osclass is without.
 */
function isMadeAgain({ lacks }: PluginRow, memory: Memory | undefined): boolean {
  return ['s_name', 's_password'].every((name) => {
    const has = memory?.get(name)?.has;
    return lacks.has(name) && has !== undefined && has !== BLANK;
  });
}

/** Such a row says nothing of the person: the peer is told everything, as of somebody it does not know. */
function madeAgain(row: PluginRow, { stored }: Holder, { tells }: ReceiveDeps): Prepared {
  const born = formatStamp(stored.shadow.born);
  const record: UserRecord = { kind: 'user', uids: [...stored.uids], email: row.email, born, registers: {} };
  return { row, record, memory: new Map(), knowsLess: tells, news: [], removal: undefined, withoutPassword: false };
}

/**
 * Nobody here has the address. Either nobody ever had; or the account was removed, or has another address now, and the
 * peer does not know; or somebody registered there after that.
 */
async function prepareStranger(
  runner: Runner,
  row: PluginRow,
  seen: Seen | undefined,
  deps: ReceiveDeps,
): Promise<Prepared> {
  const { own, hosts } = deps;
  const memory = seen?.memory ?? undefined;
  const said = valuesIn(row, hosts);
  const after = new Map([...nothingSaid(row, hosts), ...(memory ?? [])]);
  for (const { name, digest } of said) after.set(name, afterSaying(memory?.get(name), digest));
  const common = { row, memory: after, knowsLess: false, news: [] };
  const [uid] = (await chooseUids(runner, own, [{ userId: 0, email: row.email }], deps.randomUid)).values();
  const earlier = incarnations(row.email, uid as Uid);
  const buried = await tombstonesByUid(runner, own, earlier);
  const removal = [...buried.values()].toSorted((a, b) => compareStamps(b.stamp, a.stamp))[0];
  if (removal !== undefined && isStale(row, seen, removal.stamp, deps)) {
    const isTold = !deps.tells || seen?.removalId !== null;
    // Under the uid that was buried: whatever is done about late records of removed accounts is done about this one.
    const born = formatStamp(adoptionStamp(0, deps.peer));
    const uids = earlier.filter((one) => buried.get(one)?.removalId === removal.removalId);
    const record: UserRecord = { kind: 'user', uids, email: row.email, born, registers: {} };
    return { ...common, record, removal: isTold ? undefined : removal.removalId, withoutPassword: false };
  }
  const moved = [...(await usersByUid(runner, own, earlier)).values()];
  // Who has another address here goes on under the old one there: nobody can tell the peer, and it is no second person.
  if (removal === undefined && (await isSameRegistration(runner, row, moved, deps))) {
    return { ...common, record: undefined, removal: undefined, withoutPassword: false };
  }
  const record = readNew(row, uid as Uid, removal?.stamp, deps);
  return { ...common, record, removal: undefined, withoutPassword: row.withoutPassword };
}

/**
 * True if the row is about the account that was removed, not about one registered later: it has the registration date the
 * peer was known to have; or the peer was never heard of about it, and the date is before the removal.
 */
function isStale(row: PluginRow, seen: Seen | undefined, removed: Stamp, deps: ReceiveDeps): boolean {
  const memory = seen?.memory ?? seen?.earlier ?? undefined;
  if (memory === undefined) return registeredBefore(row, removed, deps);
  const registered = valuesIn(row, deps.hosts).find(({ name }) => name === 'dt_reg_date');
  return registered === undefined || isKnownOf(memory, registered.name, registered.digest);
}

/** True if one of these users came to be when the user in the row did. */
async function isSameRegistration(
  runner: Runner,
  row: PluginRow,
  userIds: readonly number[],
  { hosts }: ReceiveDeps,
): Promise<boolean> {
  const registered = row.columns.get('dt_reg_date');
  if (userIds.length === 0 || registered === undefined) return false;
  const users = await hosts.byId(runner, [...userIds]);
  return [...users.values()].some((user) => user.regDate === registered);
}

/** True if the peer had, or may have had, the value before. */
function isKnownOf(memory: Memory, name: string, digest: string): boolean {
  const novelty = noveltyOf(memory.get(name), digest);
  return novelty === 'same' || novelty === 'stale';
}

function registeredBefore(row: PluginRow, removed: Stamp, { toEpochMs }: ReceiveDeps): boolean {
  const ms = toEpochMs(row.columns.get('dt_reg_date') ?? '');
  return ms === undefined || ms <= removed.ms;
}

/** The uids of the address that were given before `uid`. */
function incarnations(email: string, uid: Uid): Uid[] {
  const uids: Uid[] = [];
  for (let n = 0; n < 16 && uidOfEmail(email, n) !== uid; n++) uids.push(uidOfEmail(email, n));
  return uids;
}
