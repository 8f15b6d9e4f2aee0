/**
 * What may be bound. The driver would splice an array into the statement, spell an object as assignments, NaN as a name
 * and undefined as NULL: all of these are mistakes of ours and are refused before they reach the server.
 */
import { Listed } from './lists.ts';

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
