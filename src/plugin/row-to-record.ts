/**
 * From a row of a plugin peer to a record of ours: what of it is a change made there, and when. Pure. A row is whole and
 * bears no times, so what the peer is known to have had, or to have been sent, is no change; the rest was changed now.
 */
import { areOfStamp } from '../model/births.ts';
import { toWireProvenance, type UserRecord, type WireRegister, type WireValue } from '../model/record.ts';
import type { Selection } from '../model/policy.ts';
import type { RegisterName } from '../model/register.ts';
import type { RegisterState } from '../model/shadow.ts';
import { adoptionStamp, compareStamps, formatStamp, nextStamp, type Origin, type Stamp } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import type { StoredUser } from '../store/shadows.ts';
import {
  afterSaying,
  withoutValue,
  BLANK,
  impress,
  isUseless,
  noveltyOf,
  type Impression,
  type Memory,
  type Novelty,
} from '../model/plugin-memory.ts';
import { accountIdOf } from './account.ts';
import { noteGaps } from './registration.ts';
import type { PluginRow } from './row.ts';
import type { PeerTimes } from './times.ts';
import { digestsOfOurs, absentTexts, ourValue, valuesIn, type RowValue } from './row-values.ts';

/** What reading a row needs to know besides the row. */
export interface RowToRecordDeps {
  readonly hosts: HostUsers;
  /** Our site: it stamps what arrives. */
  readonly origin: Origin;
  /** The peer, for values that nobody can date. */
  readonly peer: Origin;
  readonly nowMs: number;
  /** Local time of this site → milliseconds since 1970. */
  readonly toEpochMs: (local: string) => number | undefined;
  readonly times: PeerTimes;
  readonly sends: Selection;
  /** A stream tells of a change; a feed, of a state. */
  readonly via: 'stream' | 'feed';
}

/** The account of this site that has the address. */
export interface KnownAccount {
  readonly host: HostUser;
  readonly stored: StoredUser;
}

/** What a row of a user comes to. */
export interface RecordOfRow {
  readonly record: UserRecord;
  /** What is known of the peer after it said this. */
  readonly memory: Memory;
  /** Something here is newer, and the peer has to be told, again where it said OK and then had something older. */
  readonly knowsLess: boolean;
  /** What of it was changed there. */
  readonly news: readonly ChangedValue[];
}

/** A value that was changed there. */
export interface ChangedValue {
  readonly register: RegisterName;
  /** In the memory. */
  readonly name: string;
  /** Digest of what this site has until it takes the value. */
  readonly ours: string;
}

/** A value of a row that is not ours. */
interface Differing extends RowValue {
  readonly novelty: Novelty;
  /** Digest of ours, as the peer would have it. */
  readonly ours: string;
  /** Ours is NULL or empty. */
  readonly isBlank: boolean;
}

/** The peer may have made a row before it got what it was told this long ago: a run of its cron has requests of 30 s. */
const CROSSING_MS = 60_000;

/** True if this site itself takes care of what an account lacks of the column: its secrets travel. */
export function isManagedHere(column: string, { hosts }: Pick<RowToRecordDeps, 'hosts'>): boolean {
  return column === 's_secret' && hosts.columns.has(column);
}

/** What was exchanged with the peer about an account, beside its values. */
export interface LastExchange {
  /** How long ago it last was. */
  readonly quietMs: number;
  /** Id of the account at the peer; null: it never said it since it was told of the account. */
  readonly accountId: string | null;
}

/** A row of somebody who has an account here. */
export function readKnown(
  row: PluginRow,
  holder: KnownAccount,
  memory: Memory | undefined,
  { quietMs, accountId }: LastExchange,
  deps: RowToRecordDeps,
): RecordOfRow {
  const { host, stored } = holder;
  const values = valuesIn(row, deps.hosts);
  const judge = judgeOf(values, memory, quietMs);
  const after = new Map<string, Impression>([...absentTexts(row, deps.hosts), ...(memory ?? [])]);
  const registers: Record<RegisterName, WireRegister> = {};
  const all: ChangedValue[] = [];
  let knowsLess = false;
  for (const [register, list] of Map.groupBy(values, (one) => one.register)) {
    const state = stored.shadow.registers.get(register);
    const differing = list.flatMap((one): Differing[] => {
      const { plain, told } = digestsOfOurs(host, one, deps.hosts, deps.times);
      const isBlank = plain === BLANK;
      const isOurs = one.digest === plain || one.digest === told || one.value === ourValue(host, one);
      return isOurs ? [] : [{ ...one, novelty: judge(one), ours: told, isBlank }];
    });
    const news = differing.filter(({ novelty }) => novelty === 'news' || novelty === 'first');
    const changed = news.length === 0 ? undefined : stampOf(news, differing, state, row, deps);
    // What is older in a feed wins only if the peer is the master: it goes along under a stamp that loses to every other.
    const isKept = changed === undefined && deps.via === 'feed' && differing.length > 0 && state !== undefined;
    const stamp = isKept ? adoptionStamp(0, deps.peer) : changed;
    if (stamp !== undefined) {
      registers[register] = {
        stamp: formatStamp(stamp),
        ...(state === undefined ? {} : { prior: formatStamp(state.stamp) }),
        values: completed(register, isKept ? differing : news, host, deps.hosts),
      };
    }
    if (changed !== undefined) all.push(...news);
    const older = changed === undefined ? differing : differing.filter((one) => !news.includes(one));
    if (deps.sends(register) && older.some((one) => !isUseless(memory?.get(one.name), one.ours))) knowsLess = true;
    for (const one of list) {
      const stale = older.find((other) => other.name === one.name && other.novelty === 'stale');
      // A password is told again and again: nobody can go back to an old hash, so there the peer has not stored ours.
      const refused = one.name === 's_password' ? undefined : stale?.ours;
      const said = afterSaying(one.name, memory?.get(one.name), one.digest, refused);
      // Where the two messages crossed, ours may have put back there what theirs tells.
      const isCrossed = changed !== undefined && quietMs < CROSSING_MS && news.some((other) => other.name === one.name);
      after.set(one.name, isCrossed ? { ...said, open: true } : said);
    }
  }
  if (notePassword(row, holder, after, deps) && deps.sends('password')) knowsLess = true;
  const isOurs = (column: string): boolean => isManagedHere(column, deps);
  const isSame = accountId === accountIdOf(row);
  const of = { isSettled: isSame && quietMs > CROSSING_MS, isAnother: accountId !== null && !isSame };
  if (noteGaps(row, after, of, isOurs)) knowsLess = true;
  const record: UserRecord = { ...recordOf(holder, row), registers };
  return { record, memory: after, knowsLess: knowsLess || (all.length > 0 && quietMs < CROSSING_MS), news: all };
}

/**
 * A record of the account here, as a row of the peer says it, without a value. It names all births that the account has by now: by
 * the existence stamp alone, which stays that of an account that gave way, it would be taken for that one, and not count.
 */
export function recordOf({ stored: { uids, shadow, provenance } }: KnownAccount, { email }: PluginRow): UserRecord {
  const { births } = provenance;
  const born = formatStamp(shadow.born);
  const said = areOfStamp(births, shadow.born) ? {} : toWireProvenance({ births, heldUntilMs: undefined }, 0);
  return { kind: 'user', uids: [...uids], email, born, ...said, registers: {} };
}

/**
 * What each value of a row comes to. What the peer had before it was told ours is stale, not put back. But a flag has
 * only two values: if the peer took in the rest of what it was told, and that was a while ago, it was put back there.
 */
function judgeOf(values: readonly RowValue[], memory: Memory | undefined, quietMs: number): (one: RowValue) => Novelty {
  const pending = values.filter(({ name }) => (memory?.get(name)?.maybe.length ?? 0) > 0);
  const isStored = pending.length < 2 || pending.some(({ name, digest }) => memory?.get(name)?.has === digest);
  return ({ name, digest, column }) => {
    const novelty = noveltyOf(memory?.get(name), digest);
    const isPutBack = novelty === 'stale' && column.startsWith('b_') && isStored && quietMs > CROSSING_MS;
    return isPutBack ? 'news' : novelty;
  };
}

/**
 * What a masked password tells, though it is never taken. In a feed it may be one that was set there since the peer had
 * ours: that must not be put back by our next row, for the peer will say it, whole, when it sends the user. In a stream it
 * is what the peer has stored as a hash: nobody can log in there before it is told ours.
 *
 * @returns true if the peer has to be told
 */
function notePassword(
  { maskedPassword }: PluginRow,
  { host }: KnownAccount,
  after: Map<string, Impression>,
  { hosts, via, times }: RowToRecordDeps,
): boolean {
  if (maskedPassword === undefined || hosts.columns.get('password') === undefined) return false;
  if (via === 'stream') {
    const before = after.get('s_password');
    if (before !== undefined) after.set('s_password', withoutValue(before));
    return true;
  }
  const digest = impress('s_password', maskedPassword);
  const ours = digestsOfOurs(
    host,
    { register: 'password', column: 's_password', name: 's_password' },
    hosts,
    times,
  ).plain;
  const before = after.get('s_password');
  // What it had stays as it was: the whole hash is still to come, and then has to be news.
  const novelty = noveltyOf(before, digest);
  if (before?.has === ours && novelty === 'news') after.set('s_password', { ...before, refused: ours });
  // It still has what it had before it said OK to ours.
  if (before?.has === ours && novelty === 'stale') after.set('s_password', { ...before, open: true });
  return false;
}

/** A row of somebody who has no account here. `after`: the removal of an earlier account of that address. */
export function readNew(row: PluginRow, uid: Uid, after: Stamp | undefined, deps: RowToRecordDeps): UserRecord {
  const registeredMs = epochOf(row, deps, 'dt_reg_date') ?? deps.nowMs;
  const born = after === undefined ? adoptionStamp(registeredMs, deps.peer) : nextStamp(deps.nowMs, after, deps.origin);
  const dated = adoptionStamp(epochOf(row, deps, 'dt_mod_date') ?? registeredMs, deps.peer);
  const stamp = deps.via === 'stream' ? nextStamp(deps.nowMs, after, deps.origin) : dated;
  const values = valuesIn(row, deps.hosts);
  const registers: Record<RegisterName, WireRegister> = {
    s_email: { stamp: formatStamp(stamp), values: { s_email: row.email } },
  };
  // The plugin streams no change of a password: this one may be as old as the account.
  const ofPassword = after === undefined ? adoptionStamp(registeredMs, deps.peer) : stamp;
  for (const [register, list] of Map.groupBy(values, (one) => one.register)) {
    registers[register] = {
      stamp: formatStamp(register === 'password' ? ofPassword : stamp),
      values: Object.fromEntries(list.map(({ column, value }) => [column, value])),
    };
  }
  return { kind: 'user', uids: [uid], email: row.email, born: formatStamp(born), registers };
}

/** The time of values that an account was made with here because nobody sent any. */
const NEVER_SET_MS = 0;

/**
 * When a register was changed there: now. Where the two sites meet for the first time nobody knows: what a person changed
 * here since it was installed stays; a stream is about something that just changed; a feed is as old as its row says. What
 * only fills gaps of ours is taken, whatever its age, as set just after ours: nobody here ever knew of anything there.
 */
function stampOf(
  news: readonly Differing[],
  differing: readonly Differing[],
  state: RegisterState | undefined,
  row: PluginRow,
  deps: RowToRecordDeps,
): Stamp | undefined {
  const now = nextStamp(deps.nowMs, state?.stamp, deps.origin);
  // The account came without a password; the first whole one fills the gap, but whoever set one since knows better.
  if (state?.stamp.ms === NEVER_SET_MS && news.some(({ register }) => register === 'password')) {
    return adoptionStamp(NEVER_SET_MS + 1, deps.peer);
  }
  if (state === undefined || news.some(({ novelty }) => novelty === 'news')) return now;
  const isFilling = differing.every(({ isBlank, novelty }) => isBlank && novelty === 'first');
  if (state.prior !== undefined && !isFilling) return undefined;
  if (deps.via === 'stream') return now;
  const dated = adoptionStamp(epochOf(row, deps, 'dt_mod_date') ?? epochOf(row, deps, 'dt_reg_date') ?? 0, deps.peer);
  if (compareStamps(dated, state.stamp) > 0) return dated;
  return isFilling ? adoptionStamp(state.stamp.ms + 1, deps.peer) : undefined;
}

/** An address moves as a whole; of every other register only what changed is written. */
function completed(
  register: RegisterName,
  news: readonly RowValue[],
  host: HostUser,
  hosts: HostUsers,
): Record<string, WireValue> {
  const changed = Object.fromEntries(news.map(({ column, value }) => [column, value]));
  if (register !== 'address') return changed;
  const whole: Record<string, WireValue> = {};
  for (const { name } of hosts.columns.get(register) ?? []) {
    const value = changed[name] ?? ourValue(host, { register, column: name, name });
    whole[name] = value;
  }
  // The code of our old country says nothing of the new one; this site finds its own, and then it is not less than was sent.
  if ('s_country' in changed && !('fk_c_country_code' in changed)) delete whole['fk_c_country_code'];
  return whole;
}

/** A date of the row, at most now. */
function epochOf(row: PluginRow, deps: RowToRecordDeps, column: string): number | undefined {
  const ms = deps.toEpochMs(row.columns.get(column) ?? '');
  return ms === undefined ? undefined : Math.min(ms, deps.nowMs);
}
