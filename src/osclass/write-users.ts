/** Writes to `t_user` and its descriptions. UPDATE or INSERT, never a statement that does either. */
import { sql, type RawBuilder } from 'kysely';
import { id, type Column, type Table } from '../db/catalog.ts';
import { isDuplicate } from '../db/failures.ts';
import { bindList, bindRows, dividedForStatements } from '../db/bind.ts';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { Value } from '../model/register.ts';
import { bind, holdsBytes } from './column-values.ts';

/** Columns to be written, of one user. */
export type ColumnWrites = ReadonlyMap<Column, Value | number>;

/** What is to be written to one user. */
export interface UserUpdate {
  readonly userId: number;
  readonly writes: ColumnWrites;
}

/** A description to be written. */
export interface DescriptionWrite {
  readonly userId: number;
  readonly locale: string;
  readonly text: string | null;
  /** True: it is removed. */
  readonly isGone: boolean;
  /** True if there is one now. */
  readonly present: boolean;
}

/** `UPDATE t_user SET … WHERE pk_i_id = ?` */
export async function updateUser(runner: Runner, table: Table, userId: number, writes: ColumnWrites): Promise<void> {
  if (writes.size === 0) return;
  const assignments = [...writes].map(([column, value]) => sql`${id(column.name)} = ${bind(value)}`);
  await sql`UPDATE ${id(table.name)} SET ${sql.join(assignments)} WHERE pk_i_id = ${userId}`.execute(runner);
}

/**
 * As {@link updateUser}, those that change the same columns in one statement:
 *
 *     UPDATE t_user SET s_name = ELT(FIELD(pk_i_id, 5, 9), 'Ana', 'Ben'), … WHERE pk_i_id IN (5, 9)
 */
export async function updateUsers(runner: Runner, table: Table, updates: readonly UserUpdate[]): Promise<void> {
  const groups = Map.groupBy(updates, ({ userId, writes }) => {
    const columns = [...writes.keys()];
    // Text and numbers stay what they are on the way through a function; of bytes nobody promises that.
    return columns.some(holdsBytes) ? String(userId) : columns.map((column) => column.name).join(' ');
  });
  for (const group of groups.values()) {
    // Each column repeats the ids.
    const rowOf = ({ userId, writes }: UserUpdate) => [...writes.values()].flatMap((value) => [userId, bind(value)]);
    for (const some of dividedForStatements(group, rowOf)) {
      const [first] = some;
      if (first === undefined) continue;
      if (some.length === 1) await updateUser(runner, table, first.userId, first.writes);
      else await updateTogether(runner, table, [...first.writes.keys()], some);
    }
  }
}

async function updateTogether(
  runner: Runner,
  table: Table,
  columns: readonly Column[],
  group: readonly UserUpdate[],
): Promise<void> {
  if (columns.length === 0) return;
  const ids = bindList(group.map(({ userId }) => userId));
  const assignments = columns.map((column) => {
    const values = bindList(group.map(({ writes }) => bind(writes.get(column) ?? null)));
    return sql`${id(column.name)} = ELT(FIELD(pk_i_id, ${ids}), ${values})`;
  });
  await sql`UPDATE ${id(table.name)} SET ${sql.join(assignments)} WHERE pk_i_id IN (${ids})`.execute(runner);
}

/**
 * `INSERT INTO t_user (…) VALUES (…), (…)`: one statement per set of columns. Ids are not returned: they are looked up
 * by the address, which is unique, for they need not follow each other on a cluster. Throws `HOST_TABLE_UNFIT` where the
 * server gives no ids.
 */
export async function insertUsers(runner: Runner, table: Table, users: readonly ColumnWrites[]): Promise<void> {
  if (users.length === 0) return;
  if (table.column('pk_i_id')?.autoIncrement !== true) {
    throw new SyncError(
      'HOST_TABLE_UNFIT',
      `pk_i_id of ${table.name} has no AUTO_INCREMENT: a new account would get the id 0.`,
    );
  }
  const groups = new Map<string, ColumnWrites[]>();
  for (const user of users) {
    const key = [...user.keys()].map((column) => column.name).join(' ');
    groups.set(key, [...(groups.get(key) ?? []), user]);
  }
  for (const group of groups.values()) {
    const columns = [...(group[0] as ColumnWrites).keys()];
    const tuples = group.map((user) => columns.map((column) => bind(user.get(column) ?? null)));
    for (const some of dividedForStatements(tuples, (tuple) => tuple)) {
      await sql`
        INSERT INTO ${id(table.name)} (${sql.join(columns.map((column) => id(column.name)))})
        VALUES ${bindRows(some)}`.execute(runner);
    }
  }
}

/** Osclass's own default: the id as user name. `UPDATE t_user SET s_username = pk_i_id WHERE pk_i_id IN (…)` */
export async function nameByIds(runner: Runner, table: Table, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0 || table.column('s_username') === undefined) return;
  await sql`
    UPDATE ${id(table.name)} SET s_username = CAST(pk_i_id AS CHAR)
    WHERE pk_i_id IN (${bindList(userIds)})`.execute(runner);
}

/** Who has one of the user names. `SELECT pk_i_id, s_username FROM t_user WHERE s_username IN (…)` */
export async function holdersOfNames(
  runner: Runner,
  table: Table,
  names: readonly string[],
): Promise<{ id: number; name: string }[]> {
  if (names.length === 0 || table.column('s_username') === undefined) return [];
  const { rows } = await sql<{ id: number; name: string }>`
    SELECT pk_i_id AS id, s_username AS name FROM ${id(table.name)}
    WHERE s_username IN (${bindList(names)})`.execute(runner);
  return rows;
}

/** Inserts, updates or deletes rows of `t_user_description`; new ones in one statement. */
export async function writeDescriptions(
  runner: Runner,
  table: Table,
  writes: readonly DescriptionWrite[],
): Promise<void> {
  const fresh: DescriptionWrite[] = [];
  for (const write of writes) {
    if (write.isGone) await sql`DELETE FROM ${id(table.name)} WHERE ${isFor(write)}`.execute(runner);
    else if (write.present) await updateDescription(runner, table, write);
    else fresh.push(write);
  }
  try {
    await insertDescriptions(runner, table, fresh);
  } catch (error) {
    // The site wrote one since we looked.
    if (!isDuplicate(error)) throw error;
    for (const write of fresh) await insertOrUpdate(runner, table, write);
  }
}

async function insertDescriptions(runner: Runner, table: Table, writes: readonly DescriptionWrite[]): Promise<void> {
  const tuples = writes.map(({ userId, locale, text }) => [userId, locale, text]);
  for (const some of dividedForStatements(tuples, (tuple) => tuple)) {
    await sql`
      INSERT INTO ${id(table.name)} (fk_i_user_id, fk_c_locale_code, s_info)
      VALUES ${bindRows(some)}`.execute(runner);
  }
}

async function updateDescription(runner: Runner, table: Table, write: DescriptionWrite): Promise<void> {
  await sql`UPDATE ${id(table.name)} SET s_info = ${write.text} WHERE ${isFor(write)}`.execute(runner);
}

async function insertOrUpdate(runner: Runner, table: Table, write: DescriptionWrite): Promise<void> {
  try {
    await insertDescriptions(runner, table, [write]);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    await updateDescription(runner, table, write);
  }
}

const isFor = ({ userId, locale }: DescriptionWrite): RawBuilder<unknown> =>
  sql`fk_i_user_id = ${userId} AND fk_c_locale_code = ${locale}`;

/** The locales of the site. `SELECT pk_c_code FROM t_locale` */
export async function readLocales(runner: Runner, table: Table): Promise<Set<string>> {
  const { rows } = await sql<{ code: string }>`SELECT pk_c_code AS code FROM ${id(table.name)}`.execute(runner);
  return new Set(rows.map((row) => row.code));
}
