/**
 * Many values as one parameter: the driver writes them out one after the other. For a thousand rows that is a fraction
 * of the time that a parameter for each value takes, most of which the query builder would need.
 */
import { sql, type RawBuilder } from 'kysely';
import { slicesOfWeight } from '../runtime/each-of.ts';
import type { Bindable } from './parameters.ts';

/** Values, or rows of values; only made here, so that no other list reaches the driver. */
export class Listed {
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
