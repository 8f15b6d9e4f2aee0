/** How far looking at every user is. */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** All users of the site, and those that have a shadow. */
export async function countUsers(runner: Runner, catalog: Catalog): Promise<{ total: number; known: number }> {
  const users = id(catalog.requireTable('t_user').name);
  const { rows } = await sql<{ total: string; known: string }>`
    SELECT (SELECT COUNT(*) FROM ${users}) AS total, (SELECT COUNT(*) FROM ${own.user}) AS known`.execute(runner);
  return { total: Number(rows[0]?.total ?? 0), known: Number(rows[0]?.known ?? 0) };
}
