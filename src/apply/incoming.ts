/** Records of living users as this site reads them. Pure. */
import { requireUid } from '../store/shadows.ts';
import type { Births } from '../model/births.ts';
import type { RemoteRegister } from '../model/merge.ts';
import { judgeProof, proofOf, type Proof } from '../model/proof.ts';
import { birthsOfUser, type UserRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { RegisterName } from '../model/register.ts';
import type { Stamp } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import { valuesAsForms } from '../osclass/form-text.ts';
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
  readonly births: Births;
  /** Who proved the address of the record, as far as the peer's word goes; null: nobody. */
  readonly proof: Proof | null;
  /** Until then a change of address in it waits. */
  readonly heldUntilMs: number;
  /** See {@link Registered}. */
  readonly registeredMs: number | undefined;
  readonly registers: ReadonlyMap<RegisterName, RemoteRegister>;
  /** Those of them that are stored as forms would store them, and so hold less than was sent. */
  readonly sanitized: ReadonlySet<RegisterName>;
  /** Those of them whose times are not known to be the same or other than ours. */
  readonly inLocalTime: ReadonlySet<RegisterName>;
}

/** Decodes a record that a schema has let through; texts as the peer's entry says. */
export function toIncoming(
  record: UserRecord,
  deps: IncomingDeps,
  { name, emailTrust, sanitize }: Pick<PeerRoute, 'name' | 'emailTrust' | 'sanitize'>,
): Incoming {
  const registers = decodeRegisters(record, deps.hosts, deps.zone);
  const sanitized = new Set<RegisterName>();
  for (const [register, remote] of sanitize === 'osclass' ? registers : []) {
    const values = valuesAsForms(register, remote.values);
    if (values === remote.values) continue;
    registers.set(register, { ...remote, values });
    sanitized.add(register);
  }
  const born = requireStamp(record.born);
  const { email } = record;
  const proof = record.proof && proofOf(email, record.proof.site, record.proof.at);
  const active = record.registers['status']?.values['b_active'] === '1';
  const date = registers.get('dt_reg_date')?.values['dt_reg_date'];
  const births = birthsOfUser(record);
  return {
    record,
    uids: record.uids.map(requireUid),
    born,
    births,
    proof: judgeProof({ proof, email, active, born, births }, name, emailTrust),
    heldUntilMs: record.heldUntil ?? 0,
    registeredMs: typeof date === 'string' ? deps.registeredMs(date) : undefined,
    registers,
    sanitized,
    inLocalTime: registersInLocalTime(record, deps.hosts, deps.zone),
  };
}
