/** Which columns of `t_user` and of related tables belong to which register on this site. Pure. */
import type { Column, Table } from '../db/catalog.ts';
import { DEFAULT_COLUMNS, isOrdinaryName, mayTravel } from '../model/policy.ts';
import { registerOfColumn, type RegisterName } from '../model/register.ts';
import type { RelatedTable } from './related.ts';

/** What is to be synchronised, as the config has it. */
export interface ColumnsWanted {
  /** `columns.custom` */
  readonly custom: readonly string[];
  /** Every name in some peer's lists; a site looks after `s_secret` or a consent only if it is there. */
  readonly listed: readonly string[];
  /** Names of related tables that the config lists and this site does not have. */
  readonly lacking: readonly RegisterName[];
}

/** The columns of `t_user` that hold a register, in the order in which they are hashed. */
export interface RegisterColumns {
  readonly register: RegisterName;
  readonly columns: readonly Column[];
}

/** The registers of a site's users by where they are kept; descriptions are not among them. */
export interface UserColumns {
  /** Of `t_user` only. */
  readonly layout: readonly RegisterColumns[];
  /** What to read of a row of `t_user`: the registers, and what is looked at without being one. */
  readonly selected: readonly Column[];
  /** The columns of each register, those of related tables too. */
  readonly columns: ReadonlyMap<RegisterName, readonly Column[]>;
  /** Those of them that hold a time, of the registers that have any. */
  readonly times: ReadonlyMap<RegisterName, readonly Column[]>;
  /** Registers that the config names and this site has no column for. */
  readonly missing: ReadonlySet<RegisterName>;
}

/** Read of every user, whichever registers are synchronised. */
const ALWAYS_READ = [
  'pk_i_id',
  's_email',
  'b_enabled',
  'b_active',
  'dt_reg_date',
  'dt_mod_date',
  's_pass_code',
  's_pass_date',
];

/** Assigns the columns that this site has and that are wanted to their registers. */
export function findUserColumns(
  users: Table,
  { custom, listed, lacking }: ColumnsWanted,
  related: readonly RelatedTable[],
): UserColumns {
  const ofUser = groupByRegister(users, new Set([...DEFAULT_COLUMNS, ...custom, ...listed]));
  const columns = new Map([...ofUser, ...related.map((one) => [one.register, one.columns] as const)]);
  const always = ALWAYS_READ.map((name) => users.column(name)).filter((column) => column !== undefined);
  const named = [...custom, ...listed, ...lacking].filter((name) => !isOrdinaryName(name));
  return {
    layout: [...ofUser].map(([register, list]) => ({ register, columns: list.toSorted(byName) })),
    selected: [...new Set([...always, ...[...ofUser.values()].flat()])],
    columns,
    times: timesAmong(columns),
    missing: new Set(named.filter((name) => !columns.has(name))),
  };
}

function groupByRegister(users: Table, wanted: ReadonlySet<string>): Map<RegisterName, readonly Column[]> {
  const columns = new Map<RegisterName, readonly Column[]>();
  for (const column of users.columns.values()) {
    if (!wanted.has(column.name) || !mayTravel(column.name) || column.generated) continue;
    const register = registerOfColumn(column.name);
    columns.set(register, [...(columns.get(register) ?? []), column]);
  }
  return columns;
}

function timesAmong(columns: ReadonlyMap<RegisterName, readonly Column[]>): Map<RegisterName, readonly Column[]> {
  const times = new Map<RegisterName, readonly Column[]>();
  for (const [register, list] of columns) {
    const held = list.filter(({ type }) => type === 'datetime' || type === 'timestamp');
    if (held.length > 0) times.set(register, held);
  }
  return times;
}

function byName(one: Column, other: Column): number {
  return one.name < other.name ? -1 : 1;
}
