/** A user's row as the PHP plugin sends it, read from a form or from JSON, with everything foreign left out. Pure. */
import { SyncError } from '../model/errors.ts';
import { canonicalEmail } from '../model/uid.ts';
import { isWholeHash, NO_PASSWORD } from '../model/password-hash.ts';
import { maskHash } from '../model/plugin-text.ts';
import { isMasked, isMaskedHash } from './wire.ts';

/** A row, read. What was absent or NULL is in none of the maps: it means "no change". */
export interface PluginRow {
  /** Of the sender; only ever repeated to it. */
  readonly id: string;
  /** Trimmed, in lower case. */
  readonly email: string;
  readonly columns: ReadonlyMap<string, string>;
  /** By locale. */
  readonly descriptions: ReadonlyMap<string, string>;
  /** The row of `t_user_business_profile`, where the sender has that table. */
  readonly profile: ReadonlyMap<string, string>;
  /** The password came masked, or not at all, and was left out; or as something that this site does not store. */
  readonly withoutPassword: boolean;
  /** The password as a feed shows it. */
  readonly maskedPassword: string | undefined;
  /** Times as the peer says them, by name in the memory; empty while the other maps have them so too. */
  readonly theirs: ReadonlyMap<string, string>;
  /** Of the columns that Osclass always fills, those that are empty there, as the row is whole. */
  readonly lacks: ReadonlySet<string>;
}

/** What reading a row came to. */
export type RowReading =
  | { readonly kind: 'row'; readonly row: PluginRow }
  /** `pk_i_id` or `s_email` is missing or blank. */
  | { readonly kind: 'incomplete' }
  /** A field has a form that the plugin never sends. */
  | { readonly kind: 'wrong'; readonly why: string };

const DESCRIPTIONS = 'user_description';
const PROFILE = 'user_business_profile';
const LOCALE = /^[A-Za-z0-9_-]{2,5}$/;
/** More than the record of a user may have. */
const MAX_EMAIL = 320;

/** Reads a decoded form (`ascData`) or one element of a feed. */
export function readRow(raw: unknown): RowReading {
  try {
    const fields = mapOf(raw, 'the row');
    const columns = new Map<string, string>();
    for (const [name, value] of Object.entries(fields)) {
      if (name === DESCRIPTIONS || name === PROFILE) continue;
      const text = textOf(value, name);
      if (text !== undefined) columns.set(name, text);
    }
    const id = (columns.get('pk_i_id') ?? '').trim();
    const email = canonicalEmail(columns.get('s_email') ?? '');
    if (id === '' || email === '') return { kind: 'incomplete' };
    if (!/^\d{1,18}$/.test(id)) throw new SyncError('REQUEST_INVALID', 'pk_i_id is no number');
    if (email.length > MAX_EMAIL) throw new SyncError('REQUEST_INVALID', 's_email is too long');
    const hash = columns.get('s_password');
    const lacks = new Set(ALWAYS_FILLED.filter((name) => isEmpty(name, columns.get(name))));
    const withoutPassword = hash === undefined || !isWholeHash(hash);
    guard(columns, id);
    const descriptions = descriptionsOf(fields[DESCRIPTIONS]);
    const profile = profileOf(fields[PROFILE]);
    const maskedPassword = hash !== undefined && isMaskedHash(hash) ? hash : undefined;
    return {
      kind: 'row',
      row: { id, email, columns, descriptions, profile, withoutPassword, maskedPassword, lacks, theirs: new Map() },
    };
  } catch (error) {
    if (error instanceof SyncError) return { kind: 'wrong', why: error.message };
    throw error;
  }
}

/** Osclass leaves none of these empty. */
const ALWAYS_FILLED: readonly string[] = ['s_name', 's_username', 's_password', 's_secret'];

function isEmpty(name: string, value: string | undefined): boolean {
  return (value ?? '').trim() === '' || (name === 's_password' && value === maskHash(''));
}

/** Takes out what must not be believed: masked hashes, names that are ids, dates and flags that are none. */
function guard(columns: Map<string, string>, id: string): void {
  for (const [name, value] of columns) {
    if (!isBelievable(name, value, id)) columns.delete(name);
  }
  // A code without the name it stands for may be left over from another place.
  if ((columns.get('s_country') ?? '').trim() === '') columns.delete('fk_c_country_code');
}

function isBelievable(name: string, value: string, id: string): boolean {
  // What else is no hash is refused when the row is applied, and that is said.
  if (name === 's_password') return value !== '' && value !== NO_PASSWORD && !isMasked(value);
  if (name === 's_username') return value.trim() !== '' && value !== id && !/^\s*\d+\s*$/.test(value);
  if (name === 'fk_c_country_code') return /^[A-Za-z]{2}$/.test(value);
  if (name.startsWith('b_')) return value === '0' || value === '1';
  if (name.startsWith('dt_')) return /^[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(value);
  if (name.startsWith('d_')) return /^-?\d+(?:\.\d*)?$/.test(value);
  return true;
}

function descriptionsOf(raw: unknown): Map<string, string> {
  const texts = new Map<string, string>();
  if (raw === undefined || raw === null || raw === '') return texts;
  const list = Object.entries(Array.isArray(raw) ? Object.fromEntries(raw.entries()) : mapOf(raw, DESCRIPTIONS));
  for (const [index, entry] of list) {
    if (!/^\d{1,4}$/.test(index)) throw new SyncError('REQUEST_INVALID', `${DESCRIPTIONS} is no list`);
    const fields = mapOf(entry, DESCRIPTIONS);
    const locale = textOf(fields['fk_c_locale_code'], 'fk_c_locale_code') ?? '';
    const text = textOf(fields['s_info'], 's_info');
    if (!LOCALE.test(locale)) throw new SyncError('REQUEST_INVALID', 'fk_c_locale_code is no language');
    // The plugin never sends an emptied description, so a blank one is a whim of some form.
    if (text !== undefined && text.trim() !== '') texts.set(locale, text);
  }
  return texts;
}

function profileOf(raw: unknown): Map<string, string> {
  const columns = new Map<string, string>();
  if (raw === undefined || raw === null || raw === '' || (Array.isArray(raw) && raw.length === 0)) return columns;
  for (const [name, value] of Object.entries(mapOf(raw, PROFILE))) {
    const text = textOf(value, name);
    if (text !== undefined) columns.set(name, text);
  }
  return columns;
}

function mapOf(raw: unknown, what: string): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new SyncError('REQUEST_INVALID', `${what} is no map`);
  return raw as Record<string, unknown>;
}

/** Text as it came; undefined for NULL and what is absent. Names of columns are said, for they are no secret. */
function textOf(raw: unknown, name: string): string | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (typeof raw === 'string') return raw;
  if (typeof raw === 'number' && Number.isFinite(raw)) return String(raw);
  throw new SyncError('REQUEST_INVALID', `${/^\w{1,64}$/.test(name) ? name : 'a column'} is no text`);
}
