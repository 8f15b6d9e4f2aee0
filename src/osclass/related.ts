/** Tables with one row per user (`related_tables`), synchronised as a register group each. */
import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { id, type Catalog, type Column, type Table } from '../db/catalog.ts';
import { bindList } from '../db/bind.ts';
import type { Runner } from '../db/transaction.ts';
import { mayTravel } from '../model/policy.ts';
import { isEmpty, ROW, rowOf, type RegisterName, type Value, type Values } from '../model/register.ts';
import { newUserDefaults } from './defaults.ts';
import { bind, columnValue, selectColumn, type Raw } from './column-values.ts';
import type { ColumnWrites } from './write-users.ts';

/** What the config says of one. */
export interface RelatedConfig {
  /** Without prefix. */
  readonly table: string;
  /** Column that holds the user's id. */
  readonly key: string;
  /** Name of the register group. */
  readonly as: string;
  readonly columns: readonly string[];
}

/** A related table that this site has. */
export interface RelatedTable {
  readonly register: RegisterName;
  readonly table: Table;
  readonly key: Column;
  /** Those of the listed columns that exist here. */
  readonly columns: readonly Column[];
}

/** The related tables this site has and can write to; tables, keys and columns it lacks are left out. */
export function findRelated(catalog: Catalog, list: readonly RelatedConfig[]): RelatedTable[] {
  return list.flatMap((entry) => {
    const table = catalog.table(entry.table);
    const key = table?.column(entry.key);
    if (table === undefined || key === undefined || !isNumberedByServer(table, [entry.key, ...entry.columns]))
      return [];
    const columns = entry.columns
      .map((name) => table.column(name))
      .filter((column) => column !== undefined && column !== key && !column.generated && !column.autoIncrement)
      .filter((column) => column !== undefined);
    const allowed = columns.filter((column) => mayTravel(column.name) && column.name !== ROW);
    return allowed.length === 0 ? [] : [{ register: entry.as, table, key, columns: allowed }];
  });
}

/** False if a new row needs a value in its primary key that nobody gives. */
function isNumberedByServer(table: Table, given: readonly string[]): boolean {
  return [...table.columns.values()].every(
    (column) => column.keyKind !== 'PRI' || column.autoIncrement || column.generated || given.includes(column.name),
  );
}

/** `SELECT key, … FROM table WHERE key IN (…)`: the registers by user; a user without a row is not in it. */
export async function readRelated(
  runner: Runner,
  { table, key, columns }: RelatedTable,
  userIds: readonly number[],
): Promise<Map<number, Values>> {
  if (userIds.length === 0) return new Map();
  const list = sql.join([key, ...columns].map(selectColumn));
  const { rows } = await sql<Record<string, Raw>>`
    SELECT ${list} FROM ${id(table.name)} WHERE ${id(key.name)} IN (${sql.join([...userIds])})`.execute(runner);
  return new Map(
    rows.map((row) => [
      Number(row[key.name]),
      Object.fromEntries<Value>([
        ...columns.map((column) => [column.name, columnValue(column, row[column.name])] as const),
        [ROW, 'here'],
      ]),
    ]),
  );
}

/** The register of a user without a row. */
export function noRow({ columns }: RelatedTable): Values {
  return Object.fromEntries<Value>([...columns.map((column) => [column.name, null] as const), [ROW, 'none']]);
}

/**
 * Makes the row what the values say: UPDATE, or INSERT where there is none; DELETE if there is to be none. Where the sender
 * could not say that, and all values are NULL, the row is emptied, or deleted if its columns cannot be empty.
 */
export async function writeRelated(
  runner: Runner,
  related: RelatedTable,
  userId: number,
  values: Values,
): Promise<void> {
  const { table, key, columns } = related;
  const where = sql`${id(key.name)} = ${userId}`;
  const { rows } = await sql`SELECT 1 FROM ${id(table.name)} WHERE ${where} FOR UPDATE`.execute(runner);
  const given = columns.filter((column) => values[column.name] !== undefined);
  const said = rowOf(values);
  const isUnstorable = rows.length === 0 || given.some((column) => !column.nullable);
  if (said === 'none' || (said === undefined && isEmpty(values) && isUnstorable)) {
    await sql`DELETE FROM ${id(table.name)} WHERE ${where}`.execute(runner);
    return;
  }
  const writes: ColumnWrites = new Map(given.map((column) => [column, values[column.name] ?? null]));
  if (rows.length > 0) {
    const assignments = [...writes].map(([column, value]) => sql`${id(column.name)} = ${bind(value)}`);
    await sql`UPDATE ${id(table.name)} SET ${sql.join(assignments)} WHERE ${where}`.execute(runner);
    return;
  }
  const row = newUserDefaults(table, new Map([[key, userId], ...writes]), randomBytes);
  await sql`
    INSERT INTO ${id(table.name)} (${sql.join([...row.keys()].map((column) => id(column.name)))})
    VALUES (${bindList([...row.values()].map(bind))})`.execute(runner);
}
