/** Users of whom a plugin peer has something else than this site. */
import type { Runner } from '../db/transaction.ts';
import { localeOf, type RegisterName } from '../model/register.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PeerRoute } from '../model/route.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import { BLANK, type Memory } from '../model/plugin-memory.ts';
import { digestsOfOurs, type RegisterColumn } from './row-values.ts';
import { readSeen } from '../store/plugin-seen.ts';
import type { OutboxWriter } from '../store/ports.ts';
import type { PeerTimes } from './times.ts';

/** What telling them needs. */
export interface StaleDeps {
  readonly hosts: HostUsers;
  readonly times: (peer: string) => PeerTimes;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly nowMs: () => number;
}

/**
 * After records of a peer that is no plugin were applied: puts the users that changed into the outboxes of those of the
 * plugin peers that have something else, whoever else may tell them.
 */
export async function tellOutdated(
  runner: Runner,
  plugins: readonly PeerRoute[],
  outcomes: readonly Outcome[],
  { hosts, times, outbox, nowMs }: StaleDeps,
): Promise<void> {
  const changed = new Map(
    outcomes.flatMap(({ userId, registers, result }) =>
      userId !== null && registers.length > 0 && result !== 'retry' ? [[userId, registers] as const] : [],
    ),
  );
  if (changed.size === 0) return;
  for (const route of plugins.filter(({ send }) => send)) {
    const ids = await findStaleUsers(runner, route, changed, hosts, times(route.name));
    await outbox.enqueue(
      runner,
      ids.map((ref) => ({ peer: route.name, kind: 'user', ref })),
      nowMs(),
    );
  }
}

/**
 * Which of the users the peer, as far as we know, has with another value in the registers given. Of two daemons that tell
 * a plugin of one user, the last to do so wins there, not the later change: so each tells it again what came from the other.
 */
async function findStaleUsers(
  runner: Runner,
  { name, sends }: PeerRoute,
  changed: ReadonlyMap<number, readonly RegisterName[]>,
  hosts: HostUsers,
  times: PeerTimes,
): Promise<number[]> {
  const users = [...(await hosts.byId(runner, [...changed.keys()])).values()];
  const emails = users.map((user) => canonicalEmail(user.email));
  const seen = await readSeen(runner, name, emails);
  return users.flatMap((user) => {
    const memory = seen.get(canonicalEmail(user.email))?.memory ?? new Map();
    const registers = (changed.get(user.id) ?? []).filter(sends);
    return isOutdated(memory, user, registers, hosts, times) ? [user.id] : [];
  });
}

function isOutdated(
  memory: Memory,
  host: HostUser,
  registers: readonly RegisterName[],
  hosts: HostUsers,
  times: PeerTimes,
): boolean {
  return registers
    .flatMap((register) => placesOf(register, hosts))
    .some((place) => {
      const impression = memory.get(place.name);
      const ours = digestsOfOurs(host, place, hosts, times);
      if (impression === undefined) return memory.size > 0 && ours.plain !== BLANK;
      return impression.has !== ours.plain && impression.has !== ours.told;
    });
}

function placesOf(register: RegisterName, hosts: HostUsers): RegisterColumn[] {
  if (localeOf(register) !== undefined) return [{ register, column: 's_info', name: register }];
  const isRelated = hosts.related.some((one) => one.register === register);
  return (hosts.columns.get(register) ?? []).map(({ name: column }) => ({
    register,
    column,
    name: isRelated ? `${register}.${column}` : column,
  }));
}
