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

/**
 * A user name that another account has: ours is kept, for two accounts of one name could neither log in by it. One that
 * its holder gives up in the same chunk is free, so names that change hands do so together.
 */
export async function keepUserNames(
  trx: Transaction<unknown>,
  plans: readonly UserPlan[],
  table: Table,
): Promise<void> {
  const wanted = plans.flatMap((plan) => {
    const name = plan.take.get('s_username')?.values['s_username'];
    return typeof name === 'string' ? [{ plan, name }] : [];
  });
  const holders = await holdersOfNames(
    trx,
    table,
    wanted.map(({ name }) => name),
  );
  const planOf = new Map(plans.flatMap((plan) => (plan.user === undefined ? [] : [[plan.user.userId, plan] as const])));
  const keepsIt = (holder: { id: number; name: string }): boolean => {
    const to = planOf.get(holder.id)?.take.get('s_username')?.values['s_username'];
    return to === undefined || (typeof to === 'string' && fold(to) === fold(holder.name));
  };
  const whyNot = ({ plan, name }: (typeof wanted)[number], given: ReadonlySet<string>): string | undefined => {
    // A name made of digits would be another account's default name some day.
    if (/^\d+$/.test(name)) return 'A user name of digits only is the default name of another account.';
    const isOther = (id: number): boolean => id !== plan.user?.userId;
    const other = holders.find((one) => fold(one.name) === fold(name) && isOther(one.id) && keepsIt(one));
    return other === undefined && !given.has(fold(name))
      ? undefined
      : `Account ${other?.id ?? '(new)'} of this site has the user name; ours is kept.`;
  };
  // Who keeps the old name after all may be in the way of others.
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    const given = new Set<string>();
    for (const one of wanted.filter(({ plan }) => plan.take.has('s_username'))) {
      const message = whyNot(one, given);
      if (message === undefined) {
        given.add(fold(one.name));
        continue;
      }
      one.plan.take.delete('s_username');
      one.plan.notes.push({ code: 'USERNAME_TAKEN', register: 's_username', message });
      isSettled = false;
    }
  }
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
  const holders = await hosts.holdersOf(
    trx,
    [...moves.values()].map((move) => move.to),
  );
  for (let blocked = true; blocked;) {
    blocked = false;
    for (const move of moves.values()) {
      const holder = holders.get(move.to);
      const rival = [...moves.values()].find((m) => m !== move && canonicalEmail(m.to) === canonicalEmail(move.to));
      if (rival === undefined && (holder === undefined || holder.id === move.userId || moves.has(holder.id))) continue;
      moves.delete(move.userId);
      move.plan.take.delete('s_email');
      const message =
        rival === undefined
          ? `Account ${holder?.id ?? '?'} of this site has the new address.`
          : 'Two accounts want the same address.';
      move.plan.parked.push({ code: 'EMAIL_TAKEN', register: 's_email', message });
      blocked = true;
    }
  }
  return [...moves.values()];
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
