/** Feeding a plugin peer: one page of active and enabled users as rows it can store, and the progress in its words. */
import type { Kysely } from 'kysely';
import type { Table } from '../db/catalog.ts';
import { readShadows, type StoredUser } from '../store/shadows.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { formatProgress } from '../model/progress.ts';
import type { PeerRoute } from '../model/route.ts';
import { canonicalEmail, type Uid } from '../model/uid.ts';
import type { RandomBytes } from '../osclass/defaults.ts';
import { roughBytes } from '../model/record.ts';
import { countEligible } from '../osclass/eligible.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import { encodeUser } from '../osclass/records.ts';
import { makeZone } from '../osclass/timezone.ts';
import { linkOf, type LinkDeps } from './link.ts';
import { makeMayTell, type TellingDeps } from './may-tell.ts';
import type { OutboxWriter } from '../store/ports.ts';
import type { Memory } from '../model/plugin-memory.ts';
import { toFeedRow, toOutgoing } from './record-to-row.ts';
import { afterServing, withRegistration } from './registration.ts';
import type { PeerTimes } from './times.ts';
import { readSeen, writeAccounts, writeMemories, type Seen } from '../store/plugin-seen.ts';

/** What serving needs. */
export interface ServePageDeps extends TellingDeps {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  /** `t_user`. */
  readonly table: Table;
  readonly nowMs: () => number;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly randomBytes: RandomBytes;
  readonly times: PeerTimes;
  /** Most users in one page. */
  readonly limit: number;
}

/** About so many bytes of users are in one page; PHP takes it apart as a whole. One that has more goes alone. */
const MOST_BYTES = 4_000_000;

/** Users with an id above `after`. What is in the page counts as sent; who is left out is sent once the peer may be told. */
export async function servePage(
  deps: ServePageDeps,
  route: PeerRoute,
  after: number,
): Promise<{ message: string; rows: Record<string, unknown>[] }> {
  const { db, hosts, table, limit, randomBytes, times } = deps;
  const wanted = await hosts.after(db, after, limit, { eligible: true });
  const ids = wanted.map((user) => user.id);
  const shadows = await readShadows(db, ids);
  const emails = wanted.map((user) => canonicalEmail(user.email));
  const seen = await readSeen(db, route.name, emails);
  const memories = new Map<string, Memory>();
  const accounts = new Map<string, { user: Uid }>();
  const { others, untold } = await leftOut(db, deps, wanted, shadows, seen);
  let bytes = 0;
  const users: HostUser[] = [];
  const rows: Record<string, unknown>[] = [];
  for (const user of wanted) {
    const stored = others.has(user.id) || untold.has(user.id) ? undefined : shadows.get(user.id);
    const record = stored && encodeUser(user, stored, route.sends, hosts, makeZone(null))?.record;
    bytes += record === undefined ? 0 : roughBytes(record);
    if (bytes > MOST_BYTES && rows.length > 0) break;
    users.push(user);
    if (record === undefined) continue;
    const email = canonicalEmail(user.email);
    const memory = seen.get(email)?.memory ?? undefined;
    const outgoing = withRegistration(toOutgoing(record, user.id, memory, { table, related: hosts.related, times }), {
      memory,
      accountId: seen.get(email)?.accountId ?? null,
      table,
      randomBytes,
      isPage: true,
    });
    const [main] = stored?.uids ?? [];
    if (main !== undefined) accounts.set(email, { user: main });
    memories.set(email, afterServing(memory, outgoing.told));
    rows.push(toFeedRow(outgoing, table));
  }
  await inTransaction(db, async (trx) => {
    await writeMemories(trx, route.name, memories, deps.nowMs());
    await writeAccounts(trx, route.name, accounts);
    const waiting = route.send ? users.filter(({ id: userId }) => untold.has(userId)) : [];
    const entries = waiting.map(({ id: ref }) => ({ peer: route.name, kind: 'user' as const, ref }));
    await deps.outbox.enqueue(trx, entries, deps.nowMs());
  });
  const total = await countEligible(db, table, 0);
  const remaining = Math.max(0, (await countEligible(db, table, after)) - users.length);
  return { message: formatProgress({ total, remaining, retrieved: users.length, limit, after }), rows };
}

/** Users whose rows would be written over another account of the peer: `others`; or over one that may be another: `untold`. */
async function leftOut(
  runner: Runner,
  deps: LinkDeps & TellingDeps,
  users: readonly HostUser[],
  shadows: ReadonlyMap<number, StoredUser>,
  seen: ReadonlyMap<string, Seen>,
): Promise<{ others: ReadonlySet<number>; untold: ReadonlySet<number> }> {
  const others = new Set<number>();
  const untold = new Set<number>();
  const mayTell = await makeMayTell(runner, deps);
  for (const host of users) {
    const stored = shadows.get(host.id);
    const known = seen.get(canonicalEmail(host.email));
    const link = await linkOf(runner, deps, known, { uids: stored?.uids ?? [], regDate: host.regDate });
    if (link === 'waiting' || link === 'elsewhere') others.add(host.id);
    else if (stored !== undefined && !mayTell({ host, stored, seen: known, link })) untold.add(host.id);
  }
  return { others, untold };
}
