/** Rows that were replaced: they go on as the same user. */
import type { Transaction } from 'kysely';
import type { OutboxWriter } from '../store/ports.ts';
import { bindUids, forgetUsers, readShadows, writeShadows, type StoredUser } from '../store/shadows.ts';
import { hashValues } from '../model/register.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import type { DeletedRow } from './removed-here.ts';
import type { Marked } from './coalesce.ts';

interface SuccessorDeps {
  readonly hosts: HostUsers;
  readonly outbox: OutboxWriter;
}

/** What is known of the users of a batch; brought up to date when a user moves on. */
export interface KnownUsers {
  readonly shadows: Map<number, StoredUser>;
  readonly users: Map<number, HostUser>;
  readonly marked: Map<number, Marked>;
}

/**
 * Present users that hold the address of a deleted row, exactly, and were registered when its account was: then that was not
 * really deleted. Whoever registered the address after it is somebody else, who has none of its proofs.
 */
export async function findSuccessors(
  trx: Transaction<unknown>,
  { hosts }: SuccessorDeps,
  deletedRows: readonly DeletedRow[],
  shadows: ReadonlyMap<number, StoredUser>,
): Promise<Map<number, HostUser>> {
  const emails = deletedRows.map(({ email }) => email).filter((email) => email !== '');
  const holders = await hosts.holdersOf(trx, emails);
  const ids = [...holders.values()].map((holder) => holder.id);
  const users = await hosts.byId(trx, ids);
  const byEmail = new Map([...users.values()].map((user) => [canonicalEmail(user.email), user]));
  return new Map(
    deletedRows.flatMap(({ userId, email }) => {
      const successor = byEmail.get(canonicalEmail(email));
      const isOther = successor !== undefined && hasOtherDate(shadows.get(userId), successor);
      return successor === undefined || isOther ? [] : [[userId, successor] as const];
    }),
  );
}

/** True if the row was registered at another time than the account that is remembered; one that is not known is none. */
function hasOtherDate(stored: StoredUser | undefined, { registers }: HostUser): boolean {
  const known = stored?.shadow.registers.get('dt_reg_date');
  const values = registers.get('dt_reg_date');
  return known !== undefined && values !== undefined && known.hash !== hashValues(values);
}

/**
 * Lets each successor that nothing is known of go on with shadow and uids of the deleted row. Returns those of them
 * that have changes some peer has not seen.
 */
export async function moveToSuccessors(
  trx: Transaction<unknown>,
  { outbox }: SuccessorDeps,
  successors: ReadonlyMap<number, HostUser>,
  { shadows, users, marked }: KnownUsers,
): Promise<Set<number>> {
  const unknown = [...successors.values()].map((user) => user.id).filter((userId) => !shadows.has(userId));
  for (const [userId, stored] of await readShadows(trx, unknown, { lock: true })) shadows.set(userId, stored);
  const waiting = await outbox.usersWaiting(trx, [...successors.keys()]);
  const unsent = new Set<number>();
  for (const [userId, successor] of successors) {
    const before = shadows.get(userId);
    const mark = marked.get(userId);
    if (before === undefined || mark === undefined || shadows.has(successor.id)) continue;
    await forgetUsers(trx, [userId]);
    await outbox.dropUsers(trx, [userId]);
    const moved: StoredUser = { ...before, userId: successor.id };
    await writeShadows(trx, [moved]);
    await bindUids(
      trx,
      moved.uids.map((uid) => ({ uid, userId: successor.id })),
    );
    shadows.delete(userId);
    shadows.set(successor.id, moved);
    users.set(successor.id, successor);
    if (waiting.has(userId)) unsent.add(successor.id);
    const atMs = Math.max(mark.atMs, marked.get(successor.id)?.atMs ?? 0);
    marked.set(successor.id, { atMs, inserted: false, deletedEmail: undefined });
  }
  return unsent;
}
