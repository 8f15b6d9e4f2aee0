/** Carries out plans: writes rows and descriptions, reads back what is really stored, and works out the new shadows. */
import type { Transaction } from 'kysely';
import type { Catalog, Column, Table } from '../db/catalog.ts';
import type { StoredUser } from '../store/shadows.ts';
import { firstShadow, valuesOf } from '../model/absorb.ts';
import {
  hashValues,
  isRowHash,
  localeOf,
  rowOf,
  type RegisterName,
  type Value,
  type Values,
} from '../model/register.ts';
import type { RegisterState, Shadow } from '../model/shadow.ts';
import type { Note } from '../model/outcome.ts';
import { adoptionStamp, type Origin } from '../model/stamp.ts';
import { canonicalEmail } from '../model/uid.ts';
import { copyContact, dropEmailChange } from '../osclass/copies.ts';
import { newSecret, newUserDefaults, withoutMailedCode, type RandomBytes } from '../osclass/defaults.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import type { Locations } from '../osclass/locations.ts';
import { writeRelated } from '../osclass/related.ts';
import { isSameValue } from '../osclass/values.ts';
import {
  insertUsers,
  nameByIds,
  updateUser,
  updateUsers,
  writeDescriptions,
  type DescriptionWrite,
} from '../osclass/write-users.ts';
import type { UserPlan } from './decide.ts';
import { hideItemsOf, showItemsOf } from './hidden-items.ts';
import { resolvePlaces } from './places.ts';
import { isMoved, passesToOwner, provenanceAfterPlan } from './provenance.ts';
import type { RemovalPolicy } from './removals.ts';
import type { Move } from './veto-registers.ts';

/** What storing needs. */
export interface StoreDeps {
  readonly catalog: Catalog;
  readonly hosts: HostUsers;
  readonly locations: Locations;
  readonly origin: Origin;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
  readonly removal: RemovalPolicy;
}

/** A plan that was carried out. */
export interface StoredPlan {
  readonly plan: UserPlan;
  readonly userId: number;
  readonly stored: StoredUser;
  readonly host: HostUser;
  /** Registers whose stored bytes are others than before. */
  readonly changed: readonly RegisterName[];
}

/** Columns of one row to be written. */
export type Writes = Map<Column, Value | number>;

/** An address nobody can have, held only inside the transaction while two accounts swap theirs. */
const placeholder = (userId: number): string => `${userId}@swap.account-sync.invalid`;

/** Writes all plans of a chunk. Throws database errors; the caller then tries records one by one. */
export async function storeUsers(
  trx: Transaction<unknown>,
  deps: StoreDeps,
  plans: readonly UserPlan[],
  moves: readonly Move[],
): Promise<StoredPlan[]> {
  const table = deps.catalog.requireTable('t_user');
  await resolvePlaces(trx, deps, plans);
  await makeWay(trx, table, moves);

  const fresh = plans.filter((plan) => plan.user === undefined);
  await updateUsers(
    trx,
    table,
    plans.flatMap((plan) =>
      plan.user === undefined ? [] : [{ userId: plan.user.userId, writes: writesOf(plan, deps) }],
    ),
  );
  await insertUsers(
    trx,
    table,
    fresh.map((plan) => newUserDefaults(table, writesOf(plan, deps), deps.randomBytes)),
  );
  const holders = await deps.hosts.holdersOf(trx, fresh.map(emailOf));
  const ids = new Map(plans.map((plan) => [plan, plan.user?.userId ?? holders.get(emailOf(plan))?.id ?? 0]));
  const idOf = (plan: UserPlan): number => ids.get(plan) ?? 0;
  await storeRelated(trx, deps, plans, idOf);
  await nameByIds(trx, table, plans.filter(hasNoName).map(idOf));
  await storeDescriptions(trx, deps, plans, idOf);
  for (const plan of plans) {
    await copyChanges(trx, deps, plan);
    if (passesToOwner(plan)) await dropEmailChange(trx, deps.catalog, idOf(plan));
  }

  const rows = await deps.hosts.byId(trx, plans.map(idOf));
  if (deps.removal.itemsOfBlocked === 'hide') {
    for (const plan of plans) await followStatus(trx, deps, plan.user?.host, rows.get(idOf(plan)));
  }
  return plans.flatMap((plan) => {
    const host = rows.get(idOf(plan));
    return host === undefined ? [] : [toStoredPlan(plan, host, deps)];
  });
}

/** The stored address of a new account. */
function emailOf(plan: UserPlan): string {
  const value = plan.take.get('s_email')?.values['s_email'];
  return typeof value === 'string' ? value : plan.incoming.record.email;
}

function hasNoName(plan: UserPlan): boolean {
  const taken = plan.take.get('s_username');
  return plan.user === undefined
    ? typeof taken?.values['s_username'] !== 'string'
    : taken !== undefined && taken.values['s_username'] === null;
}

/** The columns of `t_user` a plan writes; what the row has already is not written again. */
function writesOf(plan: UserPlan, { hosts, catalog, randomBytes }: StoreDeps): Writes {
  const writes: Writes = new Map();
  for (const [register, { values }] of plan.take) {
    if (hosts.related.some((one) => one.register === register)) continue;
    for (const column of hosts.columns.get(register) ?? []) {
      const value = values[column.name];
      const held = plan.user?.host.registers.get(register)?.[column.name];
      if (value === undefined || (held !== undefined && isSameValue(value, held))) continue;
      if (!(column.name === 's_username' && value === null)) writes.set(column, value);
    }
  }
  for (const column of outdatedNatives(plan, hosts)) writes.set(column, null);
  for (const [column, value] of plan.places ?? []) writes.set(column, value);
  const { user } = plan;
  if (user === undefined) {
    const email = hosts.columns.get('s_email')?.[0];
    if (email !== undefined) writes.set(email, emailOf(plan));
    const active = hosts.columns.get('status')?.find(({ name }) => name === 'b_active');
    if (active !== undefined && plan.arrivesInactive) writes.set(active, '0');
  } else if (passesToOwner(plan) || (!user.host.active && isMoved(plan, { email: addressAfter(plan, user) }))) {
    // By the old one somebody else may be logged in, or activate the account by a link mailed to the former address.
    const table = catalog.requireTable('t_user');
    const linksGone = passesToOwner(plan) ? withoutMailedCode(table) : [];
    for (const [column, value] of [...newSecret(table, randomBytes), ...linksGone]) {
      if (!plan.take.has(column.name)) writes.set(column, value);
    }
  }
  return writes;
}

function addressAfter({ take }: UserPlan, { email }: { readonly email: string }): string {
  const value = take.get('s_email')?.values['s_email'];
  return typeof value === 'string' ? value : email;
}

/** Native names of places that changed, where the peer has no columns for native names: they name the old places. */
function outdatedNatives(plan: UserPlan, hosts: HostUsers): Column[] {
  const sent = plan.take.get('address')?.values;
  const held = plan.user?.host.registers.get('address');
  if (sent === undefined || held === undefined) return [];
  return (hosts.columns.get('address') ?? []).filter(({ name, nullable }) => {
    const text = name.replace(/_native$/, '');
    const isSilent = name.endsWith('_native') && sent[name] === undefined && sent[text] !== undefined;
    return nullable && isSilent && sent[text] !== held[text];
  });
}

/** Where the new address of one is the old one of another, the other one is changed first. */
async function makeWay(trx: Transaction<unknown>, table: Table, moves: readonly Move[]): Promise<void> {
  const wanted = new Set(moves.map((move) => canonicalEmail(move.to)));
  const column = table.column('s_email');
  if (column === undefined) return;
  for (const { userId, plan } of moves) {
    const old = plan.user?.email;
    if (old === undefined || !wanted.has(canonicalEmail(old))) continue;
    await updateUser(trx, table, userId, new Map([[column, placeholder(userId)]]));
  }
}

async function storeRelated(
  trx: Transaction<unknown>,
  { hosts }: StoreDeps,
  plans: readonly UserPlan[],
  idOf: (plan: UserPlan) => number,
): Promise<void> {
  for (const one of hosts.related) {
    for (const plan of plans) {
      const taken = plan.take.get(one.register);
      if (taken !== undefined) await writeRelated(trx, one, idOf(plan), taken.values);
    }
  }
}

async function storeDescriptions(
  trx: Transaction<unknown>,
  deps: StoreDeps,
  plans: readonly UserPlan[],
  idOf: (plan: UserPlan) => number,
): Promise<void> {
  const table = deps.catalog.table('t_user_description');
  if (table === undefined) return;
  const writes: DescriptionWrite[] = [];
  for (const plan of plans) {
    for (const [register, { values }] of plan.take) {
      const locale = localeOf(register);
      const text = values['s_info'];
      if (locale === undefined || (text !== null && typeof text !== 'string')) continue;
      const held = plan.user?.host.registers.get(register);
      const present = held !== undefined;
      // A sender that cannot say that there is an empty row means that there is none.
      const isGone = text === null && rowOf(values) !== 'here';
      if (present && held['s_info'] === text && !isGone) continue;
      if (!isGone || present) writes.push({ userId: idOf(plan), locale, text, isGone, present });
    }
  }
  await writeDescriptions(trx, table, writes);
}

/** Osclass copies name and address into listings, comments and alerts; old personal data must not stay there. */
async function copyChanges(trx: Transaction<unknown>, deps: StoreDeps, plan: UserPlan): Promise<void> {
  if (plan.user === undefined) return;
  const { registers } = plan.user.host;
  const changed = (register: RegisterName): Value | undefined => {
    const value = plan.take.get(register)?.values[register];
    return value === registers.get(register)?.[register] ? undefined : value;
  };
  const [name, email] = [changed('s_name'), changed('s_email')];
  if (typeof name !== 'string' && typeof email !== 'string') return;
  await copyContact(trx, deps.catalog, plan.user.userId, {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof email === 'string' ? { email } : {}),
  });
}

/** Blocked or deactivated: the listings go out of sight; the other way round they come back. */
async function followStatus(
  trx: Transaction<unknown>,
  { catalog }: StoreDeps,
  before: HostUser | undefined,
  after: HostUser | undefined,
): Promise<void> {
  if (before === undefined || after === undefined) return;
  const was = before.enabled && before.active;
  const is = after.enabled && after.active;
  if (was && !is) await hideItemsOf(trx, catalog, after.id);
  if (!was && is) await showItemsOf(trx, catalog, after.id);
}

/** The shadow after the write: hashes of what is really stored, under the stamps it was sent with. */
function toStoredPlan(plan: UserPlan, host: HostUser, deps: StoreDeps): StoredPlan {
  const before: Shadow = plan.user?.shadow ?? firstShadow(new Map(), adoptionStamp(0, deps.origin), plan.born);
  const registers = new Map<RegisterName, RegisterState>(before.registers);
  const changed: RegisterName[] = [];
  if (plan.user === undefined) {
    const unsent = new Map([...host.registers].filter(([register]) => !plan.take.has(register)));
    const rest = firstShadow(unsent, adoptionStamp(0, deps.origin), plan.born);
    for (const [register, state] of rest.registers) registers.set(register, state);
  }
  for (const [register, taken] of plan.take) {
    const values = valuesOf(host.registers, register);
    if (values === undefined) continue;
    const hash = hashValues(values);
    const { stamp, prior } = taken;
    // A value that was made less than what was sent is whole under a stamp of ours.
    const isLess = plan.incoming.sanitized.has(register) && stamp.site !== deps.origin.site;
    const altered = isAltered(plan, register, taken.values, values) || isLess;
    if (isLess) plan.notes.push(sanitizedNote(register));
    const unsaid = isRowHash(hash) && rowOf(taken.values) === undefined ? { rowUnsaid: true as const } : {};
    const state: RegisterState = { hash, stamp, ...(prior === undefined ? {} : { prior }), ...unsaid };
    registers.set(register, altered ? { ...state, altered } : state);
    if (before.registers.get(register)?.hash !== hash) changed.push(register);
  }
  const provenance = provenanceAfterPlan(plan, host, deps.nowMs());
  const stored = { userId: host.id, uids: plan.uids, shadow: { born: plan.born, registers }, provenance };
  return { plan, userId: host.id, stored, host, changed };
}

function sanitizedNote(register: RegisterName): Note {
  const message = `${register}: stored without markup, as the peer's entry says (sanitize).`;
  return { code: 'VALUE_ALTERED', register, message };
}

/** True if this site holds less than was sent; said in the log, and never passed on as if it were the whole. */
function isAltered(plan: UserPlan, register: RegisterName, taken: Values, stored: Values): boolean {
  const sent = plan.incoming.record.registers[register]?.values ?? {};
  const isLacking = Object.keys(sent).some((column) => !(column in stored) && sent[column] !== null);
  const differing = Object.keys(taken).filter((column) => !isSameValue(taken[column] ?? null, stored[column] ?? null));
  if (differing.length === 0) return isLacking;
  const isExplained = (column: string): boolean =>
    column === 'fk_c_country_code' || (column === 'b_active' && plan.arrivesInactive);
  const unexplained = differing.filter((column) => !isExplained(column));
  if (unexplained.length > 0) {
    plan.notes.push({
      code: 'VALUE_ALTERED',
      register,
      message: `${unexplained.join(', ')}: this site stored it in another form.`,
    });
  }
  return true;
}
