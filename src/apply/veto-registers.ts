/**
 * Takes out of the plans of a chunk what this site cannot store or must not give away — values that do not fit,
 * user names and addresses that belong to others — and says why. Reads, but writes nothing.
 */
import type { Transaction } from 'kysely';
import type { Table } from '../db/catalog.ts';
import type { Selection } from '../model/policy.ts';
import { isWholeHash, NO_PASSWORD } from '../model/password-hash.ts';
import { isEmpty, localeOf, rowOf, type RegisterName, type Values } from '../model/register.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { whyUnstorable } from '../osclass/values.ts';
import { holdersOfNames } from '../osclass/write-users.ts';
import type { UserPlan } from './decide.ts';

/** Values that this site cannot store: their registers are parked, the rest of the user goes on. */
export function parkUnstorable(plans: readonly UserPlan[], hosts: HostUsers, accepts: Selection): void {
  for (const plan of plans) {
    for (const register of hosts.missing) {
      const values = plan.incoming.record.registers[register]?.values;
      if (values === undefined || !accepts(register)) continue;
      if (Object.values(values).every((value) => value === null)) continue;
      plan.parked.push({ code: 'VALUE_UNSTORABLE', register, message: `This site has no column for ${register}.` });
    }
    if (hasNoPassword(plan)) plan.take.delete('password');
    for (const [register, { values }] of plan.take) {
      const why = whyRegisterUnstorable(register, values, hosts) ?? whyNoPassword(register, values, plan);
      if (why === undefined) continue;
      plan.take.delete(register);
      plan.parked.push({ code: 'VALUE_UNSTORABLE', register, message: why });
    }
  }
}

function whyRegisterUnstorable(register: RegisterName, values: Values, hosts: HostUsers): string | undefined {
  if (localeOf(register) !== undefined) {
    const text = values['s_info'] ?? null;
    const why = hosts.text === undefined || text === null ? undefined : whyUnstorable(hosts.text, text);
    return why === undefined ? undefined : `s_info ${why}.`;
  }
  // The row of a related table goes, with whatever it holds.
  if (isEmpty(values) && rowOf(values) !== 'here' && hosts.related.some((one) => one.register === register))
    return undefined;
  for (const column of hosts.columns.get(register) ?? []) {
    const value = values[column.name];
    // NULL as user name means: the account's own id.
    if (value === undefined || (column.name === 's_username' && value === null)) continue;
    const why = whyUnstorable(column, value);
    if (why !== undefined) return `${column.name} ${why}.`;
  }
  return undefined;
}

/** True if the sender has no password for the account, and neither has this site one to lose: that is not worth a word. */
function hasNoPassword({ take, user }: UserPlan): boolean {
  const sent = take.get('password')?.values['s_password'];
  return (sent === '' || sent === null) && !hasPassword(user);
}

/**
 * Why the password is not stored, on whatever way it came: Osclass could not check it, or could not in a time that its server
 * bears, or it would shut the owner out.
 */
function whyNoPassword(register: RegisterName, values: Values, { user }: UserPlan): string | undefined {
  const hash = register === 'password' ? values['s_password'] : undefined;
  if (hash === undefined || (typeof hash === 'string' && isWholeHash(hash))) return undefined;
  if (hash === NO_PASSWORD && !hasPassword(user)) return undefined;
  return 's_password is no whole hash of a kind and cost that this site takes.';
}

function hasPassword(user: UserPlan['user']): boolean {
  const held = user?.host.registers.get('password')?.['s_password'];
  return typeof held === 'string' && isWholeHash(held);
}

/** Collations overlook accents too, and one that finds two accounts by one name lets neither log in by it. */
const fold = (name: string): string => name.trim().normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();

/** A plan that would give its account another user name. */
interface Naming {
  readonly plan: UserPlan;
  readonly name: string;
  readonly folded: string;
}

/**
 * A user name that another account has: ours is kept, for two accounts of one name could neither log in by it. One that
 * its holder gives up in the same chunk is free, so names that change hands do so together.
 */
export async function keepUserNames(
  trx: Transaction<unknown>,
  plans: readonly UserPlan[],
  table: Table,
): Promise<void> {
  const wanted = plans.flatMap((plan): Naming[] => {
    const name = plan.take.get('s_username')?.values['s_username'];
    return typeof name === 'string' ? [{ plan, name, folded: fold(name) }] : [];
  });
  const names = wanted.map(({ name }) => name);
  const holders = (await holdersOfNames(trx, table, names)).map(({ id, name }) => ({ id, folded: fold(name) }));
  const byName = Map.groupBy(holders, ({ folded }) => folded);
  const byHolder = Map.groupBy(holders, ({ id }) => id);
  const namingOf = new Map(
    wanted.flatMap((one) => (one.plan.user === undefined ? [] : [[one.plan.user.userId, one] as const])),
  );
  /** Who gets a name, as it looks. */
  const takers = new Map<string, Naming>();

  const keepsIt = (holder: { id: number; folded: string }): boolean => {
    const naming = namingOf.get(holder.id);
    return naming === undefined || !naming.plan.take.has('s_username') || naming.folded === holder.folded;
  };
  const whyNot = ({ plan, name, folded }: Naming): string | undefined => {
    // A name made of digits would be another account's default name some day.
    if (/^\d+$/.test(name)) return 'A user name of digits only is the default name of another account.';
    const other = byName.get(folded)?.find((one) => one.id !== plan.user?.userId && keepsIt(one));
    return other === undefined && !takers.has(folded) ? undefined : isTaken(other?.id ?? '(new)');
  };
  for (const one of wanted) {
    const message = whyNot(one);
    if (message === undefined) takers.set(one.folded, one);
    else refuseName(one, message, { takers, byHolder });
  }
}

/** The account keeps its name, and so is in the way of whoever was to get that: each is looked at once. */
function refuseName(
  naming: Naming,
  message: string,
  {
    takers,
    byHolder,
  }: {
    readonly takers: Map<string, Naming>;
    readonly byHolder: ReadonlyMap<number, readonly { readonly folded: string }[]>;
  },
): void {
  const refused = [{ naming, message }];
  for (const one of refused) {
    const { plan } = one.naming;
    plan.take.delete('s_username');
    plan.notes.push({ code: 'USERNAME_TAKEN', register: 's_username', message: one.message });
    const id = plan.user?.userId;
    for (const { folded } of id === undefined ? [] : (byHolder.get(id) ?? [])) {
      const next = takers.get(folded);
      if (next === undefined || next.plan.user?.userId === id) continue;
      takers.delete(folded);
      refused.push({ naming: next, message: isTaken(Number(id)) });
    }
  }
}

function isTaken(by: number | string): string {
  return `Account ${by} of this site has the user name; ours is kept.`;
}

/** An account that takes another address in this chunk. */
export interface Move {
  readonly plan: UserPlan;
  readonly userId: number;
  readonly to: string;
}

/**
 * Changes of address: one goes through if nobody holds the new address, or if its holder moves away in the same chunk —
 * so chains and swaps go through together. The others are parked: nobody is ever overwritten.
 */
export async function parkTakenEmails(
  trx: Transaction<unknown>,
  plans: readonly UserPlan[],
  hosts: HostUsers,
): Promise<Move[]> {
  const moves = new Map<number, Move>();
  for (const plan of plans) {
    const to = plan.take.get('s_email')?.values['s_email'];
    if (plan.user === undefined || typeof to !== 'string' || to === plan.user.email) continue;
    moves.set(plan.user.userId, { plan, userId: plan.user.userId, to });
  }
  const all = [...moves.values()];
  const holders = await hosts.holdersOf(
    trx,
    all.map((move) => move.to),
  );
  const wishes = new Map<string, number>();
  for (const { to } of all) wishes.set(canonicalEmail(to), (wishes.get(canonicalEmail(to)) ?? 0) + 1);
  const byHolder = Map.groupBy(all, ({ to }) => holders.get(to)?.id);

  const whyNot = ({ to, userId }: Move): string | undefined => {
    if ((wishes.get(canonicalEmail(to)) ?? 0) > 1) return 'Two accounts want the same address.';
    const holder = holders.get(to);
    const isFree = holder === undefined || holder.id === userId || moves.has(holder.id);
    return isFree ? undefined : `Account ${holder.id} of this site has the new address.`;
  };
  // Who stays after all is in the way of those who were to get the address.
  for (let open = all; open.length > 0;) {
    const stay = open.filter((move) => moves.has(move.userId) && parkMove(move, whyNot(move), { moves, wishes }));
    open = stay.flatMap(({ userId }) => byHolder.get(userId) ?? []);
  }
  return [...moves.values()];
}

/** Parks a change of address that does not go through, and says whether that is so. */
function parkMove(
  { plan, userId, to }: Move,
  message: string | undefined,
  { moves, wishes }: { readonly moves: Map<number, Move>; readonly wishes: Map<string, number> },
): boolean {
  if (message === undefined) return false;
  moves.delete(userId);
  wishes.set(canonicalEmail(to), (wishes.get(canonicalEmail(to)) ?? 1) - 1);
  plan.take.delete('s_email');
  plan.parked.push({ code: 'EMAIL_TAKEN', register: 's_email', message });
  return true;
}

/** Accounts that would give up their address, as far as their own record goes. */
export function movingAway(plans: readonly UserPlan[]): Set<number> {
  return new Set(
    plans.flatMap((plan) => {
      const to = plan.take.get('s_email')?.values['s_email'];
      const moves = plan.user !== undefined && typeof to === 'string';
      return moves && canonicalEmail(to) !== canonicalEmail(plan.user.email) ? [plan.user.userId] : [];
    }),
  );
}
