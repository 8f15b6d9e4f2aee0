/**
 * What our account may do, found out before anything is made. Each probe names a table that does not exist, and servers
 * look at rights before they look for the table: 1142 says that the right is missing, 1146 or 1051 (1072 for CREATE)
 * that only the table is. So a probe changes nothing, whatever it finds.
 */
import { sql, type Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { ownName } from '../db/own-tables.ts';
import { isPastRights, isTableRightMissing, isTrustNeeded } from '../db/failures.ts';
import { nameNumber } from '../db/galera.ts';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import { rightsUnlisted, withRightsOfDefiner } from './definer-rights.ts';

/** Rights on the site's database that the daemon needs, as GRANT names them. */
export const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP', 'INDEX', 'TRIGGER'] as const;

/** A name in {@link RIGHTS}. */
export type Right = (typeof RIGHTS)[number];

/** Those that are needed: without triggers no right to make them. */
export function rightsFor(mode: 'triggers' | 'scan'): readonly Right[] {
  return mode === 'scan' ? RIGHTS.filter((right) => right !== 'TRIGGER') : RIGHTS;
}

/** What stands in the way. Nothing missing and no need of trust: all is well. */
export interface RightsFound {
  readonly missing: readonly Right[];
  /**
   * The session has them, but triggers will not: those run with the rights of the account itself.
   * See definer-rights.ts.
   */
  readonly bySessionOnly: readonly Right[];
  /** Error 1419; on such a server a missing TRIGGER right is not seen, for 1419 comes first. */
  readonly needsTrust: boolean;
}

/** What the body of a trigger takes, and its being run at all. */
const OF_TRIGGERS: readonly Right[] = ['SELECT', 'INSERT', 'TRIGGER'];

/** Probes every right that is needed: statements that fail, and change nothing. */
export async function probeRights(
  db: Kysely<unknown>,
  catalog: Catalog,
  mode: 'triggers' | 'scan' = 'triggers',
): Promise<RightsFound> {
  const { missing, needsTrust } = await probe(db, catalog, rightsFor(mode));
  const among = OF_TRIGGERS.filter((right) => !missing.includes(right));
  if (mode === 'scan' || among.length === 0) return { missing, bySessionOnly: [], needsTrust };
  const bySessionOnly = await withRightsOfDefiner(db, async (connection, isOther) => {
    // Two connections that are alike need not be asked twice.
    const denied = isOther ? (await probe(connection, catalog, among)).missing : [];
    const unlisted = (await rightsUnlisted(connection, among)).filter((right) => !denied.includes(right));
    return [...denied, ...unlisted];
  });
  return { missing, bySessionOnly, needsTrust };
}

async function probe(
  db: Runner,
  { prefix }: Catalog,
  needed: readonly Right[],
): Promise<Pick<RightsFound, 'missing' | 'needsTrust'>> {
  const missing: Right[] = [];
  let needsTrust = false;
  for (const [right, statement] of probes(prefix)) {
    if (!needed.includes(right)) continue;
    const verdict = await verdictOn(db, statement);
    if (verdict === 'needs trust') needsTrust = true;
    else if (verdict === 'denied') missing.push(right);
  }
  return { missing, needsTrust };
}

/**
 * The right by which triggers are made, and run. False only if it is missing for sure. Whoever sees what a trigger of
 * the table does has it; only where none is seen a statement is tried, for which all nodes of a cluster would halt.
 */
export async function mayMakeTriggers(db: Runner, catalog: Catalog): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA = ${catalog.schema} AND EVENT_OBJECT_TABLE = ${catalog.requireTable('t_user').name}
      AND ACTION_STATEMENT IS NOT NULL LIMIT 1`.execute(db);
  if (rows.length > 0) return true;
  const statement = new Map(probes(catalog.prefix)).get('TRIGGER') ?? '';
  return (await verdictOn(db, statement)) !== 'denied';
}

/** Throws `DB_MISSING_RIGHT`, naming all rights that are missing at once, or `TRIGGERS_NEED_TRUST`. */
export async function requireRights(
  db: Kysely<unknown>,
  catalog: Catalog,
  mode: 'triggers' | 'scan' = 'triggers',
): Promise<void> {
  const { missing, bySessionOnly, needsTrust } = await probeRights(db, catalog, mode);
  if (missing.length > 0) {
    throw new SyncError(
      'DB_MISSING_RIGHT',
      `The account lacks ${missing.join(', ')} on the database ${catalog.schema}.${isOnlyTrigger(missing) ? WITHOUT : ''}`,
    );
  }
  if (bySessionOnly.length > 0) {
    throw new SyncError('DB_MISSING_RIGHT', `On the database ${catalog.schema}, ${whyNotInTriggers(bySessionOnly)}.`);
  }
  if (needsTrust) throw new SyncError('TRIGGERS_NEED_TRUST');
}

/** Says that a role is not enough. */
export function whyNotInTriggers(bySessionOnly: readonly Right[]): string {
  return `the account has ${bySessionOnly.join(', ')} by a role, or by a grant for another host, only; triggers do not: every write of the site would fail or go unmarked`;
}

const WITHOUT = ' Where that right cannot be had, set capture.mode to scan.';

function isOnlyTrigger(missing: readonly Right[]): boolean {
  return missing.length === 1 && missing[0] === 'TRIGGER';
}

function probes(prefix: string): readonly (readonly [Right, string])[] {
  // MariaDB 10.11: two nodes of a cluster that create a trigger of one name at once stand still for ever, with all others.
  const absent = `\`${ownName(prefix, `probe_${nameNumber()}`)}\``;
  return [
    ['SELECT', `SELECT 1 FROM ${absent} LIMIT 0`],
    ['INSERT', `INSERT INTO ${absent} VALUES (1)`],
    ['UPDATE', `UPDATE ${absent} SET x = 1`],
    ['DELETE', `DELETE FROM ${absent}`],
    // A key of a column that is not there: even with the right nothing is made.
    ['CREATE', `CREATE TABLE ${absent} (x INT, KEY (y))`],
    ['ALTER', `ALTER TABLE ${absent} COMMENT = ''`],
    ['DROP', `DROP TABLE ${absent}`],
    ['INDEX', `CREATE INDEX x ON ${absent} (x)`],
    ['TRIGGER', `CREATE TRIGGER ${absent} AFTER INSERT ON ${absent} FOR EACH ROW SET @account_sync_probe = 1`],
  ];
}

/** What the error of a probe says of its right. A statement that succeeds, or fails otherwise, throws. */
async function verdictOn(db: Runner, statement: string): Promise<'denied' | 'allowed' | 'needs trust'> {
  try {
    await sql.raw(statement).execute(db);
  } catch (error) {
    if (isTableRightMissing(error)) return 'denied';
    if (isPastRights(error)) return 'allowed';
    if (isTrustNeeded(error)) return 'needs trust';
    throw error;
  }
  throw new SyncError('INTERNAL', `A probe found a table that should not be there: ${statement}`);
}
