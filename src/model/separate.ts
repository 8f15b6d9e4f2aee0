/** Records of a user who is known to be somebody else than whoever has the address on this site. Pure. */
import type { UserRecord, WireRecord } from './record.ts';

/**
 * A record that is never taken to be about the holder of its address here: it waits until the address is free. Only made
 * and kept on this site; a request with such a field is refused.
 */
export type SeparateRecord = UserRecord & { readonly separate: true };

/** Marks a record. */
export function toSeparate(record: UserRecord): SeparateRecord {
  return { ...record, separate: true };
}

/** True for a record that {@link toSeparate} marked, also after it was kept as JSON. */
export function isSeparate(record: WireRecord): record is SeparateRecord {
  return (record as Partial<SeparateRecord>).separate === true;
}
