/** The selects behind the catalog. Every column has an alias: MySQL 8 and later return upper-case names, whatever was asked. */
import { sql, type RawBuilder } from 'kysely';
import type { Runner } from './transaction.ts';

/** A base table. */
export interface TableRow {
  name: string;
  /** `BASE TABLE`, `VIEW`, … */
  kind: string;
  engine: string | null;
  created: string | null;
}

/** A column, its numbers as the server sends them: some as text. */
export interface ColumnRow {
  tbl: string;
  name: string;
  type: string;
  column_type: string;
  nullable: string;
  charset: string | null;
  collation: string | null;
  max_chars: number | string | null;
  max_bytes: number | string | null;
  number_precision: number | string | null;
  number_scale: number | string | null;
  fraction: number | string | null;
  default_value: string | null;
  extra: string;
  key_kind: string;
}

/** A foreign key. */
export interface ReferenceRow {
  tbl: string;
  col: string;
  name: string;
  target: string;
  target_column: string;
  delete_rule: string;
}

/** A trigger. */
export interface TriggerRow {
  name: string;
  tbl: string;
  event: string;
  timing: string;
  body: string | null;
  definer: string;
  mode: string;
}

/** How this server shows defaults, and whether it folds the case of table names. */
export async function readNaming(db: Runner): Promise<{ mariadb: boolean; folds: boolean }> {
  const [row] = await rowsOf<{ version: string; folding: string }>(
    db,
    sql`SELECT VERSION() AS version, @@lower_case_table_names AS folding`,
  );
  return { mariadb: /mariadb/i.test(row?.version ?? ''), folds: row !== undefined && Number(row.folding) !== 0 };
}

/** All tables of a schema, views and the like too. */
export function readTables(db: Runner, schema: string): Promise<TableRow[]> {
  return rowsOf(
    db,
    sql`SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, ENGINE AS engine, CREATE_TIME AS created
        FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = ${schema}`,
  );
}

/** All columns of the tables whose name begins with `prefix`, in their order. */
export function readColumns(db: Runner, schema: string, prefix: string): Promise<ColumnRow[]> {
  return rowsOf(
    db,
    sql`SELECT TABLE_NAME AS tbl, COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS column_type,
          IS_NULLABLE AS nullable, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation,
          CHARACTER_MAXIMUM_LENGTH AS max_chars, CHARACTER_OCTET_LENGTH AS max_bytes,
          NUMERIC_PRECISION AS number_precision, NUMERIC_SCALE AS number_scale, DATETIME_PRECISION AS fraction,
          COLUMN_DEFAULT AS default_value, EXTRA AS extra, COLUMN_KEY AS key_kind
        FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = ${schema} AND LEFT(TABLE_NAME, ${prefix.length}) = ${prefix}
        ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
}

/**
 * All foreign keys within a schema. Of one with several columns the first is taken: Osclass has none, and deleting the
 * parent row reports them.
 */
export function readReferences(db: Runner, schema: string): Promise<ReferenceRow[]> {
  return rowsOf(
    db,
    sql`SELECT k.TABLE_NAME AS tbl, k.COLUMN_NAME AS col, k.CONSTRAINT_NAME AS name,
          k.REFERENCED_TABLE_NAME AS target, k.REFERENCED_COLUMN_NAME AS target_column, r.DELETE_RULE AS delete_rule
        FROM information_schema.KEY_COLUMN_USAGE AS k
        JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r
          ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
            AND r.TABLE_NAME = k.TABLE_NAME
        WHERE k.TABLE_SCHEMA = ${schema} AND k.CONSTRAINT_SCHEMA = ${schema}
          AND k.REFERENCED_TABLE_SCHEMA = ${schema} AND k.POSITION_IN_UNIQUE_CONSTRAINT = 1
        ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME`,
  );
}

/** All triggers of a schema. Asked for one schema, servers open the tables of that one only. */
export function selectTriggers(db: Runner, schema: string): Promise<TriggerRow[]> {
  return rowsOf(
    db,
    sql`SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tbl, EVENT_MANIPULATION AS event, ACTION_TIMING AS timing,
          ACTION_STATEMENT AS body, DEFINER AS definer, SQL_MODE AS mode
        FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${schema}
        ORDER BY TRIGGER_NAME`,
  );
}

async function rowsOf<Row>(db: Runner, query: RawBuilder<unknown>): Promise<Row[]> {
  return (await query.execute(db)).rows as Row[];
}
