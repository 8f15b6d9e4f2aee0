/**
 * Users as the host stores them, read into registers. The only place that knows which columns of `t_user` belong to
 * which register on this site.
 */
import { sql } from 'kysely';
import { id, type Catalog, type Column, type Ident } from '../db/catalog.ts';
import { bindList } from '../db/bind.ts';
import type { Runner } from '../db/transaction.ts';
import { descriptionValues, IDENTIFYING } from '../model/absorb.ts';
import { noRow, readRelated, type RelatedTable } from './related.ts';
import { columnValue, selectColumn, type Raw } from './column-values.ts';
import { DEFAULT_COLUMNS, isOrdinaryName, mayTravel } from '../model/policy.ts';
import {
  descriptionRegister,
  registerOfColumn,
  type RegisterName,
  type Value,
  type Values,
} from '../model/register.ts';
import { canonicalEmail } from '../model/uid.ts';

/** A row of `t_user` with its descriptions. */
export interface HostUser {
  readonly id: number;
  /** As stored. */
  readonly email: string;
  readonly enabled: boolean;
  readonly active: boolean;
  /** `dt_reg_date` and `dt_mod_date` as stored: local time of the site. */
  readonly regDate: string | null;
  readonly modDate: string | null;
  readonly registers: ReadonlyMap<RegisterName, Values>;
}

/** Who has an address on this site. */
export interface Holder {
  readonly id: number;
  /** As stored. */
  readonly email: string;
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
  holdersOf(runner: Runner, emails: readonly string[]): Promise<Map<string, Holder>>;
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
  const wanted = new Set([...DEFAULT_COLUMNS, ...custom, ...listed]);
  const columns = new Map<RegisterName, Column[]>();
  for (const column of table.columns.values()) {
    if (!wanted.has(column.name) || !mayTravel(column.name) || column.generated) continue;
    const register = registerOfColumn(column.name);
    columns.set(register, [...(columns.get(register) ?? []), column]);
  }
  // In the order in which they are hashed.
  const layout = [...columns].map(([register, list]) => ({
    register,
    list: list.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
  }));
  const always = ['pk_i_id', 's_email', 'b_enabled', 'b_active', 'dt_reg_date', 'dt_mod_date'];
  const selected = new Map<string, Column>();
  for (const column of [...always.map((name) => table.column(name)), ...[...columns.values()].flat()]) {
    if (column !== undefined) selected.set(column.name, column);
  }
  const columnList = sql.join([...selected.values()].map(selectColumn));

  for (const one of related) columns.set(one.register, [...one.columns]);
  const named = [...custom, ...listed, ...lacking].filter((name) => !isOrdinaryName(name));
  const missing = new Set(named.filter((name) => !columns.has(name)));

  const times = new Map<RegisterName, Column[]>();
  for (const [register, list] of columns) {
    const held = list.filter(({ type }) => type === 'datetime' || type === 'timestamp');
    if (held.length > 0) times.set(register, held);
  }

  type Row = HostUser & { readonly registers: Map<RegisterName, Values> };

  const toUser = (row: Record<string, Raw>): Row => {
    const userId = Number(row['pk_i_id']);
    const registers = new Map<RegisterName, Values>();
    for (const { register, list: held } of layout) {
      const values: Record<string, Value> = {};
      for (const column of held) values[column.name] = columnValue(column, row[column.name]);
      if (register === 's_username') values['s_username'] = ownName(values['s_username'] ?? null, userId);
      registers.set(register, values);
    }
    return {
      id: userId,
      email: textOf(row['s_email']) ?? '',
      enabled: Number(row['b_enabled']) === 1,
      active: Number(row['b_active']) === 1,
      regDate: textOf(row['dt_reg_date']),
      modDate: textOf(row['dt_mod_date']),
      registers,
    };
  };

  const belongings = async (
    runner: Runner,
    ids: readonly number[],
  ): Promise<Map<number, Map<RegisterName, Values>>> => {
    const found = new Map<number, Map<RegisterName, Values>>();
    if (ids.length === 0) return found;
    const set = (userId: number, register: RegisterName, values: Values): void => {
      found.set(userId, (found.get(userId) ?? new Map<RegisterName, Values>()).set(register, values));
    };
    if (descriptions !== undefined) {
      const { rows } = await sql<{ user_id: number; locale: string; info: string | null }>`
        SELECT fk_i_user_id AS user_id, fk_c_locale_code AS locale, s_info AS info
        FROM ${id(descriptions.name)} WHERE fk_i_user_id IN (${bindList(ids)})
        ORDER BY fk_i_user_id, fk_c_locale_code`.execute(runner);
      for (const row of rows) set(row.user_id, descriptionRegister(row.locale), descriptionValues(row.info));
    }
    for (const one of related) {
      for (const [userId, values] of await readRelated(runner, one, ids)) set(userId, one.register, values);
    }
    return found;
  };

  const withBelongings = async (runner: Runner, rows: Record<string, Raw>[]): Promise<HostUser[]> => {
    const theirs = await belongings(
      runner,
      rows.map((row) => Number(row['pk_i_id'])),
    );
    return rows.map((row) => {
      const user = toUser(row);
      for (const one of related) user.registers.set(one.register, noRow(one));
      for (const [register, values] of theirs.get(user.id) ?? []) user.registers.set(register, values);
      return user;
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
      const { rows } = await sql<Record<string, Raw>>`
        SELECT ${columnList} FROM ${id(table.name)} ${lock ? sql`FORCE INDEX (PRIMARY)` : sql``}
        WHERE pk_i_id IN (${bindList(ids)}) ORDER BY pk_i_id ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
      const users = await withBelongings(runner, rows);
      return new Map(users.map((user) => [user.id, user]));
    },
    async after(runner, after, limit, { eligible = false } = {}) {
      const { rows } = await sql<Record<string, Raw>>`
        SELECT ${columnList} FROM ${id(table.name)} WHERE pk_i_id > ${after}
        ${eligible ? sql`AND b_enabled = 1 AND b_active = 1` : sql``}
        ORDER BY pk_i_id LIMIT ${limit}`.execute(runner);
      return await withBelongings(runner, rows);
    },
    belongings,
    async identitiesAfter(runner, after, limit) {
      const telling = layout.filter(({ register }) => IDENTIFYING.includes(register));
      const list = sql.join([sql`pk_i_id`, ...telling.flatMap((one) => one.list).map(selectColumn)]);
      const { rows } = await sql<Record<string, Raw>>`
        SELECT ${list} FROM ${id(table.name)} WHERE pk_i_id > ${after} ORDER BY pk_i_id LIMIT ${limit}`.execute(runner);
      return rows.map((row) => {
        const values = telling.map(({ register, list: held }) => {
          const columnsOf = held.map((column) => [column.name, columnValue(column, row[column.name])] as const);
          return [register, Object.fromEntries(columnsOf)] as const;
        });
        return { id: Number(row['pk_i_id']), registers: new Map<RegisterName, Values>(values) };
      });
    },
    async idsBetween(runner, after, upTo) {
      const { rows } = await sql<{ id: number }>`
        SELECT pk_i_id AS id FROM ${id(table.name)} WHERE pk_i_id > ${after} AND pk_i_id <= ${upTo}`.execute(runner);
      return new Set(rows.map((row) => row.id));
    },
    async holdersOf(runner, emails) {
      const holders = new Map<string, Holder>();
      if (emails.length === 0) return holders;
      const { rows } = await sql<Holder>`
        SELECT pk_i_id AS id, s_email AS email FROM ${id(table.name)}
        WHERE s_email IN (${bindList(new Set(emails.flatMap(spellings)))})`.execute(runner);
      const exact = new Map(rows.map((row) => [canonicalEmail(row.email), row]));
      for (const email of emails) {
        const holder = exact.get(canonicalEmail(email));
        if (holder !== undefined) holders.set(email, holder);
      }
      if (holders.size === rows.length) return holders;
      // The collation folds an address of ours into one that was asked for: ask one by one which.
      for (const email of emails.filter((one) => !holders.has(one))) {
        const twin = await sql<Holder>`
          SELECT pk_i_id AS id, s_email AS email FROM ${id(table.name)}
          WHERE s_email IN (${bindList(spellings(email))})`.execute(runner);
        if (twin.rows[0] !== undefined) holders.set(email, twin.rows[0]);
      }
      return holders;
    },
  };
}

/** An address as it came and in its canonical form: no collation overlooks blanks in front. */
function spellings(email: string): string[] {
  const canonical = canonicalEmail(email);
  return canonical === email ? [email] : [email, canonical];
}

function textOf(raw: Raw): string | null {
  return raw === null || raw === undefined ? null : String(raw);
}

/** A user name that is only the user's own id (Osclass's default) is no name: it means something else elsewhere. */
function ownName(name: Value, userId: number): Value {
  return name === String(userId) || name === '' ? null : name;
}
