/** Between the values of host columns and registers, without losing a bit: what to ask for, and what the answer says. */
import { sql, type RawBuilder } from 'kysely';
import { id, type Column } from '../db/catalog.ts';
import type { Bindable } from '../db/bind.ts';
import type { Value } from '../model/register.ts';
import { withoutLeadingZeros, withoutTrailingZeros } from '../model/trim-text.ts';

/** What the driver hands over for a column: numbers, times and JSON as text. */
export type Raw = string | number | Buffer | null | undefined;

/** Servers refuse what is larger even if it rounds to this. */
const LARGEST_FLOAT = Math.fround(3.402_823_4e38);

/** Types that the driver would take apart. */
const OPAQUE = new Set([
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
  'geomcollection',
  'vector',
]);

const BYTES = new Set([...OPAQUE, 'binary', 'varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'bit']);

/** True for columns whose values are bytes: they travel as hex, and are written as they were read. */
export function holdsBytes(column: Column): boolean {
  return BYTES.has(column.type);
}

/**
 * The expression that reads a column. Most are read as they are; but as text a FLOAT loses digits and a YEAR of 0000 its
 * zeros, and shapes and vectors come as they are stored.
 *
 *     `f` * 1e0 AS `f` · CAST(`y` AS CHAR) AS `y` · CAST(`g` AS BINARY) AS `g`
 */
export function selectColumn(column: Column): RawBuilder<unknown> {
  const name = id(column.name);
  if (column.type === 'float') return sql`CAST(${name} * 1e0 AS CHAR) AS ${name}`;
  if (column.type === 'double' || column.type === 'year') return sql`CAST(${name} AS CHAR) AS ${name}`;
  if (OPAQUE.has(column.type)) return sql`CAST(${name} AS BINARY) AS ${name}`;
  return name;
}

/** A column's value, read by {@link selectColumn}, as a register holds it. */
export function columnValue(column: Column, raw: Raw): Value {
  return inOneForm(column, toValue(raw));
}

/**
 * The one form that a value of the column's type has on every site, whatever the width and scale there, so that equal
 * values have equal hashes: `00012.500` → `12.5`, `10:00:00.000` → `10:00:00`, 0x0001 of a BIT → 0x01.
 */
export function inOneForm(column: Column, value: Value): Value {
  if (value === null) return null;
  if (typeof value !== 'string') return column.type === 'bit' ? { hex: withoutZeros(value.hex) } : value;
  switch (column.type) {
    case 'float':
      return shortestFloat(value);
    case 'double':
      return Number.isFinite(Number(value)) ? textOf(Number(value)) : value;
    case 'decimal':
    case 'time':
    case 'datetime':
    case 'timestamp':
      return withoutFiller(value, column.type === 'decimal');
    default:
      return column.precision === null ? value : withoutFiller(value, true);
  }
}

function withoutFiller(text: string, isNumber: boolean): string {
  const short = withoutTrailingZeros(text);
  return isNumber ? withoutLeadingZeros(short) : short;
}

function textOf(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number);
}

/** A value whose column needs no care. */
function toValue(raw: Raw): Value {
  if (raw === null || raw === undefined) return null;
  if (Buffer.isBuffer(raw)) return { hex: raw.toString('hex') };
  return String(raw);
}

/** A value as a parameter. */
export function bind(value: Value | number): Bindable {
  return typeof value === 'object' && value !== null ? Buffer.from(value.hex, 'hex') : value;
}

/** Bits are a number: how many zero bytes stand before it depends on the width of the column. */
function withoutZeros(hex: string): string {
  let start = 0;
  while (start + 2 < hex.length && hex.startsWith('00', start)) start += 2;
  return hex.slice(start);
}

/** The shortest number that is this 32-bit float and no other: 0.1, not 0.10000000149011612. */
function shortestFloat(text: string): string {
  const exact = Math.fround(Number(text));
  if (!Number.isFinite(exact)) return text;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(exact.toPrecision(digits));
    if (Math.fround(short) === exact && Math.abs(short) <= LARGEST_FLOAT) return textOf(short);
  }
  return textOf(exact);
}
