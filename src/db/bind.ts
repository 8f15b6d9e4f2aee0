/**
 * What may be bound to statements. The driver would splice an array into the statement, spell an object as assignments, NaN as a
 * name and undefined as NULL: all of these are mistakes of ours and are refused before they reach the server. Many values go as
 * one parameter that the driver writes out one after the other: for a thousand rows that is a fraction of the time that a
 * parameter for each value takes, most of which the query builder would need.
 */
import { sql, type RawBuilder } from 'kysely';
import { slicesOfWeight } from '../runtime/each-of.ts';

/** A value that can be bound to a `?`. */
export type Bindable = string | number | bigint | boolean | Uint8Array | null;

/** Values ready for the driver; lists only where they were meant. */
type Checked = Bindable | readonly (Bindable | readonly Bindable[])[];

/** The same values, ready for the driver. Throws TypeError (with the position, never the value) on anything else. */
export function checkedParameters(parameters: readonly unknown[]): Checked[] {
  return parameters.map((value, at) => {
    if (!(value instanceof Listed)) return checked(value, at);
    return value.values.map((item) => (isRow(item) ? item.map((one) => checked(one, at)) : checked(item, at)));
  });
}

function checked(value: unknown, at: number): Bindable {
  if (typeof value === 'string' || value === null || Buffer.isBuffer(value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError(`SQL parameter ${at + 1} is a ${describe(value)}, which cannot be bound`);
}

function isRow(item: Bindable | readonly Bindable[]): item is readonly Bindable[] {
  return Array.isArray(item);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return typeof value === 'number' ? 'number that is not finite' : typeof value;
}

/** Values, or rows of values; only made here, so that no other list reaches the driver. */
class Listed {
  readonly values: readonly (Bindable | readonly Bindable[])[];

  constructor(values: readonly (Bindable | readonly Bindable[])[]) {
    if (values.length === 0) throw new RangeError('an empty list is no SQL');
    this.values = values;
  }
}

/** `a, b, c`, for `IN (…)`. Throws a RangeError if there are none. */
export function bindList(values: Iterable<Bindable>): RawBuilder<unknown> {
  return sql`${new Listed([...values])}`;
}

/** `(a, b), (c, d)`, for `VALUES …`. Throws a RangeError if there are none. */
export function bindRows(tuples: readonly (readonly Bindable[])[]): RawBuilder<unknown> {
  return sql`${new Listed(tuples)}`;
}

/**
 * Longest list of rows in one statement, in bytes: with room for the rest of it below 1 MiB, the least that servers are set
 * to take (`max_allowed_packet`). The gain of longer ones is small.
 */
const MOST_BYTES = 900_000;

/**
 * Items divided so that the rows made of each part go into one statement, in order; a row that is too long for any goes
 * alone. No more than 1,000 in a part.
 */
export function dividedForStatements<T>(items: readonly T[], rowOf: (item: T) => readonly Bindable[]): T[][] {
  return slicesOfWeight(items, (item) => bytesOf(rowOf(item)), { most: MOST_BYTES, length: MOST_ROWS });
}

const MOST_ROWS = 1000;

/** At most so many bytes the row has in a statement. */
function bytesOf(row: readonly Bindable[]): number {
  return row.reduce<number>((sum, value) => {
    // Bytes are written as hex; in text each sign may be escaped.
    if (value instanceof Uint8Array) return sum + 2 * value.length + 5;
    return sum + (typeof value === 'string' ? 2 * Buffer.byteLength(value) + 4 : 24);
  }, 4);
}
