/** Records of living users as this site reads them. Pure. */
import { requireUid } from '../store/shadows.ts';
import type { RemoteRegister } from '../model/merge.ts';
import type { UserRecord } from '../model/record.ts';
import type { RegisterName } from '../model/register.ts';
import type { Stamp } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { decodeRegisters, registersInLocalTime, requireStamp } from '../osclass/records.ts';
import type { Zone } from '../osclass/timezone.ts';

/** What decoding needs. */
export interface IncomingDeps {
  readonly hosts: HostUsers;
  readonly zone: Zone;
  /** A date of registration as stored here, in milliseconds; undefined for what is no time. */
  readonly registeredMs: (local: string) => number | undefined;
}

/** A record, decoded. */
export interface Incoming {
  readonly record: UserRecord;
  readonly uids: readonly Uid[];
  readonly born: Stamp;
  /** See {@link Registered}. */
  readonly registeredMs: number | undefined;
  readonly registers: ReadonlyMap<RegisterName, RemoteRegister>;
  /** Those of them whose times are not known to be the same or other than ours. */
  readonly inLocalTime: ReadonlySet<RegisterName>;
}

/** Decodes a record that a schema has let through. */
export function toIncoming(record: UserRecord, deps: IncomingDeps): Incoming {
  const registers = decodeRegisters(record, deps.hosts, deps.zone);
  const date = registers.get('dt_reg_date')?.values['dt_reg_date'];
  return {
    record,
    uids: record.uids.map(requireUid),
    born: requireStamp(record.born),
    registeredMs: typeof date === 'string' ? deps.registeredMs(date) : undefined,
    registers,
    inLocalTime: registersInLocalTime(record, deps.hosts, deps.zone),
  };
}
