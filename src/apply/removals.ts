/** Removals from peers: the accounts they mean are deleted as Osclass deletes them, and get a tombstone, in one transaction. */
import type { Transaction } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import type { OutboxWriter, Routes } from '../store/ports.ts';
import {
  bindUids,
  writeTombstones,
  forgetUsers,
  requireUid,
  tombstonesByUid,
  writeShadows,
  type StoredUser,
} from '../store/shadows.ts';
import { uidsToRemove } from '../store/uid-assignment.ts';
import { absorb } from '../model/absorb.ts';
import { SyncError } from '../model/errors.ts';
import { CHANGE } from '../model/guard.ts';
import { heldUntil } from '../model/proof.ts';
import { planRemoval, type Candidate, type RemovalPlan } from '../model/identity.ts';
import { routesFor, type OutboxEntry, type PeerRoute, type RemovalMode } from '../model/route.ts';
import { birthsIn, type RemovalRecord } from '../model/record.ts';
import { birthsOfBoth, hashRemovedEmail, type Removal } from '../model/tombstone.ts';
import { compareStamps, type Origin, type Stamp } from '../model/stamp.ts';
import { uniteUids, type Uid } from '../model/uid.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { requireStamp } from '../osclass/records.ts';
import { removeUser } from '../osclass/removal.ts';
import { updateUser } from '../osclass/write-users.ts';
import { requireNotBound } from './concurrent-removal.ts';
import { hideItemsOf } from './hidden-items.ts';
import { keepLeftovers } from './item-leftovers.ts';
import type { Loaded, LocalUser } from './load.ts';
import type { Note, RecordSource, Outcome } from '../model/outcome.ts';
import { unparkRemoved } from '../store/parked.ts';

/** What removing needs. */
export interface RemovalDeps {
  readonly catalog: Catalog;
  readonly hosts: HostUsers;
  readonly origin: Origin;
  readonly outbox: OutboxWriter;
  readonly routes: Routes;
  readonly nowMs: () => number;
  readonly removal: RemovalPolicy;
}

/** What a removal or block elsewhere does here besides what the peer's entry says ({@link PeerRoute.removalMode}). */
export interface RemovalPolicy {
  /** What blocking does to the listings of the account. */
  readonly itemsOfBlocked: 'keep' | 'hide';
  /** Tables with one row per user that go with it. */
  readonly related: readonly { readonly table: string; readonly key: string }[];
}

/** A removal, decoded. */
export interface IncomingRemoval extends Removal {
  readonly uids: readonly Uid[];
  /** Until then it waits. */
  readonly heldUntilMs: number;
  /** Accounts that are known not to be meant. */
  readonly spared?: ReadonlySet<number>;
}

/** Decodes a removal that a schema has let through. */
export function toIncomingRemoval(record: RemovalRecord): IncomingRemoval {
  return {
    uids: record.uids.map(requireUid),
    stamp: requireStamp(record.stamp),
    emailHash: record.emailHash,
    births: birthsIn(record),
    heldUntilMs: record.heldUntil ?? 0,
  };
}

/** The accounts a removal means, and those that part from its uids. */
export function planOfRemoval(removal: IncomingRemoval, loaded: Loaded): RemovalPlan {
  const main = removal.uids[0] as Uid;
  const named = [...new Set(removal.uids.map((uid) => loaded.byUid.get(uid)).filter((user) => user !== undefined))];
  const isMeant = (email: string): boolean => removal.emailHash === hashRemovedEmail(main, email);
  const isSpared = ({ userId }: Candidate): boolean => removal.spared?.has(userId) === true;
  return planRemoval(removal, named, isMeant, loaded.nextUid, isSpared);
}

/**
 * Removes the accounts a removal means. An account that came to be after the removal stays; one that is not meant parts
 * from the removed uids. Throws `FOREIGN_KEY` before anything was deleted. Removing twice does nothing more.
 *
 * @param found `isFinding`: nobody told us of this removal; it follows from a record that names a removed user, and what
 *   it names besides is removed too, so all are told. `isAnswer`: the peer is told in any case, for it knows less
 */
export async function removeAccounts(
  trx: Transaction<unknown>,
  deps: RemovalDeps,
  removal: IncomingRemoval,
  loaded: Loaded,
  from: RecordSource,
  { isFinding = false, isAnswer = false }: { readonly isFinding?: boolean; readonly isAnswer?: boolean } = {},
): Promise<Outcome> {
  const { outbox, nowMs } = deps;
  const main = removal.uids[0] as Uid;
  const plan = planOfRemoval(removal, loaded);
  const removed = plan.remove.map((userId) => loaded.users.get(userId) as LocalUser);

  let uids = removal.uids;
  const notes: Note[] = [];
  for (const user of removed) {
    uids = uniteUids(uids, await uidsToRemove(trx, user));
    notes.push(...(await removeByMode(trx, deps, user, from.route.removalMode)));
  }
  const known = await tombstonesByUid(trx, uids);
  const births = [...removed, ...known.values()].reduce((all, one) => birthsOfBoth(all, one.births), removal.births);
  const stamp = [...known.values()].reduce((latest, one) => later(latest, one.stamp), removal.stamp);
  // That which counts goes on waiting at the peers, however often and by whomever it is told.
  const counting = [removal, ...known.values()].filter((one) => compareStamps(one.stamp, stamp) === 0);
  const held = [...removed.map(({ provenance }) => provenance), ...counting].flatMap((one) => one.heldUntilMs ?? []);
  const heldUntilMs = heldUntil(Math.max(0, ...held), nowMs());
  const isKnown = (uid: Uid): boolean => {
    const one = known.get(uid);
    return one !== undefined && compareStamps(one.stamp, stamp) === 0;
  };
  await forgetUsers(
    trx,
    removed.map((user) => user.userId),
  );
  await outbox.dropUsers(
    trx,
    removed.map((user) => user.userId),
  );
  if (from.route.removalMode !== 'delete') await detach(trx, deps, removed);
  await writeTombstones(trx, { uids, stamp, emailHash: removal.emailHash, births, heldUntilMs, nowMs: nowMs() });
  await requireNotBound(trx, loaded, removal.uids);
  const removals = new Set([...(await tombstonesByUid(trx, uids)).values()].map((one) => one.removalId));

  const entries: OutboxEntry[] = [];
  // What a person let in here goes on as it came.
  const changes = from.approved?.includes('removals') === true ? 0 : CHANGE.removal;
  const tell = (routes: readonly PeerRoute[]): void => {
    for (const { name: peer } of routes)
      for (const ref of removals) entries.push({ peer, kind: 'removal', ref, changes });
  };
  const all = routesFor(deps.routes(), 'all');
  // What only this site knew the account by, nobody else will tell.
  if (uids.some((uid) => (isFinding || !removal.uids.includes(uid)) && !known.has(uid))) tell(all);
  else if (from.route.relay && !uids.every(isKnown)) tell(routesFor(deps.routes(), 'all', from.route.name));
  if (isAnswer) tell(all.filter((route) => route.name === from.route.name));
  for (const parting of plan.partings) {
    const user = loaded.users.get(parting.userId) as LocalUser;
    const { userId, shadow, provenance } = user;
    await writeShadows(trx, [{ userId, uids: parting.uids, shadow, provenance }]);
    await bindUids(
      trx,
      parting.uids.map((uid) => ({ uid, userId: user.userId })),
    );
    for (const route of all) entries.push({ peer: route.name, kind: 'user', ref: user.userId });
  }
  await outbox.enqueue(trx, entries, nowMs());
  const told = entries.filter((entry) => entry.kind === 'removal').map((entry) => entry.peer);
  for (const { email } of removed) {
    for (const removalId of removals) {
      await outbox.removed?.(trx, { email, removalId, uids, told, from: from.route.name });
    }
  }
  await unparkRemoved(trx, uids);
  return {
    result: removed.length > 0 ? 'applied' : 'unchanged',
    operation: removed.length > 0 ? 'remove' : 'none',
    uid: main,
    userId: removed[0]?.userId ?? null,
    email: removed[0]?.email ?? null,
    registers: [],
    notes,
  };
}

/** What the mode for the peer makes of its removal. An account that stays takes part in nothing any more. */
async function removeByMode(
  trx: Transaction<unknown>,
  { catalog, removal }: RemovalDeps,
  user: LocalUser,
  mode: RemovalMode,
): Promise<Note[]> {
  if (mode === 'delete') {
    const removed = await removeUser(trx, catalog, user.userId, { related: removal.related });
    await keepLeftovers(trx, removed.afterCommit);
    const message = `Image files to delete by hand: ${removed.files.join(', ')}`;
    return removed.files.length === 0 ? [] : [{ code: 'FILES_LEFT', message }];
  }
  if (mode === 'disable') {
    const enabled = catalog.requireTable('t_user').column('b_enabled');
    if (enabled !== undefined) {
      await updateUser(trx, catalog.requireTable('t_user'), user.userId, new Map([[enabled, '0']]));
    }
    if (removal.itemsOfBlocked === 'hide' && user.host.enabled) await hideItemsOf(trx, catalog, user.userId);
  }
  return [];
}

/** Accounts that stay though they were removed elsewhere: remembered without any uid. */
async function detach(trx: Transaction<unknown>, deps: RemovalDeps, users: readonly LocalUser[]): Promise<void> {
  const hosts = await deps.hosts.byId(
    trx,
    users.map((user) => user.userId),
  );
  const detached = users.flatMap((user): StoredUser[] => {
    const host = hosts.get(user.userId);
    if (host === undefined) return [];
    const { shadow } = absorb(user.shadow, host.registers, deps.nowMs(), deps.origin, false, deps.hosts.describes);
    const registers = markedBlock(shadow.registers, user.shadow.registers);
    return [{ userId: user.userId, uids: [], shadow: { ...shadow, registers }, provenance: user.provenance }];
  });
  await writeShadows(trx, detached);
}

/** A block that came of the removal is marked: nobody wanted it, and it ends where the address is registered again. */
function markedBlock(
  registers: LocalUser['shadow']['registers'],
  before: LocalUser['shadow']['registers'],
): LocalUser['shadow']['registers'] {
  const status = registers.get('status');
  if (status === undefined || status.hash === before.get('status')?.hash) return registers;
  return new Map([...registers, ['status', { ...status, altered: true }]]);
}

function later(a: Stamp, b: Stamp): Stamp {
  return compareStamps(a, b) > 0 ? a : b;
}

/** True if a failed removal concerns only this account and waits for a person. */
export function isParkedRemoval(error: unknown): error is SyncError {
  return error instanceof SyncError && error.code === 'FOREIGN_KEY';
}
