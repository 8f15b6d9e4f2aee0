/** What a new config wants to know of a site's database, seen through Osclass's own account. Reads only. */
import { sql } from 'kysely';
import { readCatalog, type Catalog } from '../db/catalog.ts';
import { readServerFacts } from '../db/server-facts.ts';
import type { Runner } from '../db/transaction.ts';
import { isOfOsclass } from '../model/policy.ts';
import { readSiteTimezone } from './timezone.ts';

/** What was found. */
export interface Survey {
  readonly catalog: Catalog;
  /** `MariaDB 10.11.6-MariaDB`. */
  readonly server: string;
  /** Of `t_user`'s e-mail column: `utf8mb3_general_ci`. */
  readonly collation: string;
  /** Osclass's own preference; null: there is none. */
  readonly timezone: string | null;
  /** Columns of `t_user` that no version of Osclass has. */
  readonly customColumns: readonly string[];
  /** From where the server sees this machine come: `localhost`, `10.0.0.5`. */
  readonly clientHost: string;
  /** True if the server refuses triggers to accounts without SUPER (error 1419). */
  readonly needsTrust: boolean;
}

/** Looks around. Throws `HOST_TABLE_MISSING` where there are no tables of that prefix. */
export async function surveySite(db: Runner, schema: string, prefix: string): Promise<Survey> {
  const catalog = await readCatalog(db, schema, prefix);
  const user = catalog.requireTable('t_user');
  const { kind, version, logBin, trustFunctionCreators } = await readServerFacts(db);
  return {
    catalog,
    server: `${kind === 'mariadb' ? 'MariaDB' : 'MySQL'} ${version}`,
    collation: user.column('s_email')?.collation ?? 'unknown',
    timezone: await readSiteTimezone(db, catalog),
    customColumns: [...user.columns.keys()].filter((name) => !isOfOsclass(name)),
    clientHost: await readClientHost(db),
    needsTrust: logBin && !trustFunctionCreators,
  };
}

/** `SELECT USER()`: unlike CURRENT_USER() it names the machine, not the account's pattern. */
async function readClientHost(db: Runner): Promise<string> {
  const { rows } = await sql<{ account: string }>`SELECT USER() AS account`.execute(db);
  const account = rows[0]?.account ?? '';
  return account.slice(account.lastIndexOf('@') + 1);
}

/** Prefixes of the schema's tables that look like Osclass's: `SELECT TABLE_NAME … LIKE '%t_user'`. */
export async function findPrefixes(db: Runner, schema: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT TABLE_NAME AS name FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = ${schema} AND TABLE_TYPE <> 'VIEW' AND TABLE_NAME LIKE '%t\\_user' ORDER BY TABLE_NAME`.execute(
    db,
  );
  return rows.map(({ name }) => name.slice(0, -'t_user'.length));
}
