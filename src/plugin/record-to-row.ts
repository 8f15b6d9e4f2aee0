/** From a record of ours to a row for a plugin peer: as a form, or as one element of a feed. Pure. */
import type { Column, Table } from '../db/catalog.ts';
import { stampText, type UserRecord, type WireRegister, type WireValue } from '../model/record.ts';
import { descriptionRegister, localeOf, registerOfColumn } from '../model/register.ts';
import { isAdoption, parseStamp } from '../model/stamp.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { impress, impressTold, isKnownToHave, mayHaveSomething, type Memory } from '../model/plugin-memory.ts';
import { isOverflowing } from '../model/plugin-text.ts';
import { isWholeHash } from '../model/password-hash.ts';
import type { PeerTimes } from './times.ts';

/** What a row is made of besides the record. */
export interface OutgoingDeps {
  /** `t_user`: its columns are sent in its order. */
  readonly table: Table;
  readonly related: readonly RelatedTable[];
  readonly times: PeerTimes;
}

/** A row for a plugin peer. */
export interface Outgoing {
  /** Columns to be sent, `pk_i_id` among them. What is not named is left alone at the peer. */
  readonly columns: ReadonlyMap<string, string>;
  readonly descriptions: readonly { readonly locale: string; readonly text: string }[];
  /** Of `t_user_business_profile`; `name` as in {@link told}. */
  readonly profile: readonly { readonly column: string; readonly name: string; readonly text: string }[];
  /** Digest of each value the peer is told, or cannot be told: either way it is not to be told again. */
  readonly told: ReadonlyMap<string, string>;
}

/** What every row bears. */
const ALWAYS: readonly string[] = ['pk_i_id', 's_email'];

/** A form field. */
type Field = readonly [name: string, value: string];

/**
 * The whole row, without what this site has no opinion on: NULL and empty texts say "cleared" only where somebody cleared
 * what the peer is known to have. Whatever else is there was filled by somebody, and stays.
 *
 * @param userId id of the user on this site: the plugin wants one, and only repeats it
 */
export function toOutgoing(
  record: UserRecord,
  userId: number,
  memory: Memory | undefined,
  { table, related, times }: OutgoingDeps,
): Outgoing {
  const columns = new Map<string, string>([['pk_i_id', String(userId)]]);
  const told = new Map<string, string>();
  /** What is to be told of a value: its digest is noted; undefined if it is none of the peer's business. */
  const tell = (name: string, register: WireRegister, text: string | null, digest: string): boolean => {
    if ((text ?? '') === '' && !isSaid(record, register, text, memory, name)) return false;
    told.set(name, digest);
    return true;
  };
  for (const column of table.columns.values()) {
    if (column.name === 's_email') columns.set('s_email', record.email);
    const register = record.registers[registerOfColumn(column.name)];
    const text = textIn(register, column, times);
    if (register === undefined || text === undefined || column.name === 's_email') continue;
    if (!tell(column.name, register, text, impressTold(column.name, text, column))) continue;
    // An empty text says "cleared"; of everything else NULL cannot be said.
    const said = text ?? (column.charset !== null && isClearable(column.name) ? '' : undefined);
    if (said !== undefined && isPlain(column.name, said)) columns.set(column.name, said);
  }
  const descriptions: { locale: string; text: string }[] = [];
  for (const [name, register] of Object.entries(record.registers)) {
    const locale = localeOf(name);
    const text = textOf(register.values['s_info']) ?? null;
    if (locale === undefined || !tell(name, register, text, impress(name, text))) continue;
    if (text !== null && text.trim() !== '') descriptions.push({ locale, text });
  }
  const profile: { column: string; name: string; text: string }[] = [];
  const business = related.find((one) => one.table.base === 't_user_business_profile');
  for (const column of business?.columns ?? []) {
    const register = record.registers[business?.register ?? ''];
    const text = textIn(register, column, times);
    const name = `${business?.register}.${column.name}`;
    if (register === undefined || text === undefined) continue;
    if (!tell(name, register, text, impressTold(name, text, column))) continue;
    if (text !== null && isPlain(column.name, text)) profile.push({ column: column.name, name, text });
  }
  return { columns, descriptions, profile, told };
}

/**
 * The row with only what the peer does not have yet, as far as anybody can know, beside the two columns it must have. What
 * it said, or said OK to, is left alone: to say it again could only put back what was changed there since, for the plugin
 * tells nobody of a changed password, a clicked link, or what another plugin did.
 */
export function onlyChanges(outgoing: Outgoing, memory: Memory | undefined): Outgoing {
  const isChange = (name: string, digest: string): boolean => {
    const theirs = memory?.get(name);
    // It has a password that was set there since, or something newer that this site could not store.
    if (theirs?.unstored === digest || (name === 's_password' && theirs?.refused === digest)) return false;
    return !isKnownToHave(theirs, digest);
  };
  const told = new Map([...outgoing.told].filter(([name, digest]) => isChange(name, digest)));
  const { columns, descriptions, profile } = outgoing;
  return {
    columns: new Map([...columns].filter(([name]) => ALWAYS.includes(name) || told.has(name))),
    descriptions: descriptions.filter(({ locale }) => told.has(descriptionRegister(locale))),
    profile: profile.filter(({ name }) => told.has(name)),
    told,
  };
}

/** True if the row says nothing but who it is about. */
export function saysNothing({ columns, descriptions, profile }: Outgoing): boolean {
  return columns.size <= ALWAYS.length && descriptions.length === 0 && profile.length === 0;
}

/** The fields of `ascData`, in the order of the table. */
export function toFields({ columns, descriptions, profile }: Outgoing): Field[] {
  const userId = columns.get('pk_i_id') ?? '';
  return [
    ...[...columns].map(([name, value]): Field => [`ascData[${name}]`, value]),
    ...descriptions.flatMap(({ locale, text }, index): Field[] => {
      const entry = `ascData[user_description][${index}]`;
      return [
        [`${entry}[fk_i_user_id]`, userId],
        [`${entry}[fk_c_locale_code]`, locale],
        [`${entry}[s_info]`, text],
      ];
    }),
    ...profile.map(({ column, text }): Field => [`ascData[user_business_profile][${column}]`, text]),
  ];
}

/** One element of a feed: every column of the table, NULL where there is nothing to say. */
export function toFeedRow({ columns, descriptions, profile }: Outgoing, table: Table): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const name of table.columns.keys()) row[name] = columns.get(name) ?? null;
  row['user_description'] = descriptions.map(({ locale, text }) => ({
    fk_i_user_id: columns.get('pk_i_id'),
    fk_c_locale_code: locale,
    s_info: text,
  }));
  const ofProfile = profile.map(({ column, text }) => [column, text] as const);
  row['user_business_profile'] = ofProfile.length === 0 ? [] : Object.fromEntries(ofProfile);
  return row;
}

/** Text of a column as the peer is told it; times as it has them. */
function textIn(register: WireRegister | undefined, column: Column, times: PeerTimes): string | null | undefined {
  const text = textOf(register?.values[column.name]);
  return typeof text === 'string' ? times.toTheirs(column, text) : text;
}

/** Text of a value; null for bytes too, which the plugin cannot be sent. Undefined: there is none. */
function textOf(value: WireValue | undefined): string | null | undefined {
  return value === undefined || typeof value === 'string' ? value : null;
}

/**
 * True if it is to be said that there is nothing: somebody emptied, here or behind us, what the peer is known to have; or
 * the account came to be while this site was watched, with an empty text (NULL is none), and the peer does not know it.
 * A register that holds nothing, and never changed since this site is watched, is no opinion.
 */
function isSaid(
  record: UserRecord,
  register: WireRegister,
  text: string | null,
  memory: Memory | undefined,
  name: string,
): boolean {
  const stamp = parseStamp(stampText(record, register));
  if (memory === undefined) return text === '' && stamp !== undefined && !isAdoption(stamp);
  const { prior, values } = register;
  const isOpinion = prior !== undefined || Object.values(values).some((value) => (textOf(value) ?? '') !== '');
  return isOpinion && mayHaveSomething(memory.get(name));
}

/** A code or a name that must be somebody's is never cleared: left out, the peer keeps what it has. */
function isClearable(column: string): boolean {
  return !column.startsWith('fk_') && column !== 's_username' && column !== 's_password';
}

/** A row with anything else would fail at the peer, there and at every later try. */
function isPlain(column: string, text: string): boolean {
  if (column === 's_password') return isWholeHash(text);
  return !isOverflowing(text);
}
