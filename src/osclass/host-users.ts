/** Users as the host stores them, read into registers. */
import { sql } from 'kysely';
import { id, type Catalog, type Column, type Ident } from '../db/catalog.ts';
import { bindList } from '../db/bind.ts';
import type { Runner } from '../db/transaction.ts';
import { IDENTIFYING } from '../model/absorb.ts';
import type { ProvingAccount } from '../model/proof.ts';
import type { RegisterName, Value, Values } from '../model/register.ts';
import { findHolders, type AddressHolder } from './address-holders.ts';
import { columnValue, selectColumn, type Raw } from './column-values.ts';
import { noRow, type RelatedTable } from './related.ts';
import { readBelongings } from './user-belongings.ts';
import { findUserColumns, type RegisterColumns } from './user-columns.ts';

/** A row of `t_user` with its descriptions; texts as stored. */
export interface HostUser extends ProvingAccount {
  readonly id: number;
  readonly enabled: boolean;
  /** `dt_reg_date` and `dt_mod_date` as stored: local time of the site. */
  readonly regDate: string | null;
  readonly modDate: string | null;
  readonly registers: ReadonlyMap<RegisterName, Values>;
}

/** Reads users of this site. */
export interface HostUsers {
  /** Its name. */
  readonly table: Ident;
  /** The columns of each register that this site has; descriptions are not among them. */
  readonly columns: ReadonlyMap<RegisterName, readonly Column[]>;
  /** Those of them that hold a time, of the registers that have any. */
  readonly times: ReadonlyMap<RegisterName, readonly Column[]>;
  /** Related tables of this site; their registers are in `columns` too. */
  readonly related: readonly RelatedTable[];
  /** Registers that the config names and this site has no column for; what comes for them waits. */
  readonly missing: ReadonlySet<RegisterName>;
  /** True if this site has a place for descriptions. */
  readonly describes: boolean;
  /** The column for the text of descriptions. */
  readonly text: Column | undefined;
  /** `SELECT … FROM t_user WHERE pk_i_id IN (…) [FOR UPDATE]`, and their descriptions. Locks no row but those. */
  byId(runner: Runner, ids: readonly number[], options?: { lock?: boolean }): Promise<Map<number, HostUser>>;
  /** `SELECT … WHERE pk_i_id > ? ORDER BY pk_i_id LIMIT ?`; `eligible`: only active and enabled ones. */
  after(runner: Runner, after: number, limit: number, options?: { eligible?: boolean }): Promise<HostUser[]>;
  /** `SELECT pk_i_id … WHERE pk_i_id > ? AND pk_i_id <= ?` */
  idsBetween(runner: Runner, after: number, upTo: number): Promise<Set<number>>;
  /**
   * Texts and related rows under ids, whether or not a row of `t_user` has the id: keys may be changed in one table before
   * the other.
   */
  belongings(runner: Runner, ids: readonly number[]): Promise<Map<number, Map<RegisterName, Values>>>;
  /** As {@link after}, of address and date of registration only, which tell accounts apart whatever their ids. */
  identitiesAfter(runner: Runner, after: number, limit: number): Promise<Pick<HostUser, 'id' | 'registers'>[]>;
  /**
   * Who holds each of the addresses, as this site's collation compares them; an exact match comes first.
   * `SELECT … WHERE s_email IN (…)`
   */
  holdersOf(runner: Runner, emails: readonly string[]): Promise<Map<string, AddressHolder>>;
}

/**
 * @param custom `columns.custom` of the config
 * @param listed every name in some peer's lists; a site looks after `s_secret` or a consent only if it is there
 * @param related tables with one row per user that are synchronised too
 * @param lacking names of those the config lists and this site does not have
 */
export function makeHostUsers(
  catalog: Catalog,
  custom: readonly string[],
  listed: readonly string[],
  related: readonly RelatedTable[] = [],
  lacking: readonly RegisterName[] = [],
): HostUsers {
  const table = catalog.requireTable('t_user');
  const descriptions = catalog.table('t_user_description');
  const { layout, selected, columns, times, missing } = findUserColumns(table, { custom, listed, lacking }, related);
  const identifying = layout.filter(({ register }) => IDENTIFYING.includes(register));
  const columnList = sql.join(selected.map(selectColumn));
  const belongings: HostUsers['belongings'] = (runner, ids) => readBelongings(runner, { descriptions, related }, ids);

  const toUsers = async (runner: Runner, rows: readonly UserRow[]): Promise<HostUser[]> => {
    const theirs = await belongings(runner, rows.map(idOf));
    return rows.map((row) => {
      const registers = registersOf(row, layout);
      for (const one of related) registers.set(one.register, noRow(one));
      for (const [register, values] of theirs.get(idOf(row)) ?? []) registers.set(register, values);
      return toUser(row, registers);
    });
  };

  return {
    table: table.name,
    columns,
    times,
    related,
    missing,
    describes: descriptions !== undefined,
    text: descriptions?.column('s_info'),
    async byId(runner, ids, { lock = false } = {}) {
      if (ids.length === 0) return new Map();
      const { rows } = await sql<UserRow>`
        SELECT ${columnList} FROM ${id(table.name)} ${lock ? sql`FORCE INDEX (PRIMARY)` : sql``}
        WHERE pk_i_id IN (${bindList(ids)}) ORDER BY pk_i_id ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
      const users = await toUsers(runner, rows);
      return new Map(users.map((user) => [user.id, user]));
    },
    async after(runner, after, limit, { eligible = false } = {}) {
      const { rows } = await sql<UserRow>`
        SELECT ${columnList} FROM ${id(table.name)} WHERE pk_i_id > ${after}
        ${eligible ? sql`AND b_enabled = 1 AND b_active = 1` : sql``}
        ORDER BY pk_i_id LIMIT ${limit}`.execute(runner);
      return await toUsers(runner, rows);
    },
    belongings,
    async identitiesAfter(runner, after, limit) {
      const list = sql.join([sql`pk_i_id`, ...identifying.flatMap((one) => one.columns).map(selectColumn)]);
      const { rows } = await sql<UserRow>`
        SELECT ${list} FROM ${id(table.name)} WHERE pk_i_id > ${after} ORDER BY pk_i_id LIMIT ${limit}`.execute(runner);
      return rows.map((row) => ({ id: idOf(row), registers: registersOf(row, identifying) }));
    },
    async idsBetween(runner, after, upTo) {
      const { rows } = await sql<{ id: number }>`
        SELECT pk_i_id AS id FROM ${id(table.name)} WHERE pk_i_id > ${after} AND pk_i_id <= ${upTo}`.execute(runner);
      return new Set(rows.map((row) => row.id));
    },
    holdersOf: (runner, emails) => findHolders(runner, table.name, emails),
  };
}

/** A row of `t_user` as it was read, by name of the column. */
type UserRow = Readonly<Record<string, Raw>>;

function idOf(row: UserRow): number {
  return Number(row['pk_i_id']);
}

function toUser(row: UserRow, registers: HostUser['registers']): HostUser {
  return {
    id: idOf(row),
    email: textOf(row['s_email']) ?? '',
    enabled: Number(row['b_enabled']) === 1,
    active: Number(row['b_active']) === 1,
    regDate: textOf(row['dt_reg_date']),
    modDate: textOf(row['dt_mod_date']),
    resetCode: textOf(row['s_pass_code']),
    isResetDone: EPOCH.test(textOf(row['s_pass_date']) ?? ''),
    registers,
  };
}

/** What Osclass writes once a password was set by the link in a mail: the beginning of 1970, in the zone of the site. */
const EPOCH = /^(?:1969-12-31|1970-01-01) /;

/** The registers that the row itself holds. */
function registersOf(row: UserRow, layout: readonly RegisterColumns[]): Map<RegisterName, Values> {
  const registers = new Map<RegisterName, Values>();
  for (const { register, columns } of layout) {
    const values: Record<string, Value> = {};
    for (const column of columns) values[column.name] = columnValue(column, row[column.name]);
    if (register === 's_username') values['s_username'] = nameUnlessId(values['s_username'] ?? null, idOf(row));
    registers.set(register, values);
  }
  return registers;
}

function textOf(raw: Raw): string | null {
  return raw === null || raw === undefined ? null : String(raw);
}

/** A user name that is only the user's own id (Osclass's default) is no name: it means something else elsewhere. */
function nameUnlessId(name: Value, userId: number): Value {
  return name === String(userId) || name === '' ? null : name;
}
