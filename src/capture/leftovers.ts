/** What is left of installations that nobody looks after: under a prefix that the site has no more, or in copies of the site. */
import { sql, type Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { findPrefixes } from '../osclass/survey.ts';
import { findElsewhere, findOrphans, type FoundTrigger } from './found-triggers.ts';
import { belonging } from './triggers.ts';

/** Nothing in any of them: nothing is left. */
export interface Leftovers {
  /** In this database: of sites that are not there any more. */
  readonly triggers: readonly FoundTrigger[];
  /** Our tables of such sites. */
  readonly tables: readonly string[];
  /** `schema.trigger` in other databases, with this account as their definer. */
  readonly elsewhere: readonly string[];
}

/** Looks, in `information_schema`, as far as the account may see. */
export async function findLeftovers(db: Kysely<unknown>, catalog: Catalog): Promise<Leftovers> {
  return {
    triggers: await findOrphans(db, belonging(catalog, [])),
    tables: await findTables(db, catalog),
    elsewhere: await findElsewhere(db, catalog),
  };
}

async function findTables(db: Kysely<unknown>, catalog: Catalog): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT TABLE_NAME AS name FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = ${catalog.schema} AND TABLE_NAME LIKE '%account\\_sync\\_%'
      AND TABLE_COMMENT LIKE 'account-sync: %' ORDER BY 1`.execute(db);
  const living = [...(await findPrefixes(db, catalog.schema)), catalog.prefix];
  return rows
    .map(({ name }) => name)
    .filter((name) => !living.some((prefix) => name.startsWith(`${prefix}account_sync_`)));
}
