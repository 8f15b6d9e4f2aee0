/**
 * Telling a table from one that was emptied or restored meanwhile. Both set AUTO_INCREMENT back, which nothing else
 * does; restoring makes a new table besides, as do some changes of its columns. Of what cannot be told, the harmless is
 * assumed wrongly: then accounts that were deleted stay on other sites, until a person looks.
 */
import { sql } from 'kysely';
import { id, type Ident } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';

/** What there is to see of a table. */
export interface TableSeen {
  /** As the server tells it; null where it does not. */
  readonly createdAt: string | null;
  /** The next id, as far as the server remembers. */
  readonly nextId: number;
}

/** `SHOW CREATE TABLE`, for what the information schema says of AUTO_INCREMENT may be a day old, and when it was made. */
export async function readTableSeen(runner: Runner, table: Ident): Promise<TableSeen> {
  const shown = await sql<Record<string, string>>`SHOW CREATE TABLE ${id(table)}`.execute(runner);
  const definition = shown.rows[0]?.['Create Table'] ?? '';
  const options = definition.slice(definition.lastIndexOf('\n)'));
  const { rows } = await sql<{ created: string | null }>`
    SELECT CREATE_TIME AS created FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${table}`.execute(runner);
  return {
    createdAt: rows[0]?.created ?? null,
    nextId: Number(/\bAUTO_INCREMENT=(\d+)/.exec(options)?.[1] ?? 1),
  };
}

/** False where anything suggests that rows went without being deleted; also if nothing was seen before. Pure. */
export function isSameTable(before: TableSeen | undefined, now: TableSeen): boolean {
  return before !== undefined && before.createdAt === now.createdAt && now.nextId >= before.nextId;
}

/** The same table, with the highest next id that was ever seen. Pure. */
export function laterSeen(before: TableSeen | undefined, now: TableSeen): TableSeen {
  return { ...now, nextId: Math.max(now.nextId, before?.nextId ?? 0) };
}

/** For the table `state`. */
export function encodeTableSeen({ createdAt, nextId }: TableSeen): string {
  return JSON.stringify([createdAt, nextId]);
}

/** Undefined if nothing was stored. */
export function decodeTableSeen(text: string | undefined): TableSeen | undefined {
  if (text === undefined) return undefined;
  const [createdAt, nextId] = JSON.parse(text) as [string | null, number];
  return { createdAt, nextId };
}
