/**
 * What an account may do in triggers, as their definer, in distinction from what its sessions may. A session has the rights of its
 * active roles, and those granted to accounts of its name for other hosts. In a trigger only the account itself
 * counts, of roles none on MariaDB, and the default ones on MySQL. A session of the definer itself does not see the difference:
 * servers change nothing where a trigger runs for its own definer.
 */
import { sql, type Kysely } from 'kysely';
import { isWithoutRoles } from '../db/failures.ts';
import type { Runner } from '../db/transaction.ts';

/**
 * Runs `work` on a connection whose active roles are those of a definer: `SET ROLE NONE`, or `SET ROLE DEFAULT` on MySQL. It is told
 * whether that made a difference. The roles are put back whatever happens.
 */
export async function withRightsOfDefiner<T>(
  db: Kysely<unknown>,
  work: (connection: Kysely<unknown>, isOther: boolean) => Promise<T>,
): Promise<T> {
  return await db.connection().execute(async (connection) => {
    const { roles, isMariadb } = await activeRoles(connection);
    if (roles === undefined) return await work(connection, false);
    await sql.raw(isMariadb ? 'SET ROLE NONE' : 'SET ROLE DEFAULT').execute(connection);
    try {
      return await work(connection, true);
    } finally {
      await sql.raw(`SET ROLE ${roles}`).execute(connection);
    }
  });
}

/** As SET ROLE wants them; undefined: none. MariaDB gives one bare name, MySQL a list that is quoted already. */
async function activeRoles(db: Runner): Promise<{ roles: string | undefined; isMariadb: boolean }> {
  const asked = sql<{ roles: string | null; version: string }>`SELECT CURRENT_ROLE() AS roles, VERSION() AS version`;
  const { rows } = await asked.execute(db).catch((error: unknown) => {
    // MySQL 5.7 has no such function.
    if (isWithoutRoles(error)) return { rows: [] };
    throw error;
  });
  const { roles = null, version = '' } = rows[0] ?? {};
  const isMariadb = /mariadb/i.test(version);
  if (roles === null || roles === 'NONE') return { roles: undefined, isMariadb };
  return { roles: isMariadb ? `\`${roles.replaceAll('`', '``')}\`` : roles, isMariadb };
}

/**
 * Of `rights` that a session has: those that no grant to the account itself, its active roles or PUBLIC names, so that they are
 * granted to another account of the same name. Only asked where the account is for more hosts than this one: where it is for
 * the one that we come from, triggers find what the session finds. `SHOW GRANTS`
 */
export async function rightsUnlisted<R extends string>(db: Runner, rights: readonly R[]): Promise<R[]> {
  const { rows: accounts } = await sql<{ account: string; client: string }>`
    SELECT CURRENT_USER() AS account, USER() AS client`.execute(db);
  const hostOf = (text = ''): string => text.slice(text.lastIndexOf('@') + 1);
  if (hostOf(accounts[0]?.account) === hostOf(accounts[0]?.client)) return [];
  const { rows } = await sql<Record<string, string>>`SHOW GRANTS`.execute(db);
  const listed = rows.map((row) => /^GRANT (.*?) ON /.exec(Object.values(row)[0] ?? '')?.[1] ?? '');
  const isListed = (right: R): boolean =>
    listed.some((names) => names.startsWith('ALL PRIVILEGES') || names.split(/,\s*/).includes(right));
  return rights.filter((right) => !isListed(right));
}
