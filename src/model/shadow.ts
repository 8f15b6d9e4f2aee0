/**
 * The shadow of a user: hash and stamp of every register as last seen, packed into one small binary column. About 150
 * bytes for a user nobody has touched since the baseline, because untouched registers share one stamp.
 *
 * Layout (integers big-endian): version u8 · sites u8, each: priority u16, length u8, name · base stamp · born stamp ·
 * registers u16, each: name [· how u8] · hash 8 bytes [· stamp] [· prior stamp].
 * A stamp is milliseconds u48, counter u16, site index u8. A name is a code u8 (0: length u8 and text follow,
 * 127: the description whose locale, length u8 and text, follows), plus 128 where `how` is 0 and left out. `how` bit 0:
 * own stamp follows, bit 1: prior follows, bit 2: altered. Of a register with nothing in it, bit 3: there is an empty row,
 * bit 4: there is no row, bit 5: nobody said which; hashes of both are that of nothing, as version 0.1.0 had them and reads them.
 */
import {
  HASH_HEX,
  HASH_OF_EMPTY_ROW,
  HASH_OF_NO_ROW,
  HASH_OF_NOTHING,
  descriptionRegister,
  isRowHash,
  localeOf,
  type RegisterName,
} from './register.ts';
import { compareStamps, type Stamp } from './stamp.ts';

/** Of one register. */
export interface RegisterState {
  /** Of what is stored here. */
  readonly hash: string;
  /** When and where that was set. */
  readonly stamp: Stamp;
  /** The stamp it replaced, if it was set after the baseline. */
  readonly prior?: Stamp;
  /** What is stored here is less than what was sent under the stamp; so it is not passed on. */
  readonly altered?: true;
  /** Whether there is a row is this site's own choice: who set the register could not say (a peer of version 0.1.0). */
  readonly rowUnsaid?: true;
}

/** What we remember of one user. */
export interface Shadow {
  /** When the account came to be, anywhere. A removal older than this does not concern it. */
  readonly born: Stamp;
  readonly registers: ReadonlyMap<RegisterName, RegisterState>;
}

/** Codes of common registers. Never renumber: they are stored. Only append, up to 126. */
const CODES: readonly RegisterName[] = [
  's_name',
  's_username',
  'password',
  's_email',
  's_website',
  's_phone_land',
  's_phone_mobile',
  'status',
  'address',
  'b_company',
  'dt_reg_date',
  'dt_mod_date',
  'fk_c_locale_code',
  's_profile_img',
  's_secret',
];
const CODE_OF = new Map(CODES.map((name, index) => [name, index + 1]));

const VERSION = 1;
const NAMED = 0;
const DESCRIBED = 127;
const PLAIN = 128;
const OWN_STAMP = 1;
const PRIOR_STAMP = 2;
const ALTERED = 4;
const EMPTY_ROW = 8;
const NO_ROW = 16;
const ROW_UNSAID = 32;
const HASH_BYTES = HASH_HEX / 2;
const STAMP_BYTES = 9;

/** Packs a shadow. */
export function encodeShadow(shadow: Shadow): Buffer {
  const base = commonStamp(shadow);
  const sites = sitesOf(shadow, base);
  // One buffer that is surely large enough: a tenth of the time that joining many small ones takes.
  let room = 4 + 2 * STAMP_BYTES;
  for (const { site } of sites) room += 3 + site.length;
  shadow.registers.forEach((_, name) => {
    room += 3 + HASH_BYTES + 2 * STAMP_BYTES + (CODE_OF.has(name) ? 0 : 3 * name.length);
  });
  const body = Buffer.allocUnsafe(room);
  let at = 0;
  const byte = (value: number): void => {
    at = body.writeUInt8(value, at);
  };
  const putStamp = (stamp: Stamp): void => {
    at = body.writeUIntBE(stamp.ms, at, 6);
    at = body.writeUInt16BE(stamp.counter, at);
    byte(sites.findIndex((site) => isSameSite(site, stamp)));
  };

  byte(VERSION);
  byte(sites.length);
  for (const { site, priority } of sites) {
    at = body.writeUInt16BE(priority, at);
    byte(site.length);
    at += body.write(site, at, 'latin1');
  }
  putStamp(base);
  putStamp(shadow.born);
  at = body.writeUInt16BE(shadow.registers.size, at);
  shadow.registers.forEach(({ hash, stamp, prior, altered, rowUnsaid }, name) => {
    const own = stamp !== base && compareStamps(stamp, base) !== 0;
    const row = hash === HASH_OF_NO_ROW ? NO_ROW : hash === HASH_OF_EMPTY_ROW ? EMPTY_ROW : 0;
    const how =
      (own ? OWN_STAMP : 0) |
      (prior === undefined ? 0 : PRIOR_STAMP) |
      (altered ? ALTERED : 0) |
      row |
      (rowUnsaid ? ROW_UNSAID : 0);
    const plain = how === 0 ? PLAIN : 0;
    const code = CODE_OF.get(name);
    if (code === undefined) {
      const locale = localeOf(name);
      byte((locale === undefined ? NAMED : DESCRIBED) | plain);
      const length = body.write(locale ?? name, at + 1, 'utf8');
      byte(length);
      at += length;
    } else byte(code | plain);
    if (how !== 0) byte(how);
    at += body.write(isRowHash(hash) ? HASH_OF_NOTHING : hash, at, HASH_BYTES, 'hex');
    if (own) putStamp(stamp);
    if (prior !== undefined) putStamp(prior);
  });
  return body.subarray(0, at);
}

/** Unpacks what {@link encodeShadow} packed; throws a RangeError if the bytes are not a shadow. */
export function decodeShadow(bytes: Buffer): Shadow {
  if (bytes[0] !== VERSION) throw new RangeError(`not a shadow: version ${String(bytes[0])}`);
  let at = 2;
  const sites: { site: string; priority: number }[] = [];
  for (let index = 0; index < bytes.readUInt8(1); index++) {
    const length = bytes.readUInt8(at + 2);
    sites.push({ priority: bytes.readUInt16BE(at), site: bytes.toString('latin1', at + 3, at + 3 + length) });
    at += 3 + length;
  }
  const stamp = (): Stamp => {
    const origin = sites[bytes.readUInt8(at + 8)];
    if (origin === undefined) throw new RangeError('not a shadow: unknown site');
    const read = { ms: bytes.readUIntBE(at, 6), counter: bytes.readUInt16BE(at + 6), ...origin };
    at += STAMP_BYTES;
    return read;
  };
  const text = (): string => {
    const length = bytes.readUInt8(at);
    at += 1 + length;
    return bytes.toString('utf8', at - length, at);
  };

  const base = stamp();
  const born = stamp();
  const count = bytes.readUInt16BE(at);
  at += 2;
  const registers = new Map<RegisterName, RegisterState>();
  for (let index = 0; index < count; index++) {
    const head = bytes.readUInt8(at++);
    const code = head & ~PLAIN;
    const name = code === NAMED ? text() : code === DESCRIBED ? descriptionRegister(text()) : CODES[code - 1];
    if (name === undefined) throw new RangeError(`not a shadow: register code ${code}`);
    const how = (head & PLAIN) === 0 ? bytes.readUInt8(at++) : 0;
    const written = bytes.toString('hex', at, at + HASH_BYTES);
    const hash = (how & NO_ROW) !== 0 ? HASH_OF_NO_ROW : (how & EMPTY_ROW) !== 0 ? HASH_OF_EMPTY_ROW : written;
    at += HASH_BYTES;
    const set = (how & OWN_STAMP) === 0 ? base : stamp();
    const prior = (how & PRIOR_STAMP) === 0 ? {} : { prior: stamp() };
    const altered = (how & ALTERED) === 0 ? {} : { altered: true as const };
    const rowUnsaid = (how & ROW_UNSAID) === 0 ? {} : { rowUnsaid: true as const };
    registers.set(name, { hash, stamp: set, ...prior, ...altered, ...rowUnsaid });
  }
  if (at !== bytes.length) throw new RangeError(`not a shadow: ${bytes.length} bytes, of which ${at} were read`);
  return { born, registers };
}

/** The stamp that most registers share (as one object, as {@link decodeShadow} gives it), so that it is said once. */
export function commonStamp(shadow: Shadow): Stamp {
  const counts = new Map<Stamp, number>();
  let best = shadow.born;
  let most = 0;
  for (const { stamp } of shadow.registers.values()) {
    const count = (counts.get(stamp) ?? 0) + 1;
    counts.set(stamp, count);
    if (count > most) [best, most] = [stamp, count];
  }
  return best;
}

/** Who is named in the stamps: one stamp of each, in the order in which they come. */
function sitesOf({ born, registers }: Shadow, base: Stamp): Stamp[] {
  const sites = [base];
  const note = (stamp: Stamp): void => {
    if (!sites.some((known) => known === stamp || isSameSite(known, stamp))) sites.push(stamp);
  };
  note(born);
  for (const { stamp, prior } of registers.values()) {
    note(stamp);
    if (prior !== undefined) note(prior);
  }
  return sites;
}

function isSameSite(one: Stamp, other: Stamp): boolean {
  return one.site === other.site && one.priority === other.priority;
}
