/**
 * What tables and columns the site has, as information_schema says. The only maker of identifiers: a name that was not
 * seen there, or is not one of our own, cannot get into a statement.
 */
import { sql, type RawBuilder } from 'kysely';
import { SyncError } from '../model/errors.ts';
import {
  readColumns,
  readNaming,
  readReferences,
  readTables,
  selectTriggers,
  type ColumnRow,
  type ReferenceRow,
} from './information-schema.ts';
import type { Runner } from './transaction.ts';

declare const seen: unique symbol;

/** A name of a table or column that exists. Still a string: to be compared and shown, and quoted by {@link id}. */
export type Ident = string & { readonly [seen]: true };

export interface Column {
  readonly name: Ident;
  /** `varchar`, `int`, `datetime`, …: the bare type in lower case. */
  readonly type: string;
  /** The whole type as the server writes it: `int(10) unsigned`, `enum('Yes','No')`. */
  readonly columnType: string;
  readonly nullable: boolean;
  /** Null for what is no text. */
  readonly charset: string | null;
  readonly collation: string | null;
  /** Most characters of a text, or bytes of a binary string. */
  readonly maxChars: number | null;
  readonly maxBytes: number | null;
  readonly precision: number | null;
  readonly scale: number | null;
  /** Digits of the second a time keeps, 0 – 6; null for what is no time. */
  readonly fraction: number | null;
  readonly unsigned: boolean;
  /** The default: a value as text, or an expression as the server writes it. Null if there is none, or if it is NULL. */
  readonly default: string | null;
  /** True if a row can be inserted without naming the column. */
  readonly optional: boolean;
  readonly generated: boolean;
  readonly autoIncrement: boolean;
  /** `PRI`: of the primary key; `UNI`: a unique key of its own; `MUL`: first in another; '': in none. */
  readonly keyKind: string;
}

export interface Table {
  readonly name: Ident;
  /** Name without the site's prefix: `t_user`. */
  readonly base: string;
  /** `InnoDB`, `MyISAM`, … */
  readonly engine: string;
  /** When the server made it, or made it again to change it, as the server writes it; null where it does not say. */
  readonly createdAt: string | null;
  readonly columns: ReadonlyMap<string, Column>;
  column(name: string): Column | undefined;
}

/** A foreign key of one column. */
export interface Reference {
  readonly table: Ident;
  /** Name without prefix, or undefined if the table has another prefix. */
  readonly base: string | undefined;
  readonly column: Ident;
  readonly constraint: string;
  readonly referencedColumn: Ident;
  /** `CASCADE`, `SET NULL`, `RESTRICT`, `NO ACTION`. */
  readonly deleteRule: string;
}

export interface Catalog {
  readonly schema: string;
  readonly prefix: string;
  /** By the name without prefix: `t_user`. Undefined if this site has no such table. */
  table(base: string): Table | undefined;
  /** Throws `HOST_TABLE_MISSING` naming the table. */
  requireTable(base: string): Table;
  /** Foreign keys of any table in the schema that point to this one. */
  tablesReferring(base: string): readonly Reference[];
}

/** A trigger, as the server tells of it. */
export interface Trigger {
  readonly name: Ident;
  readonly table: string;
  readonly event: string;
  /** `AFTER` or `BEFORE`. */
  readonly timing: string;
  /** Null: the account may not see it (MariaDB). */
  readonly body: string | null;
  /** `user@host`, with whose rights it runs. */
  readonly definer: string;
  /** The mode it runs under, whatever the host's is. */
  readonly sqlMode: string;
}

/** All triggers of a schema that the account may see. */
export async function readTriggers(db: Runner, schema: string): Promise<Trigger[]> {
  return (await selectTriggers(db, schema)).map((row) => ({
    name: row.name as Ident,
    table: row.tbl,
    event: row.event,
    timing: row.timing,
    body: row.body,
    definer: row.definer,
    sqlMode: row.mode,
  }));
}

/** The fragment that names `ident` in a statement, quoted verbatim: dots, blanks and back-ticks are part of the name. */
export function id(ident: Ident): RawBuilder<unknown> {
  return sql.id(ident);
}

/** `USE schema` */
export function useSchema({ schema }: Pick<Catalog, 'schema'>): RawBuilder<unknown> {
  return sql`USE ${sql.id(schema)}`;
}

/**
 * Reads tables, columns and foreign keys of the schema. Only tables whose name begins with `prefix` are in the catalog;
 * foreign keys are read for all tables. Three selects from information_schema; to be repeated when the site changed.
 */
export async function readCatalog(db: Runner, schema: string, prefix: string): Promise<Catalog> {
  const { mariadb, folds } = await readNaming(db);
  const baseOf = (name: string): string | undefined => {
    const start = name.slice(0, prefix.length);
    if (start === prefix || (folds && start.toLowerCase() === prefix.toLowerCase())) return name.slice(prefix.length);
    return undefined;
  };

  const tables = new Map<string, Table>();
  const names = new Map<string, Map<string, Column>>();
  const others = new Map<string, string>();
  for (const row of await readTables(db, schema)) {
    const base = baseOf(row.name);
    if (base === undefined) continue;
    if (row.kind !== 'BASE TABLE' && row.kind !== 'SYSTEM VERSIONED') {
      others.set(base, row.kind);
      continue;
    }
    const columns = new Map<string, Column>();
    names.set(row.name, columns);
    const table: Table = {
      name: row.name as Ident,
      base,
      engine: row.engine ?? '',
      createdAt: row.created,
      columns,
      column: (name) => columns.get(name),
    };
    tables.set(base, table);
  }
  for (const row of await readColumns(db, schema, prefix)) names.get(row.tbl)?.set(row.name, toColumn(row, mariadb));
  const references = await readReferences(db, schema);

  return {
    schema,
    prefix,
    table: (base) => tables.get(base),
    requireTable(base) {
      const table = tables.get(base);
      if (table !== undefined) return table;
      throw noTable(`${prefix}${base}`, schema, others.get(base));
    },
    tablesReferring(base) {
      const target = tables.get(base)?.name;
      if (target === undefined) return [];
      const same = (name: string): boolean => name === target || (folds && name.toLowerCase() === target.toLowerCase());
      return references.filter((row) => same(row.target)).map((row) => toReference(row, baseOf(row.tbl)));
    },
  };
}

/** @param kind what has that name and is no table: `VIEW` */
function noTable(name: string, schema: string, kind: string | undefined): SyncError {
  if (kind === undefined) {
    return new SyncError('HOST_TABLE_MISSING', `The table ${name} was not found in the database ${schema}.`);
  }
  const message = `${name} in the database ${schema} is no table but a ${kind.toLowerCase()}, and no triggers can be made on that.`;
  const remedy =
    'Let `database.name` and `database.table_prefix` name the tables themselves: where this leads to another database, the daemon belongs beside that one.';
  return new SyncError('HOST_TABLE_MISSING', message, { remedy });
}

function toColumn(row: ColumnRow, mariadb: boolean): Column {
  const nullable = row.nullable === 'YES';
  const autoIncrement = /auto_increment/i.test(row.extra);
  const generated = /\b(?:VIRTUAL|STORED|PERSISTENT)\b/i.test(row.extra);
  return {
    name: row.name as Ident,
    type: row.type.toLowerCase(),
    columnType: row.column_type,
    nullable,
    charset: row.charset,
    collation: row.collation,
    maxChars: numberOf(row.max_chars),
    maxBytes: numberOf(row.max_bytes),
    precision: numberOf(row.number_precision),
    scale: numberOf(row.number_scale),
    fraction: numberOf(row.fraction),
    unsigned: /\bunsigned\b/i.test(row.column_type),
    default: mariadb ? unquotedDefault(row.default_value) : row.default_value,
    optional: nullable || generated || autoIncrement || row.default_value !== null,
    generated,
    autoIncrement,
    keyKind: row.key_kind,
  };
}

function toReference(row: ReferenceRow, base: string | undefined): Reference {
  return {
    table: row.tbl as Ident,
    base,
    column: row.col as Ident,
    constraint: row.name,
    referencedColumn: row.target_column as Ident,
    deleteRule: row.delete_rule,
  };
}

/** MariaDB shows `'text'` and `NULL` where MySQL shows `text` and nothing. */
function unquotedDefault(value: string | null): string | null {
  if (value === null || value === 'NULL') return null;
  return /^'.*'$/s.test(value) ? value.slice(1, -1).replaceAll("''", "'") : value;
}

function numberOf(value: number | string | null): number | null {
  return value === null ? null : Number(value);
}
