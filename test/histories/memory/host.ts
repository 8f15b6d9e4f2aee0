/** The users of the host, in memory, as the daemon reads them: stands in for what src/osclass reads. */
import type { Catalog, Column, Ident, Table } from '../../../src/db/catalog.ts';
import { descriptionValues } from '../../../src/model/absorb.ts';
import {
  descriptionRegister,
  registerOfColumn,
  type RegisterName,
  type Value,
  type Values,
} from '../../../src/model/register.ts';
import { canonicalEmail } from '../../../src/model/uid.ts';
import type { AddressHolder } from '../../../src/osclass/address-holders.ts';
import type { HostUser, HostUsers } from '../../../src/osclass/host-users.ts';
import type { Locations } from '../../../src/osclass/locations.ts';
import type { Zone } from '../../../src/osclass/timezone.ts';
import { memoryOf, type HostRow } from './database.ts';

/** Columns of `t_user` that these sites have. `dt_reg_date` is never edited and no two registrations share one. */
export const COLUMNS = ['s_email', 's_name', 's_password', 's_phone_mobile', 'b_enabled', 'b_active', 'dt_reg_date'];

/** What the columns hold when nobody says what. */
export const DEFAULTS: Readonly<Record<string, Value>> = {
  ...Object.fromEntries(COLUMNS.map((name) => [name, null])),
  b_enabled: '1',
  b_active: '0',
  dt_reg_date: '0#0',
};

/** How hashes of passwords begin of people who registered with an address that is not theirs. */
export const SQUATTERS_HASH = 'bad';

/** True if the password is that of such people. */
export function isSquattersHash(hash: Value | undefined): boolean {
  return typeof hash === 'string' && hash.startsWith(SQUATTERS_HASH);
}

/** Languages of the descriptions. */
export const LOCALES = ['en_US', 'es_ES'];

const column = (name: string): Column =>
  ({
    name,
    type: 'varchar',
    maxChars: 200,
    maxBytes: 800,
    precision: null,
    nullable: true,
    optional: true,
  }) as unknown as Column;

const columns = new Map(COLUMNS.map((name) => [name, column(name)]));
const table = { name: 't_user', base: 't_user', columns, column: (name: string) => columns.get(name) };
const descriptions = { name: 't_user_description', base: 't_user_description' } as unknown as Table;

/** Two tables, and nothing that refers to them. */
export const CATALOG = {
  schema: 'memory',
  prefix: '',
  table: (base: string) => (base === 't_user' ? table : base === 't_user_description' ? descriptions : undefined),
  requireTable: () => table,
  tablesReferring: () => [],
} as unknown as Catalog;

/** Nobody lives anywhere. */
export const LOCATIONS: Locations = {
  resolveMany: async () => [],
  resolve: () => Promise.reject(new Error('not here')),
};

/** Local time is UTC, and a date is its milliseconds with something behind that makes it unique. */
export const ZONE: Zone = {
  known: false,
  toUtc: (local) => local,
  toLocal: (utc) => utc,
  toEpochMs: (local) => Number.parseInt(local, 10),
};

const DAYS_MS = 100_000_000;

/**
 * The date of a registration by what makes it unique: several in one second are common here, and no two may be taken for
 * one, nor for one in two time zones.
 */
export const REGISTERED_MS = (local: string): number | undefined => {
  const number = /#(\d+)$/.exec(local)?.[1];
  return number === undefined ? undefined : Number(number) * DAYS_MS;
};

const layout = new Map<RegisterName, Column[]>();
for (const one of columns.values()) {
  const register = registerOfColumn(one.name);
  layout.set(register, [...(layout.get(register) ?? []), one]);
}

/** A value in words; the columns here hold text or nothing. */
export function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : 'NULL';
}

/** The address of a row. */
export function emailOfRow(row: HostRow): string {
  return textOf(row.columns['s_email']);
}

const seen = new WeakMap<HostRow, HostUser>();

/** A row as the daemon sees it. */
export function toHostUser(row: HostRow): HostUser {
  const known = seen.get(row);
  if (known !== undefined) return known;
  const registers = new Map<RegisterName, Values>();
  for (const [register, list] of layout) {
    registers.set(register, Object.fromEntries(list.map(({ name }) => [name, row.columns[name] ?? null])));
  }
  for (const [locale, text] of row.texts) registers.set(descriptionRegister(locale), descriptionValues(text));
  const user: HostUser = {
    id: row.id,
    email: emailOfRow(row),
    enabled: row.columns['b_enabled'] === '1',
    active: row.columns['b_active'] === '1',
    regDate: textOf(row.columns['dt_reg_date']),
    modDate: null,
    resetCode: row.reset?.code ?? null,
    isResetDone: row.reset?.isDone === true,
    registers,
  };
  seen.set(row, user);
  return user;
}

/** What the collation makes of an address. */
export function folded(email: string): string {
  return canonicalEmail(email).normalize('NFD').replaceAll(/\p{M}/gu, '');
}

/** Stands in for makeHostUsers(). */
export const HOSTS: HostUsers = {
  table: 't_user' as Ident,
  columns: layout,
  times: new Map(),
  describes: true,
  related: [],
  missing: new Set(),
  text: undefined,
  async byId(runner, ids) {
    const { rows } = memoryOf(runner).tables;
    const found = [...new Set(ids)].toSorted((a, b) => a - b).map((id) => rows.get(id));
    return new Map(found.flatMap((row) => (row === undefined ? [] : [[row.id, toHostUser(row)]])));
  },
  async after(runner, after, limit, { eligible = false } = {}) {
    const users = [...memoryOf(runner).tables.rows.values()].filter((row) => row.id > after).map(toHostUser);
    return users
      .filter((user) => !eligible || (user.enabled && user.active))
      .toSorted((a, b) => a.id - b.id)
      .slice(0, limit);
  },
  belongings: async () => new Map(),
  identitiesAfter: () => Promise.reject(new Error('not here')),
  async idsBetween(runner, after, upTo) {
    return new Set([...memoryOf(runner).tables.rows.keys()].filter((id) => id > after && id <= upTo));
  },
  async holdersOf(runner, emails) {
    const rows = [...memoryOf(runner).tables.rows.values()];
    const holders = new Map<string, AddressHolder>();
    for (const email of emails) {
      const row = rows.find((candidate) => folded(emailOfRow(candidate)) === folded(email));
      if (row !== undefined) holders.set(email, { id: row.id, email: emailOfRow(row) });
    }
    return holders;
  },
};
