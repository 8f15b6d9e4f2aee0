/**
 * The guard: how much a peer may change within a window before a person has to say yes. What it counts, by class, and how much
 * passes. Pure.
 */
import type { Selection } from './policy.ts';
import { hashValues, type RegisterName } from './register.ts';

/** What is counted apart from each other. */
export const GUARD_CLASSES = ['removals', 'credentials', 'revivals', 'creations'] as const;
export type GuardClass = (typeof GUARD_CLASSES)[number];

/**
 * What happens to one account, as bits, for several may happen at once; stored in tables `outbox` and `parked`. `removal`: the
 * account is removed, blocked or deactivated; `revival`: it is unblocked or activated.
 */
export const CHANGE = { removal: 1, password: 2, address: 4, revival: 8, creation: 16 } as const;

/** Bits of {@link CHANGE}. */
export type Changes = number;

/** The changes that a class counts. */
export const CHANGES_OF: Readonly<Record<GuardClass, Changes>> = {
  removals: CHANGE.removal,
  credentials: CHANGE.password | CHANGE.address,
  revivals: CHANGE.revival,
  creations: CHANGE.creation,
};

const ACCOUNT_CHANGES: readonly Changes[] = Object.values(CHANGE);

/** Everything that any class counts. */
export const ALL_CHANGES: Changes = 31;

/** The classes that some of the changes belong to. */
export function classesOf(changes: Changes): GuardClass[] {
  return GUARD_CLASSES.filter((name) => (CHANGES_OF[name] & changes) !== 0);
}

/** The changes that the classes count. */
export function changesIn(classes: readonly GuardClass[]): Changes {
  return classes.reduce((all, name) => all | CHANGES_OF[name], 0);
}

/** The registers in which such changes are. */
export function registersOf(changes: Changes): ReadonlySet<RegisterName> {
  const registers = new Set<RegisterName>();
  if ((changes & CHANGE.password) !== 0) registers.add('password');
  if ((changes & CHANGE.address) !== 0) registers.add('s_email');
  if ((changes & (CHANGE.removal | CHANGE.revival)) !== 0) registers.add('status');
  return registers;
}

/** Those of the changes that a peer hears of, to which only some registers are sent. */
export function sentChanges(changes: Changes, sends: Selection): Changes {
  return ACCOUNT_CHANGES.reduce((sent, one) => {
    const isSent = [...registersOf(one)].every(sends);
    return isSent ? sent | (changes & one) : sent;
  }, 0);
}

/** Whoever gets both of an account has it for good. */
const PASSWORD_AND_ADDRESS = 5;

/** How much the changes of one account count in a class. */
export function weightOf(name: GuardClass, changes: Changes): number {
  const counted = CHANGES_OF[name] & changes;
  if (counted === 0) return 0;
  return counted === CHANGES_OF.credentials ? PASSWORD_AND_ADDRESS : 1;
}

/** Thresholds of one class. */
export interface ClassLimits {
  /** So much always passes; null: what is {@link USUAL usual} for a site of that size. */
  readonly number: number | null;
  /** So much of all users passes, in percent. */
  readonly percent: number;
}

/** Thresholds of the config; `removals` and `percent` are those of removals. */
export interface GuardLimits {
  readonly removals: number | null;
  readonly percent: number;
  readonly credentials: ClassLimits;
  readonly revivals: ClassLimits;
  readonly creations: ClassLimits;
  /** All peers together may do so many times as much as one. */
  readonly total: number;
  readonly windowMs: number;
}

/** The thresholds of a class. */
function limitsOf(limits: GuardLimits, name: GuardClass): ClassLimits {
  return name === 'removals' ? { number: limits.removals, percent: limits.percent } : limits[name];
}

/** What passes where the config names no number. */
const USUAL: Readonly<Record<GuardClass, number>> = {
  removals: 20,
  credentials: 10,
  revivals: 20,
  creations: 500,
};
/** Of that no more than such a share of the users, in percent: 20 of 60 would be a third. */
const USUAL_SHARE = 10;
/** But so many on the smallest site. */
const USUAL_AT_LEAST = 3;

/** How much of a class may pass within a window on a site that had so many users when it began. */
export function allowance(limits: GuardLimits, name: GuardClass, users: number): number {
  const { number, percent } = limitsOf(limits, name);
  return Math.max(number ?? usualNumber(name, users), Math.floor((users * percent) / 100));
}

/** New accounts take nothing from anybody, and a site begins with none: there the number is not cut down. */
function usualNumber(name: GuardClass, users: number): number {
  if (name === 'creations') return USUAL.creations;
  return Math.max(Math.min(USUAL[name], Math.floor((users * USUAL_SHARE) / 100)), USUAL_AT_LEAST);
}

/**
 * So many users are enough for `amount` to pass, if any number of them is: to count more of a large table would change nothing.
 */
export function usersThatMatter(limits: GuardLimits, name: GuardClass, amount: number): number {
  const { percent } = limitsOf(limits, name);
  const share = percent === 0 ? USUAL_SHARE : Math.min(percent, USUAL_SHARE);
  return Math.ceil((amount * 100) / share);
}

/** Whether an account can be used. */
export interface AccountStatus {
  readonly enabled: boolean;
  readonly active: boolean;
}

/** What a change of status is: `removal` where who could log in no longer can, `revival` where a block or a wait ends. */
export function changeOfStatus(before: AccountStatus, after: AccountStatus): Changes {
  const isUsable = after.enabled && after.active;
  if (before.enabled && before.active && !isUsable) return CHANGE.removal;
  return (after.enabled && !before.enabled) || (after.active && !before.active) ? CHANGE.revival : 0;
}

/** By the hash of the register, which is all that a shadow keeps of it. */
const STATUS_OF_HASH: ReadonlyMap<string, AccountStatus> = new Map(
  [true, false].flatMap((enabled) =>
    [true, false].map((active) => {
      const values = { b_enabled: enabled ? '1' : '0', b_active: active ? '1' : '0' };
      return [hashValues(values), { enabled, active }] as const;
    }),
  ),
);

/**
 * What the changed registers of an account of this site come to. Nobody knows what a status was whose hash is of no such value;
 * then it counts by what it is.
 *
 * @param statusBefore hash of the register `status` before the change
 */
export function changesOf(
  registers: readonly string[],
  statusBefore: string | undefined,
  after: AccountStatus,
): Changes {
  let changes: Changes = 0;
  if (registers.includes('password')) changes |= CHANGE.password;
  if (registers.includes('s_email')) changes |= CHANGE.address;
  if (!registers.includes('status')) return changes;
  const isUsable = after.enabled && after.active;
  const before = STATUS_OF_HASH.get(statusBefore ?? '') ?? { enabled: !isUsable, active: !isUsable };
  return changes | changeOfStatus(before, after);
}
