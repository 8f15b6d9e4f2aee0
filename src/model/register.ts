/**
 * Registers: the smallest things that are merged as a whole. A column is one, except where columns belong together
 * (groups), and the description in one language is one.
 */
import { hash } from 'node:crypto';

/** `s_name`, `password`, `status`, `address`, `user_description:es_ES`, … */
export type RegisterName = string;

/** Text, NULL, or bytes of a binary column in hex. */
export type Value = string | null | { readonly hex: string };

/** Column name → value, of one register. */
export type Values = Readonly<Record<string, Value>>;

/** Columns that move together. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  password: ['s_password'],
  status: ['b_enabled', 'b_active'],
  address: [
    'fk_c_country_code',
    's_country',
    's_region',
    's_city',
    's_city_area',
    's_address',
    's_zip',
    'd_coord_lat',
    'd_coord_long',
    's_country_native',
    's_region_native',
    's_city_native',
  ],
};

/** The name under which a config lists all descriptions. */
export const DESCRIPTION = 'user_description';

/** The register of the description in one language. */
export function descriptionRegister(locale: string): RegisterName {
  return `${DESCRIPTION}:${locale}`;
}

/** The locale of a description register; undefined for every other register. */
export function localeOf(register: RegisterName): string | undefined {
  return register.startsWith(`${DESCRIPTION}:`) ? register.slice(DESCRIPTION.length + 1) : undefined;
}

const GROUP_OF = new Map(Object.entries(GROUPS).flatMap(([group, columns]) => columns.map((c) => [c, group] as const)));

/** The register a column of `t_user` belongs to. */
export function registerOfColumn(column: string): RegisterName {
  return GROUP_OF.get(column) ?? column;
}

/**
 * In the values of a register that is a row of its own table (a description, a related table): whether there is one. Values
 * without it are of a sender that could not say; then a row whose columns are all NULL may be none. No column is called so.
 */
export const ROW = '(row)';

/** Whether there is a row. */
export type RowState = 'here' | 'none';

/** What the values say of their row; undefined if they say nothing, or the register is no row of its own. */
export function rowOf(values: Values): RowState | undefined {
  const state = values[ROW];
  return state === 'here' || state === 'none' ? state : undefined;
}

/** The same values without what they say of the row. */
export function withoutRow(values: Values): Values {
  if (values[ROW] === undefined) return values;
  const { [ROW]: _, ...columns } = values;
  return columns;
}

/** Hex digits of a register hash. */
export const HASH_HEX = 16;

/** Hash of a row that is not there. Of equal stamps the larger hash wins, so this one loses: nothing is deleted by a tie. */
export const HASH_OF_NO_ROW = '0'.repeat(HASH_HEX);

/** Hash of a row whose columns are all NULL. */
export const HASH_OF_EMPTY_ROW = `${'0'.repeat(HASH_HEX - 1)}1`;

/**
 * A 64-bit digest of the exact stored bytes of a register: what equals the shadow's is not a change. A column that is
 * NULL counts like one that is not there, so that a new column makes no change of its group.
 */
export function hashValues(values: Values): string {
  let text = '';
  for (const column of inOrder(Object.keys(values))) {
    const value = values[column];
    if (value === null || value === undefined || column === ROW) continue;
    if (typeof value === 'string') text += `${column}\u0000T${value.length}:${value}`;
    else text += `${column}\u0000B${value.hex.length}:${value.hex}`;
  }
  if (text !== '') return digest(text);
  const row = rowOf(values);
  return row === undefined ? HASH_OF_NOTHING : row === 'none' ? HASH_OF_NO_ROW : HASH_OF_EMPTY_ROW;
}

/** True for the hash of an empty row, or of none. */
export function isRowHash(digits: string): boolean {
  return digits === HASH_OF_NO_ROW || digits === HASH_OF_EMPTY_ROW;
}

/** True if a register of that hash holds these values. Who does not say whether there is a row agrees with both. */
export function isHashOf(known: string, values: Values): boolean {
  const held = hashValues(values);
  const isUnsaid = known === HASH_OF_NOTHING || held === HASH_OF_NOTHING;
  return held === known || (isUnsaid && (isRowHash(known) || isRowHash(held)));
}

/** The names in order; the same array if they were, as they mostly are. */
function inOrder(columns: string[]): string[] {
  const isOrdered = columns.every((column, at) => at === 0 || (columns[at - 1] ?? '') < column);
  return isOrdered ? columns : columns.toSorted();
}

function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, HASH_HEX);
}

/** A third of all registers hold nothing. */
export const HASH_OF_NOTHING = digest('');

/** True if every column of the register is NULL. */
export function isEmpty(values: Values): boolean {
  return Object.entries(values).every(([column, value]) => value === null || column === ROW);
}
