/**
 * Many values as one parameter: the driver writes them out one after the other. For a thousand rows that is a fraction
 * of the time that a parameter for each value takes, most of which the query builder would need.
 */
import { sql, type RawBuilder } from 'kysely';
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
