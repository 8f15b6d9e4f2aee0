/** Whether a plugin peer has something else of a user than this site. Pure. */
import { localeOf, type RegisterName } from '../model/register.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import type { Memory } from './memory.ts';
import { digestsOfOurs, type Place } from './said.ts';

/**
 * True if the peer, as far as we know, has another value somewhere in these registers. Of two daemons that tell a plugin
 * of one user, the last to do so wins there, not the later change: so each tells it again what came from the other.
 */
export function isOutdated(
  memory: Memory,
  host: HostUser,
  registers: readonly RegisterName[],
  hosts: HostUsers,
): boolean {
  return registers
    .flatMap((register) => placesOf(register, hosts))
    .some((place) => {
      const impression = memory.get(place.name);
      if (impression === undefined) return false;
      const ours = digestsOfOurs(host, place, hosts);
      return impression.has !== ours.plain && impression.has !== ours.told;
    });
}

function placesOf(register: RegisterName, hosts: HostUsers): Place[] {
  if (localeOf(register) !== undefined) return [{ register, column: 's_info', name: register }];
  const isRelated = hosts.related.some((one) => one.register === register);
  return (hosts.columns.get(register) ?? []).map(({ name: column }) => ({
    register,
    column,
    name: isRelated ? `${register}.${column}` : column,
  }));
}
