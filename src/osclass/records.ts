/** Between host rows and wire records: what a user of this site looks like to a peer, and the other way round. */
import type { Column } from '../db/catalog.ts';
import type { StoredUser } from '../store/shadows.ts';
import { areOfStamp } from '../model/births.ts';
import { presentProof, type Validation } from '../model/proof.ts';
import { valuesOf } from '../model/absorb.ts';
import type { RemoteRegister } from '../model/merge.ts';
import { stampText, toWireProvenance, type UserRecord, type WireRegister, type WireValue } from '../model/record.ts';
import type { Selection } from '../model/policy.ts';
import {
  HASH_OF_NOTHING,
  ROW,
  isEmpty,
  isHashOf,
  localeOf,
  rowOf,
  withoutRow,
  type RegisterName,
  type Value,
  type Values,
} from '../model/register.ts';
import { commonStamp, type RegisterState } from '../model/shadow.ts';
import { canonicalEmail } from '../model/uid.ts';
import { formatStamp, isAdoption, parseStamp, type Origin, type Stamp } from '../model/stamp.ts';
import { inOneForm } from './column-values.ts';
import type { HostUser, HostUsers } from './host-users.ts';
import type { Zone } from './timezone.ts';

/** A user as a peer gets to see it. */
export interface EncodedUser {
  readonly record: UserRecord;
  /** False if something changed since the shadow was taken, and was left out. */
  readonly isWhole: boolean;
}

/** How a peer takes records. */
export interface RecordForm {
  /** It understands whether there is a row. */
  readonly saysRows?: boolean;
  /** It understands births and proofs; by what they are told. */
  readonly proving?: Proving | undefined;
}

/** What tells which proof of an account counts. */
export interface Proving {
  readonly origin: Origin;
  readonly validation: Validation;
  readonly nowMs: number;
}

/** The most characters an address may have in a record. */
const LONGEST_ADDRESS = 320;

/**
 * False for an account that nobody could be told of: without address (empty, blank or NULL), or with one that is none. A
 * record of it would be refused, and with it the page or batch it is in.
 */
export function hasAddress({ email }: Pick<HostUser, 'email'>): boolean {
  return canonicalEmail(email) !== '' && email.length <= LONGEST_ADDRESS;
}

/**
 * The record of a user: every selected register whose stored bytes are those of the shadow, under the shadow's stamp
 * (invariant 7). A register that changed since is left out, for its marker waits in the queue; so is one that this site
 * could not store as it came. Undefined if there is no address or it changed since, or if the account takes part in nothing (it was
 * removed elsewhere, and stayed here).
 *
 */
export function encodeUser(
  host: HostUser,
  stored: StoredUser,
  sends: Selection,
  hosts: HostUsers,
  zone: Zone,
  { saysRows = false, proving }: RecordForm = {},
): EncodedUser | undefined {
  if (stored.uids.length === 0 || !hasAddress(host)) return undefined;
  const registers: Record<RegisterName, WireRegister> = {};
  const common = commonStamp(stored.shadow);
  let isWhole = true;
  for (const [register, state] of stored.shadow.registers) {
    if (!sends(register) || state.altered) continue;
    const values = valuesOf(host.registers, register);
    // A table of descriptions that cannot be seen says nothing of texts.
    if (values === undefined || (localeOf(register) !== undefined && !hosts.describes)) continue;
    // That there was no row when this site was first looked at says nothing.
    if (rowOf(values) === 'none' && isAdoption(state.stamp) && isHashOf(state.hash, values)) continue;
    if (!isHashOf(state.hash, values)) {
      if (register === 's_email') return undefined;
      isWhole = false;
      continue;
    }
    registers[register] = {
      ...(state.stamp === common ? {} : { stamp: formatStamp(state.stamp) }),
      ...(state.prior === undefined ? {} : { prior: formatStamp(state.prior) }),
      ...(saysRows ? rowSaid(state, values) : {}),
      values: encodeValues(register, withoutRow(values), hosts, zone),
    };
  }
  const born = formatStamp(stored.shadow.born);
  const stamp = formatStamp(common);
  const record: UserRecord = {
    kind: 'user',
    uids: [...stored.uids],
    email: host.email,
    born,
    ...(stamp === born ? {} : { stamp }),
    registers,
    ...(proving === undefined ? {} : provenanceSaid(host, stored, proving)),
  };
  return { record, isWhole };
}

/** The births of an account, left out where its existence stamp says them, and who proved its address. */
function provenanceSaid(
  host: HostUser,
  { shadow, provenance }: StoredUser,
  { origin, validation, nowMs }: Proving,
): Pick<UserRecord, 'births' | 'overruled' | 'parted' | 'proof' | 'heldUntil'> {
  const { births, heldUntilMs } = provenance;
  const proof = presentProof(provenance, host, shadow, origin, validation);
  const isPlain = areOfStamp(births, shadow.born);
  return {
    ...toWireProvenance({ births: isPlain ? undefined : births, heldUntilMs }, nowMs),
    proof: proof === null ? null : { site: proof.site, at: proof.atMs },
  };
}

/** Whether there is a row; left out where some value is not NULL, which implies one. */
function rowSaid({ hash, rowUnsaid }: RegisterState, values: Values): { row?: boolean } {
  const row = rowOf(values);
  return row === undefined || !isEmpty(values) || rowUnsaid || hash === HASH_OF_NOTHING ? {} : { row: row === 'here' };
}

/**
 * The registers of a record as this site would store them: columns it lacks are left out, registers it has no column
 * of too. So are rows with nothing in them that were found so, by a peer that does not tell such from none. Throws a RangeError if a stamp is none; schemas let none through.
 */
export function decodeRegisters(record: UserRecord, hosts: HostUsers, zone: Zone): Map<RegisterName, RemoteRegister> {
  const registers = new Map<RegisterName, RemoteRegister>();
  // Most registers of a user share one stamp; as one object it is also packed once.
  let [text, stamp]: [string | undefined, Stamp | undefined] = [undefined, undefined];
  for (const register of Object.keys(record.registers)) {
    const state = record.registers[register] as WireRegister;
    const { prior, values, row } = state;
    const columns = decodeValues(register, values, hosts, zone);
    if (columns === undefined) continue;
    const isRow = localeOf(register) !== undefined || hosts.related.some((one) => one.register === register);
    const decoded = isRow && row !== undefined ? { ...columns, [ROW]: row ? 'here' : 'none' } : columns;
    if (stamp === undefined || stampText(record, state) !== text) {
      text = stampText(record, state);
      stamp = requireStamp(text);
    }
    if (isRow && isAdoption(stamp) && rowOf(decoded) !== 'here' && isEmpty(decoded)) continue;
    registers.set(
      register,
      prior === undefined ? { stamp, values: decoded } : { stamp, prior: requireStamp(prior), values: decoded },
    );
  }
  return registers;
}

/**
 * The registers of a record that hold a time of the sender's own zone, which it does not state: the same text is another
 * time there, so nobody can say whether the two differ.
 */
export function registersInLocalTime(record: UserRecord, hosts: HostUsers, zone: Zone): Set<RegisterName> {
  const found = new Set<RegisterName>();
  if (!zone.known) return found;
  for (const [register, columns] of hosts.times) {
    const values = record.registers[register]?.values ?? {};
    if (columns.some(({ name, type }) => type !== 'timestamp' && typeof values[name] === 'string')) found.add(register);
  }
  return found;
}

/** The text form as a stamp; throws a RangeError if it is none. */
export function requireStamp(text: string): Stamp {
  const stamp = parseStamp(text);
  if (stamp === undefined) throw new RangeError('not a stamp');
  return stamp;
}

function encodeValues(
  register: RegisterName,
  values: Values,
  hosts: HostUsers,
  zone: Zone,
): Readonly<Record<string, WireValue>> {
  const times = zone.known ? hosts.times.get(register) : undefined;
  if (times === undefined) return values;
  const encoded: Record<string, WireValue> = { ...values };
  for (const { name, type } of times) {
    const value = values[name];
    // A TIMESTAMP is read as UTC in our sessions.
    if (typeof value === 'string') encoded[name] = { utc: type === 'timestamp' ? value : zone.toUtc(value) };
  }
  return encoded;
}

function decodeValues(
  register: RegisterName,
  values: Readonly<Record<string, WireValue>>,
  hosts: HostUsers,
  zone: Zone,
): Values | undefined {
  if (localeOf(register) !== undefined) {
    const text = values['s_info'];
    return hosts.describes && (text === null || typeof text === 'string') ? { s_info: text } : undefined;
  }
  const columns = hosts.columns.get(register);
  if (columns === undefined) return undefined;
  const decoded: Record<string, Value> = {};
  for (const column of columns) {
    const value = values[column.name];
    if (value !== undefined) decoded[column.name] = inOneForm(column, fromWire(column, value, zone));
  }
  return Object.keys(decoded).length > 0 ? decoded : undefined;
}

function fromWire({ type }: Column, value: WireValue, zone: Zone): Value {
  if (value === null || typeof value === 'string') return value;
  if ('hex' in value) return { hex: value.hex };
  return zone.known && type !== 'timestamp' ? zone.toLocal(value.utc) : value.utc;
}
