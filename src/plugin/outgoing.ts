/** From a record of ours to a row for a plugin peer: as a form, or as one element of a feed. Pure. */
import type { Table } from '../db/catalog.ts';
import type { UserRecord, WireValue } from '../model/record.ts';
import { localeOf, registerOfColumn, type RegisterName } from '../model/register.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { impress, impressTold, type Memory } from './memory.ts';
import { isOverflowing } from './text.ts';
import { isWholeHash } from './wire.ts';

/** What a row is made of besides the record. */
export interface OutgoingDeps {
  /** `t_user`: its columns are sent in its order. */
  readonly table: Table;
  readonly related: readonly RelatedTable[];
}

/** A row for a plugin peer. */
export interface Outgoing {
  /** Columns to be sent, `pk_i_id` among them. What is not named is left alone at the peer. */
  readonly columns: ReadonlyMap<string, string>;
  readonly descriptions: readonly { readonly locale: string; readonly text: string }[];
  readonly profile: ReadonlyMap<string, string>;
  /** Digest of each value the peer is told, or cannot be told: either way it is not to be told again. */
  readonly told: ReadonlyMap<string, string>;
}

/** A form field. */
type Field = readonly [name: string, value: string];

/** @param userId id of the user on this site: the plugin wants one, and only repeats it */
export function toOutgoing(record: UserRecord, userId: number, { table, related }: OutgoingDeps): Outgoing {
  const columns = new Map<string, string>([['pk_i_id', String(userId)]]);
  const told = new Map<string, string>();
  for (const column of table.columns.values()) {
    if (column.name === 's_email') columns.set('s_email', record.email);
    const value = valueOf(record, registerOfColumn(column.name), column.name);
    if (value === undefined || column.name === 's_email') continue;
    const text = typeof value === 'string' ? value : null;
    told.set(column.name, impressTold(column.name, text, column));
    // An empty text says "cleared"; of everything else NULL cannot be said.
    const said = text ?? (column.charset !== null && isClearable(column.name) ? '' : undefined);
    if (said !== undefined && isPlain(column.name, said)) columns.set(column.name, said);
  }
  const descriptions: { locale: string; text: string }[] = [];
  for (const [register, { values }] of Object.entries(record.registers)) {
    const locale = localeOf(register);
    const text = values['s_info'];
    if (locale === undefined) continue;
    told.set(register, impress(register, typeof text === 'string' ? text : null));
    if (typeof text === 'string' && text.trim() !== '') descriptions.push({ locale, text });
  }
  const profile = new Map<string, string>();
  const business = related.find((one) => one.table.base === 't_user_business_profile');
  for (const column of business?.columns ?? []) {
    const value = valueOf(record, business?.register ?? '', column.name);
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : null;
    const name = `${business?.register}.${column.name}`;
    told.set(name, impressTold(name, text, column));
    if (text !== null && isPlain(column.name, text)) profile.set(column.name, text);
  }
  return { columns, descriptions, profile, told };
}

/**
 * The row without the password, if the peer itself said that it has it, or that it has one that was set there since: to
 * say ours again could only put back an old one, for the plugin tells nobody when a password changes.
 */
export function withoutKnownPassword(outgoing: Outgoing, memory: Memory | undefined): Outgoing {
  const ours = outgoing.told.get('s_password');
  const theirs = memory?.get('s_password');
  const isConfirmed = theirs?.has === ours && theirs?.said === true;
  if (ours === undefined || theirs === undefined || (!isConfirmed && theirs.refused !== ours)) return outgoing;
  const isNot = ([name]: readonly [string, string]): boolean => name !== 's_password';
  return {
    ...outgoing,
    columns: new Map([...outgoing.columns].filter(isNot)),
    told: new Map([...outgoing.told].filter(isNot)),
  };
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
    ...[...profile].map(([name, value]): Field => [`ascData[user_business_profile][${name}]`, value]),
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
  row['user_business_profile'] = profile.size === 0 ? [] : Object.fromEntries(profile);
  return row;
}

function valueOf(record: UserRecord, register: RegisterName, column: string): WireValue | undefined {
  return record.registers[register]?.values[column];
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
