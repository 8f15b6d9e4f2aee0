/**
 * From a row of a plugin peer to a record of ours: what of it is a change made there, and when. Pure. A row is whole and
 * bears no times, so what the peer is known to have had, or to have been sent, is no change; the rest was changed now.
 */
import type { Column } from '../db/catalog.ts';
import { valuesOf } from '../model/absorb.ts';
import type { UserRecord, WireRegister, WireValue } from '../model/record.ts';
import { descriptionRegister, localeOf, type RegisterName, type Selection, type Value } from '../model/register.ts';
import type { RegisterState } from '../model/shadow.ts';
import { adoptionStamp, compareStamps, formatStamp, nextStamp, type Origin, type Stamp } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import type { StoredUser } from '../db/shadows.ts';
import { impress, isFamiliar, type Memory } from './memory.ts';
import type { PluginRow } from './row.ts';

/** What reading a row needs to know besides the row. */
export interface ReadingDeps {
  readonly hosts: HostUsers;
  /** Our site: it stamps what arrives. */
  readonly origin: Origin;
  /** The peer, for values that nobody can date. */
  readonly peer: Origin;
  readonly nowMs: number;
  /** Local time → milliseconds since 1970, as if the peer had our time zone. */
  readonly toEpochMs: (local: string) => number | undefined;
  readonly sends: Selection;
  /** A stream tells of a change; a feed, of a state. */
  readonly via: 'stream' | 'feed';
}

/** The account of this site that has the address. */
export interface Holder {
  readonly host: HostUser;
  readonly stored: StoredUser;
}

/** What a row of a user comes to. */
export interface Reading {
  readonly record: UserRecord;
  /** Digest of each value in the row. */
  readonly said: ReadonlyMap<string, string>;
  /** Something here is newer, and the peer was never told. */
  readonly knowsLess: boolean;
}

/** One value of a row, where it belongs here. */
interface Said {
  readonly register: RegisterName;
  readonly column: string;
  readonly value: string;
  /** Its name in the memory. */
  readonly name: string;
  readonly digest: string;
}

/** Digests of the values of a row, by their names in the memory. */
export function digestsOf(row: PluginRow, hosts: HostUsers): Map<string, string> {
  return new Map(valuesIn(row, hosts).map(({ name, digest }) => [name, digest]));
}

/** A row of somebody who has an account here. */
export function readKnown(row: PluginRow, holder: Holder, memory: Memory | undefined, deps: ReadingDeps): Reading {
  const { host, stored } = holder;
  const values = valuesIn(row, deps.hosts);
  const registers: Record<RegisterName, WireRegister> = {};
  let knowsLess = false;
  for (const [register, list] of Map.groupBy(values, (one) => one.register)) {
    const state = stored.shadow.registers.get(register);
    const differing = list.filter(({ column, name, digest }) => digest !== impress(name, ours(host, register, column)));
    const news = differing.filter(({ name, digest }) => !isFamiliar(memory?.get(name), digest));
    const changed = news.length === 0 ? undefined : stampOf(news, state, memory, row, deps);
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
    const older = changed === undefined ? differing : [];
    const isUntold = older.some(
      ({ column, name }) => memory?.get(name)?.sent !== impress(name, ours(host, register, column)),
    );
    if (isUntold && deps.sends(register)) knowsLess = true;
  }
  const { uids, shadow } = stored;
  const born = formatStamp(shadow.born);
  const record: UserRecord = { kind: 'user', uids: [...uids], email: row.email, born, registers };
  return { record, said: new Map(values.map(({ name, digest }) => [name, digest])), knowsLess };
}

/** A row of somebody who has no account here. `after`: the removal of an earlier account of that address. */
export function readNew(row: PluginRow, uid: Uid, after: Stamp | undefined, deps: ReadingDeps): Reading {
  const registeredMs = epochOf(row, deps, 'dt_reg_date') ?? deps.nowMs;
  const born = after === undefined ? adoptionStamp(registeredMs, deps.peer) : nextStamp(deps.nowMs, after, deps.origin);
  const dated = adoptionStamp(epochOf(row, deps, 'dt_mod_date') ?? registeredMs, deps.peer);
  const stamp = deps.via === 'stream' ? nextStamp(deps.nowMs, after, deps.origin) : dated;
  const values = valuesIn(row, deps.hosts);
  const registers: Record<RegisterName, WireRegister> = {
    s_email: { stamp: formatStamp(stamp), values: { s_email: row.email } },
  };
  for (const [register, list] of Map.groupBy(values, (one) => one.register)) {
    registers[register] = {
      stamp: formatStamp(stamp),
      values: Object.fromEntries(list.map(({ column, value }) => [column, value])),
    };
  }
  const record: UserRecord = { kind: 'user', uids: [uid], email: row.email, born: formatStamp(born), registers };
  return { record, said: new Map(values.map(({ name, digest }) => [name, digest])), knowsLess: false };
}

/**
 * When a register was changed there: now. Where the two sites meet for the first time nobody knows: what a person changed
 * here since it was installed stays; a stream is about something that just changed; a feed is as old as its row says.
 */
function stampOf(
  news: readonly Said[],
  state: RegisterState | undefined,
  memory: Memory | undefined,
  row: PluginRow,
  deps: ReadingDeps,
): Stamp | undefined {
  const now = nextStamp(deps.nowMs, state?.stamp, deps.origin);
  if (state === undefined || news.some(({ name }) => memory?.has(name) === true)) return now;
  if (state.prior !== undefined) return undefined;
  if (deps.via === 'stream') return now;
  const dated = adoptionStamp(epochOf(row, deps, 'dt_mod_date') ?? epochOf(row, deps, 'dt_reg_date') ?? 0, deps.peer);
  return compareStamps(dated, state.stamp) > 0 ? dated : undefined;
}

/** An address moves as a whole; of every other register only what changed is written. */
function completed(
  register: RegisterName,
  news: readonly Said[],
  host: HostUser,
  hosts: HostUsers,
): Record<string, WireValue> {
  const changed = Object.fromEntries(news.map(({ column, value }) => [column, value]));
  if (register !== 'address') return changed;
  const whole: Record<string, WireValue> = {};
  for (const { name } of hosts.columns.get(register) ?? []) {
    const value = changed[name] ?? ours(host, register, name);
    whole[name] = value;
  }
  // The code of our old country says nothing of the new one.
  if ('s_country' in changed && !('fk_c_country_code' in changed)) whole['fk_c_country_code'] = null;
  return whole;
}

function valuesIn(row: PluginRow, hosts: HostUsers): Said[] {
  const values: Said[] = [];
  const add = (register: RegisterName, column: string, value: string, name: string): void => {
    values.push({ register, column, value, name, digest: impress(name, value) });
  };
  const related = new Set(hosts.related.map((one) => one.register));
  for (const [register, columns] of hosts.columns) {
    if (register === 's_email' || related.has(register)) continue;
    for (const column of columns) {
      const value = row.columns.get(column.name);
      if (value !== undefined && isFilled(column, value)) add(register, column.name, value, column.name);
    }
  }
  const profile = hosts.related.find((one) => one.table.base === 't_user_business_profile');
  for (const column of profile?.columns ?? []) {
    const value = row.profile.get(column.name);
    if (profile === undefined || value === undefined || !isFilled(column, value)) continue;
    add(profile.register, column.name, value, `${profile.register}.${column.name}`);
  }
  if (hosts.describes) {
    for (const [locale, text] of row.descriptions) {
      add(descriptionRegister(locale), 's_info', text, descriptionRegister(locale));
    }
  }
  return values;
}

/** A number or a date cannot be cleared through the plugin: an empty one is what its form made of none. */
function isFilled(column: Column, value: string): boolean {
  return value !== '' || column.charset !== null;
}

function ours(host: HostUser, register: RegisterName, column: string): string | null {
  const value: Value | undefined = valuesOf(host.registers, register)?.[localeOf(register) ? 's_info' : column];
  return typeof value === 'string' ? value : null;
}

/** A date of the row, at most now. */
function epochOf(row: PluginRow, deps: ReadingDeps, column: string): number | undefined {
  const ms = deps.toEpochMs(row.columns.get(column) ?? '');
  return ms === undefined ? undefined : Math.min(ms, deps.nowMs);
}
