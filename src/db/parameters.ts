/**
 * What may be bound. The driver would splice an array into the statement, spell an object as assignments, NaN as a name
 * and undefined as NULL (MYSQL.md): all of these are mistakes of ours and are refused before they reach the server.
 */

/** A value that can be bound to a `?`. */
export type Bindable = string | number | bigint | boolean | Uint8Array | null;

/** The same values, ready for the driver. Throws TypeError (with the position, never the value) on anything else. */
export function checkedParameters(parameters: readonly unknown[]): Bindable[] {
  return parameters.map((value, at) => {
    if (typeof value === 'string' || value === null || Buffer.isBuffer(value)) return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (typeof value === 'bigint' || typeof value === 'boolean') return value;
    if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    throw new TypeError(`SQL parameter ${at + 1} is a ${describe(value)}, which cannot be bound`);
  });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return typeof value === 'number' ? 'number that is not finite' : typeof value;
}
