/**
 * Rows of a plugin peer, looked at beside what this site knows: who they are about, and what they come to. Reads only; what
 * has to be written with them is in the {@link Prepared}.
 */
import { readShadows, tombstonesByUid, usersByUid } from '../store/shadows.ts';
import type { Runner } from '../db/transaction.ts';
import { chooseUids } from '../store/uid-assignment.ts';
import type { UserRecord } from '../model/record.ts';
import { adoptionStamp, compareStamps, formatStamp, type Stamp } from '../model/stamp.ts';
import { toSeparate } from '../model/separate.ts';
import { isWholeHash } from '../model/password-hash.ts';
import type { EmailTrust } from '../model/proof.ts';
import { canonicalEmail, uidOfEmail, type Uid } from '../model/uid.ts';
import { accountIdOf, matchAccount, type AccountMatch } from './account.ts';
import {
  isManagedHere,
  readKnown,
  readNew,
  recordOf,
  type KnownAccount,
  type ChangedValue,
  type RowToRecordDeps,
} from './row-to-record.ts';
import { linkOf, type Link } from './link.ts';
import { afterSaying, BLANK, impress, noveltyOf, type Memory } from '../model/plugin-memory.ts';
import { noteGaps } from './registration.ts';
import type { PluginRow } from './row.ts';
import { absentTexts, valuesIn } from './row-values.ts';
import {
  ECHO_MS,
  ONE_RUN_MS,
  RARE_RUNS_MS,
  readSeen,
  type Replaced,
  type Replacement,
  type SaidRow,
  type Seen,
} from '../store/plugin-seen.ts';
import { usersUnproven } from '../store/parked.ts';
import { afterRow, isRepeated, saidRowOf } from './said-rows.ts';
import { registeredThere } from './times.ts';
import { isMaskedHash } from './wire.ts';

/** What preparing rows needs. */
export interface ReceiveDeps extends RowToRecordDeps {
  /** False: the peer is sent nothing, so it never hears of removals. */
  readonly tells: boolean;
  /** How far the peer's word on addresses goes. */
  readonly emailTrust: EmailTrust;
  readonly randomUid: () => Uid;
}

/** A row, ready to be applied. */
export interface Prepared {
  readonly row: PluginRow;
  /** Undefined: the row says nothing new of an account that has another address here. */
  readonly record: UserRecord | undefined;
  /** Undefined: it is left as it was. */
  readonly memory: Memory | undefined;
  /** A uid of the user here that the account is. */
  readonly user: Uid | undefined;
  /** The address may have come from this account at the peer to the one in the row. */
  readonly replaced: Replacement | undefined;
  /** Of a removal that is undecided, or of a row that came before, it is known by this one that they are not of this account. */
  readonly settles: { readonly removal: boolean; readonly replaced: boolean };
  /** The peer has to be sent the user. */
  readonly knowsLess: boolean;
  /** What of it was changed there. */
  readonly news: readonly ChangedValue[];
  /** The peer still has a user that was removed: it has to be told of that removal. */
  readonly removal: number | undefined;
  /** The account is new here, and came without a password that could be stored. */
  readonly withoutPassword: boolean;
  /** The rows that the peer said in calls, with this one; undefined: it came in no call. */
  readonly rowsSaid?: readonly SaidRow[];
  /** The row was said before, and is of no use any more. */
  readonly isRepeated?: true;
}

/**
 * What is known of the peer once its row was applied. What this site could not store is newer than what it has: the peer
 * is not told ours, until that changes. `isOnItsWay`: something is being sent there, which may put back what was just said.
 */
export function memoryOf(
  memory: Memory,
  news: readonly ChangedValue[],
  notStored: ReadonlySet<string>,
  isOnItsWay: boolean,
): Memory {
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
  const { hosts } = deps;
  const emails = rows.map((row) => row.email);
  const found = await hosts.holdersOf(runner, emails);
  const ids = [...found.values()].map((holder) => holder.id);
  const stored = await readShadows(runner, ids);
  const users = await hosts.byId(runner, ids);
  const seen = await readSeen(runner, peer, emails);

  const prepared: Prepared[] = [];
  for (const row of rows) {
    const userId = found.get(row.email)?.id ?? 0;
    const [host, known] = [users.get(userId), stored.get(userId)];
    const isHolder = host !== undefined && canonicalEmail(host.email) === row.email;
    const holder: KnownAccount | undefined =
      isHolder && known !== undefined && known.uids.length > 0 ? { host, stored: known } : undefined;
    const before = seen.get(row.email);
    const said = deps.via === 'stream' ? saidRowOf(row) : undefined;
    if (said !== undefined && isRepeated(said, before?.rowsSaid ?? [])) {
      prepared.push(repeatedRow(row));
      continue;
    }
    const one =
      holder === undefined
        ? await prepareStranger(runner, row, before, deps)
        : await prepareHeld(runner, row, holder, before, deps);
    const rowsSaid = said === undefined ? {} : { rowsSaid: afterRow(said, before?.rowsSaid ?? []) };
    prepared.push({ ...one, ...rowsSaid, settles: settledBy(row, before, one, deps) });
  }
  return prepared;
}

/** Nothing comes of the row, and nothing is known by it. */
function repeatedRow(row: PluginRow): Prepared {
  return {
    row,
    record: undefined,
    memory: undefined,
    user: undefined,
    replaced: undefined,
    settles: { removal: false, replaced: false },
    knowsLess: false,
    news: [],
    removal: undefined,
    withoutPassword: false,
    isRepeated: true,
  };
}

/** Somebody here has the address. Whether that is who the row is about, is another question. */
async function prepareHeld(
  runner: Runner,
  row: PluginRow,
  holder: KnownAccount,
  seen: Seen | undefined,
  deps: ReceiveDeps,
): Promise<Omit<Prepared, 'settles'>> {
  const [main] = holder.stored.uids;
  const match = matchAccount(row, seen, deps.toEpochMs);
  // Where the peer had nobody of the address, the two sites meet again.
  const known = seen !== undefined && seen.memory !== null ? seen : undefined;
  const link = await linkOf(runner, deps, known, { uids: holder.stored.uids, regDate: holder.host.regDate });
  const common = { row, knowsLess: false, news: [], removal: undefined, withoutPassword: false };
  if (match !== 'other' && (link === 'elsewhere' || isOfRemoved(seen, link, match))) {
    return { ...common, record: undefined, memory: undefined, user: undefined, replaced: undefined };
  }
  const isReplaced = known !== undefined && match === 'other';
  if (known !== undefined && (link === 'waiting' || (link === 'holder' && isReplaced))) {
    const chosen = await chooseUids(runner, [{ userId: 0, email: row.email }], deps.randomUid);
    const uid = link === 'waiting' && !isReplaced && known.user !== null ? known.user : (chosen.get(0) as Uid);
    const record = toSeparate(readNew(row, uid, holder.stored.shadow.born, deps));
    // The one who waits may go as well; of whom that then is said is who has the address here.
    const replaced = link === 'holder' ? another(known.accountId, known.user ?? main ?? null) : undefined;
    const memory = memoryAfter(row, undefined, deps);
    return { ...common, record, memory, user: uid, replaced, withoutPassword: row.withoutPassword };
  }
  const replaced =
    known !== undefined && (match === 'other' || match === 'unclear')
      ? another(known.accountId, match === 'other' ? known.user : null)
      : firstSaid(known, match, deps);
  const lastExchange = { quietMs: deps.nowMs - (seen?.changedAtMs ?? 0), accountId: seen?.accountId ?? null };
  if (!isReplaced && isMadeAgain(row, known?.memory ?? undefined)) {
    return { ...common, ...madeAgain(holder, row, deps), user: main, replaced };
  }
  const memory = isReplaced ? undefined : (known?.memory ?? undefined);
  const { knowsLess, record, ...reading } = readKnown(row, holder, memory, lastExchange, deps);
  const hasMet =
    isSamePassword(row, holder, known) || (isAcquainted(known, deps) && !(await waitsUnproven(runner, holder, deps)));
  const ofRow = hasMet ? record : asStranger(record, row, deps);
  return { ...common, ...reading, record: ofRow, knowsLess: knowsLess && deps.tells, user: main, replaced };
}

/**
 * True if the account there is known to be that of here. That this site told the peer of it is no meeting: the peer may have
 * refused the row, or keep its own password, and its OK does not say that it stored anything. Where the active accounts
 * of the peer count as proved whoever registered them, nothing depends on it.
 */
function isAcquainted(known: Seen | undefined, { emailTrust }: ReceiveDeps): boolean {
  return known !== undefined && (known.hasMet || emailTrust === 'verified');
}

/**
 * Nobody else has the same hash: each has a salt of its own, of which a feed shows enough. It may be one that the peer was
 * told before the password was changed here: whoever is in the account there got it from here.
 */
function isSamePassword(
  { columns, maskedPassword }: PluginRow,
  { host }: KnownAccount,
  known: Seen | undefined,
): boolean {
  const whole = columns.get('s_password');
  const said = whole ?? maskedPassword;
  if (said === undefined || !(isWholeHash(said) || isMaskedHash(said))) return false;
  const ours = host.registers.get('password')?.['s_password'];
  const digest = impress('s_password', said);
  if (typeof ours === 'string' && isWholeHash(ours)) {
    if (whole === undefined ? impress('s_password', ours) === digest : ours === whole) return true;
  }
  const told = known?.memory?.get('s_password');
  return told !== undefined && told.said !== true && (told.has === digest || told.maybe.includes(digest));
}

/** True if the peer has said something of an account of the address that nobody proved there, and has not taken ours since. */
async function waitsUnproven(runner: Runner, { host }: KnownAccount, { peer }: ReceiveDeps): Promise<boolean> {
  return (await usersUnproven(runner, peer.site, [host.id])).size > 0;
}

/**
 * The record of an account of the peer that this site never met: with a birth of its own, and proved where it is active, as far
 * as the peer's `email_trust` lets that count; see {@link judgeProof}. Whose it is then is decided as of any other.
 */
function asStranger(record: UserRecord, row: PluginRow, { peer, nowMs, toEpochMs }: ReceiveDeps): UserRecord {
  const registeredMs = toEpochMs(row.columns.get('dt_reg_date') ?? '') ?? nowMs;
  const isActive = row.columns.get('b_active') === '1';
  const { kind, uids, email, registers } = record;
  return {
    kind,
    uids,
    email,
    registers,
    born: formatStamp(adoptionStamp(registeredMs, peer)),
    ...(isActive ? { proof: { site: peer.site, at: registeredMs } } : {}),
  };
}

/**
 * True if the row is of an account that was removed here, and whose address another has got since: the peer was not told
 * yet, or said this before it was.
 */
function isOfRemoved(seen: Seen | undefined, link: Link, match: AccountMatch): boolean {
  if (seen === undefined) return false;
  if (seen.memory === null) return match === 'same' && (seen.earlier?.size ?? 0) > 0;
  return link === 'removed' || seen.removalId !== null;
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
function madeAgain(
  holder: KnownAccount,
  row: PluginRow,
  deps: ReceiveDeps,
): Pick<Prepared, 'record' | 'memory' | 'knowsLess'> {
  const record = recordOf(holder, row);
  const memory = new Map();
  noteGaps(row, memory, { isSettled: false, isAnother: true }, (column) => isManagedHere(column, deps));
  return { record, memory, knowsLess: deps.tells };
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
): Promise<Omit<Prepared, 'settles'>> {
  const match = matchAccount(row, seen, deps.toEpochMs);
  const isAnother = match === 'other' || (match === 'unclear' && !isDateKnown(row, seen));
  const replaced =
    isAnother && seen !== undefined && seen.memory !== null
      ? another(seen.accountId, await livingUser(runner, seen.user))
      : firstSaid(seen, match, deps);
  const memory = memoryAfter(row, isAnother ? undefined : (seen?.memory ?? undefined), deps);
  const common = { row, memory, replaced, knowsLess: false, news: [], removal: undefined, withoutPassword: false };
  const [uid] = (await chooseUids(runner, [{ userId: 0, email: row.email }], deps.randomUid)).values();
  const earlier = incarnations(row.email, uid as Uid);
  const tombstones = await tombstonesByUid(runner, earlier);
  const last = [...tombstones.values()].toSorted((a, b) => compareStamps(b.stamp, a.stamp))[0];
  // Who the account there is may be known, though nobody has it here: his record waits. The one who was removed is another.
  const waiting = isAnother ? undefined : await waitingUser(runner, seen);
  const removal = waiting === undefined ? last : undefined;
  const age = removal === undefined || isAnother ? 'new' : ageOf(row, seen, removal.stamp, deps);
  if (removal !== undefined && age !== 'new') {
    // What nothing was ever exchanged about never met the one who was removed.
    const isExchanged = seen !== undefined && (seen.memory ?? seen.earlier) !== null;
    const isTold = !deps.tells || age === 'doubtful' || !isExchanged || seen.removalId !== null;
    // Under the uid that has a tombstone: whatever is done about late records of removed accounts is done about this one.
    const born = formatStamp(adoptionStamp(0, deps.peer));
    const uids = earlier.filter((one) => tombstones.get(one)?.removalId === removal.removalId);
    const record: UserRecord = { kind: 'user', uids, email: row.email, born, registers: {} };
    const remembered = age === 'doubtful' ? undefined : memory;
    const { removalId } = removal;
    return {
      ...common,
      record,
      memory: remembered,
      user: uids[0],
      replaced: undefined,
      removal: isTold ? undefined : removalId,
    };
  }
  const moved = [...(await usersByUid(runner, earlier)).values()];
  // Who has another address here goes on under the old one there: nobody can tell the peer, and it is no second person.
  if (removal === undefined && !isAnother && (await hasSameRegistration(runner, row, moved, deps))) {
    return { ...common, record: undefined, user: undefined, replaced: undefined };
  }
  const record = readNew(row, waiting ?? (uid as Uid), last?.stamp, deps);
  // A row of ours may have made the account there, after it was deleted: then it lacks what registering gives.
  const after = new Map(memory);
  const isLacking = noteGaps(row, after, { isSettled: false, isAnother }, (column) => isManagedHere(column, deps));
  // A removal that the peer has not yet been told of is not of this one.
  const isPending = seen !== undefined && seen.removalId !== null;
  return {
    ...common,
    record,
    memory: after,
    knowsLess: isLacking && deps.tells,
    user: waiting ?? uid,
    replaced: replaced !== undefined && isPending ? another(replaced.accountId, replaced.user) : replaced,
    withoutPassword: row.withoutPassword,
  };
}

/** The uid, if somebody here has it: one that only waited here for the address may be given again. */
async function livingUser(runner: Runner, user: Uid | null): Promise<Uid | null> {
  if (user === null) return null;
  return (await usersByUid(runner, [user])).size > 0 ? user : null;
}

/** A uid of who has the address at the peer, if he neither is here nor was removed: a record of his waits for the address. */
async function waitingUser(runner: Runner, seen: Seen | undefined): Promise<Uid | undefined> {
  if (seen === undefined || seen.memory === null || seen.user === null) return undefined;
  if ((await livingUser(runner, seen.user)) !== null) return undefined;
  return (await tombstonesByUid(runner, [seen.user])).size > 0 ? undefined : seen.user;
}

/** The account that had the address before. */
function another(accountId: string | null, user: Uid | null): Replacement {
  return { accountId, user, isFirst: false, forMs: ECHO_MS };
}

/**
 * An account whose id the peer never said before may have come after another, whose removal then follows in the same run:
 * in that of the row, or where a feed said it first, in some later one. Not so one that was told so long ago that every
 * removal from before has come.
 */
function firstSaid(seen: Seen | undefined, match: AccountMatch, { nowMs, via }: ReceiveDeps): Replacement | undefined {
  const first = { accountId: null, user: null, isFirst: true };
  if (seen !== undefined && seen.memory !== null) {
    if (match === 'same' && seen.accountId === null && nowMs - seen.changedAtMs > RARE_RUNS_MS) return undefined;
    // After a feed, or a doubt, this is the row of a run.
    const isFed = isOpen(seen.replaced, nowMs + ONE_RUN_MS);
    if (seen.accountId !== null) return isFed && via === 'stream' ? { ...first, forMs: ONE_RUN_MS } : undefined;
  }
  return { ...first, forMs: via === 'stream' ? ONE_RUN_MS : RARE_RUNS_MS };
}

/** True if a removal may be of an account before this one of which nothing is known. */
function isOpen(replaced: Replaced | null, nowMs: number): boolean {
  return replaced !== null && replaced.accountId === null && replaced.user === null && replaced.untilMs > nowMs;
}

/**
 * What is known by this row of what was in doubt. An account that says something new in a later run was there in the one
 * before: what had the address before it was removed by that.
 */
function settledBy(
  row: PluginRow,
  seen: Seen | undefined,
  { news, replaced }: Pick<Prepared, 'news' | 'replaced'>,
  { nowMs, via }: ReceiveDeps,
): Prepared['settles'] {
  const isSame = seen !== undefined && seen.memory !== null && seen.accountId === accountIdOf(row);
  const isSaidAgain = isSame && via === 'stream' && isOpen(seen.replaced, nowMs) && news.length > 0;
  return { removal: seen?.isUndecided === true, replaced: isSaidAgain && replaced === undefined };
}

/** What is known of the peer after it said this of somebody who is new here, or was removed. */
function memoryAfter(row: PluginRow, memory: Memory | undefined, { hosts }: ReceiveDeps): Memory {
  const after = new Map([...absentTexts(row, hosts), ...(memory ?? [])]);
  for (const { name, digest } of valuesIn(row, hosts)) after.set(name, afterSaying(name, memory?.get(name), digest));
  return after;
}

/** A peer in another zone may say a time that is so much earlier than it was. */
const MOST_ZONES_MS = 26 * 3_600_000;

/**
 * Whether the row is about the account that was removed (`removed`), or about one registered later (`new`): it has the
 * registration date the peer was known to have; or the peer was never heard of about it, and the date is before the removal.
 * `doubtful`: nothing must be done about it, neither here nor there.
 */
function ageOf(
  row: PluginRow,
  seen: Seen | undefined,
  removed: Stamp,
  { toEpochMs, hosts }: ReceiveDeps,
): 'removed' | 'new' | 'doubtful' {
  const memory = seen?.memory ?? seen?.earlier ?? undefined;
  const registered = valuesIn(row, hosts).find(({ name }) => name === 'dt_reg_date');
  const isSameId = seen !== undefined && seen.accountId !== null;
  if (memory !== undefined && registered !== undefined) {
    return isKnownOf(memory, registered.name, registered.digest) ? 'removed' : 'new';
  }
  if (memory !== undefined) return isSameId ? 'removed' : 'doubtful';
  const ms = toEpochMs(row.columns.get('dt_reg_date') ?? '');
  if (ms === undefined) return 'doubtful';
  if (ms > removed.ms) return 'new';
  return ms > removed.ms - MOST_ZONES_MS ? 'doubtful' : 'removed';
}

/** True if the date of registration in the row is that of the account the peer was known to have. */
function isDateKnown(row: PluginRow, seen: Seen | undefined): boolean {
  const memory = seen?.memory ?? seen?.earlier ?? undefined;
  const registered = row.theirs.get('dt_reg_date') ?? row.columns.get('dt_reg_date');
  if (memory === undefined || registered === undefined) return false;
  return isKnownOf(memory, 'dt_reg_date', impress('dt_reg_date', registered));
}

/** True if one of these users came to be when the user in the row did. */
async function hasSameRegistration(
  runner: Runner,
  row: PluginRow,
  userIds: readonly number[],
  { hosts, times }: ReceiveDeps,
): Promise<boolean> {
  const registered = row.theirs.get('dt_reg_date') ?? row.columns.get('dt_reg_date');
  if (userIds.length === 0 || registered === undefined) return false;
  const users = await hosts.byId(runner, [...userIds]);
  return [...users.values()].some(
    ({ regDate }) => regDate !== null && registeredThere(regDate, hosts, times) === registered,
  );
}

/** True if the peer had, or may have had, the value before. */
function isKnownOf(memory: Memory, name: string, digest: string): boolean {
  const novelty = noveltyOf(memory.get(name), digest);
  return novelty === 'same' || novelty === 'stale';
}

/** The uids of the address that were given before `uid`. */
function incarnations(email: string, uid: Uid): Uid[] {
  const uids: Uid[] = [];
  for (let n = 0; n < 16 && uidOfEmail(email, n) !== uid; n++) uids.push(uidOfEmail(email, n));
  return uids;
}
