/** What is kept of a record that waits: as much as a statement and a table of things that wait can well hold. Pure. */
import type { UserRecord, WireRecord } from '../model/record.ts';
import type { RegisterName } from '../model/register.ts';

/** A profile has some thousand bytes; servers may refuse statements above 1 MiB, and bytes take twice their length. */
const MOST_BYTES = 256 * 1024;

/** A record to be kept. */
export interface KeptRecord {
  readonly body: Buffer;
  /** Registers that were too large to be kept; the largest are left out first. */
  readonly leftOut: readonly RegisterName[];
}

/** Cuts a record down to what is kept. */
export function keepRecord(record: WireRecord): KeptRecord {
  const whole = Buffer.from(JSON.stringify(record));
  if (whole.length <= MOST_BYTES || record.kind === 'removal') return { body: whole, leftOut: [] };
  const sizes = Object.entries(record.registers)
    .map(([register, state]) => ({ register, size: JSON.stringify(state).length }))
    .toSorted((a, b) => b.size - a.size);
  const leftOut: RegisterName[] = [];
  let size = whole.length;
  for (const one of sizes) {
    if (size <= MOST_BYTES) break;
    leftOut.push(one.register);
    size -= one.size;
  }
  const registers = Object.fromEntries(
    Object.entries(record.registers).filter(([register]) => !leftOut.includes(register)),
  );
  return { body: Buffer.from(JSON.stringify({ ...record, registers })), leftOut };
}

/** Who a record is of, without anything that the account has. */
export function keepIdentity(record: UserRecord): UserRecord {
  return { ...record, registers: {} };
}

/** True of what {@link keepIdentity} left: there is nothing to make an account of. */
export function isIdentityOnly({ registers }: UserRecord): boolean {
  return Object.keys(registers).length === 0;
}
