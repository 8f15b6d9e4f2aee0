/** Uids: the identity of a user across sites, and the canonical e-mail the first one is derived from. */
import { parse, v5 } from 'uuid';

/** A UUID in its lower-case text form. */
export type Uid = string & { readonly __brand: 'Uid' };

/** Namespace of all uids derived here. Every site must use the same, so it never changes. */
const NAMESPACE = parse('6c0cd4a5-9c6b-5a34-8a6b-3f8a5a3f7b11');

/** Bytes of one uid in the database. */
const UID_BYTES = 16;

const UID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Pattern of the text form, for schemas. */
export const UID_PATTERN = UID_TEXT.source;

/** Trimmed and lower-cased: two addresses are the same person only if these are equal, character by character. */
export function canonicalEmail(email: string): string {
  return email.trim().toLowerCase();
}

/** An address is given to at most this many accounts, one after the other, that are told apart without doubt. */
const INCARNATIONS = 16;

/**
 * The uid that any site gives the account it first meets under an address. `incarnation` counts the accounts that had
 * the address before and are known to be others: removed ones, and ones that moved to another address. So every site
 * comes to the same uid, and a late record of an earlier holder cannot be mistaken for the present one.
 */
export function uidOfEmail(email: string, incarnation = 0): Uid {
  const canonical = canonicalEmail(email);
  const name = incarnation === 0 ? canonical : `${canonical} ${incarnation}`;
  return v5(Buffer.from(name), NAMESPACE) as Uid;
}

/** The first uid of the address that is not used; `isUsed` covers living users, removed ones and reservations. */
export function freeUidOfEmail(email: string, isUsed: (uid: Uid) => boolean): Uid | undefined {
  for (let incarnation = 0; incarnation < INCARNATIONS; incarnation++) {
    const uid = uidOfEmail(email, incarnation);
    if (!isUsed(uid)) return uid;
  }
  return undefined;
}

/** True if the uid was derived from the address. */
export function isUidOfEmail(uid: Uid, email: string): boolean {
  return uidsOfEmail(email).includes(uid);
}

/** Which incarnation of the address these uids stand for; 0 where they were not derived from it. */
export function incarnationOf(uids: readonly Uid[], email: string): number {
  // Most accounts have the first, and no other.
  if (uids.length === 1 && uids[0] === uidOfEmail(email)) return 0;
  for (let incarnation = INCARNATIONS - 1; incarnation > 0; incarnation--) {
    if (uids.includes(uidOfEmail(email, incarnation))) return incarnation;
  }
  return 0;
}

/** Gives an account that cannot keep its uids another: the next one of its address. */
export type NextUid = (uids: readonly Uid[], email: string) => Uid;

/**
 * The uid after those, for an account that goes on when the uids it had turned out to be another's: the next incarnation
 * of its address that is not used, so that all sites come to the same one.
 *
 * @param isUsed whether a uid of the account's address is somebody else's
 * @param random makes a uid where all incarnations are used
 */
export function makeNextUid(isUsed: (uid: Uid, email: string) => boolean, random: () => Uid): NextUid {
  return (uids, email) => {
    for (let incarnation = incarnationOf(uids, email) + 1; incarnation < INCARNATIONS; incarnation++) {
      const uid = uidOfEmail(email, incarnation);
      if (!isUsed(uid, email)) return uid;
    }
    return random();
  };
}

/** Every uid that can be derived from the address. */
export function uidsOfEmail(email: string): Uid[] {
  return Array.from({ length: INCARNATIONS }, (_, incarnation) => uidOfEmail(email, incarnation));
}

/** The text as a uid, or undefined. */
export function parseUid(text: string): Uid | undefined {
  return UID_TEXT.test(text) ? (text as Uid) : undefined;
}

/** 16 bytes for a BINARY(16) column. */
export function uidToBytes(uid: Uid): Buffer {
  const bytes = Buffer.allocUnsafe(UID_BYTES);
  let at = 0;
  for (let index = 0; index < uid.length; index += 2) {
    if (uid.charCodeAt(index) === DASH) index += 1;
    bytes[at] = digitAt(uid, index) * 16 + digitAt(uid, index + 1);
    at += 1;
  }
  return bytes;
}

const DASH = 45;

/** The value of a lower-case hexadecimal digit. */
function digitAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 58 ? code - 48 : code - 87;
}

/** Several uids, one after the other, as stored with a shadow. */
export function uidsToBytes(uids: readonly Uid[]): Buffer {
  return Buffer.concat(uids.map(uidToBytes));
}

/** Reads what {@link uidsToBytes} wrote. */
export function uidsFromBytes(bytes: Buffer): Uid[] {
  const uids: Uid[] = [];
  for (let at = 0; at + UID_BYTES <= bytes.length; at += UID_BYTES) {
    const hex = bytes.toString('hex', at, at + UID_BYTES);
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
    uids.push(parts.join('-') as Uid);
  }
  return uids;
}

/** Both sets, without doubles, those of `first` in front. */
export function uniteUids(first: readonly Uid[], second: readonly Uid[]): Uid[] {
  return [...new Set([...first, ...second])];
}
