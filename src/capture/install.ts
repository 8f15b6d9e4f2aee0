/** Install and uninstall: our tables and triggers in the site's database. What fails half-way is taken back. */
import { sql, type Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { isAnyLeaseHeld } from '../store/lease.ts';
import { dropOwnTables, migrate, migrationStatements } from '../db/migrate.ts';
import { readServerFacts, type ServerFacts } from '../db/server-facts.ts';
import { SyncError } from '../model/errors.ts';
import { requireFit } from '../osclass/host-fit.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { readValidates } from '../osclass/validation.ts';
import { noteFirstSight } from '../store/first-sight.ts';
import { restoreQueue } from './queue-repair.ts';
import { withTriggerLease } from './with-trigger-lease.ts';
import type { DdlOptions } from './ddl-session.ts';
import { requireRights, rightsFor } from './rights.ts';
import { endScanMode, trustTable } from './find-deletions.ts';
import { isBaselinePending } from './baseline.ts';
import { createTriggerSql } from './trigger-sql.ts';
import { dropTriggers, firstTriggerName, inspectTriggers, probeTrigger, requiredTriggers } from './triggers.ts';
import { repairAndRescan, proveTriggers } from './trigger-health.ts';

/** What an installation changed. */
export interface Installed {
  /** Files of `sql/` that were run. */
  readonly migrations: readonly string[];
  /** Triggers that were made on tables of the site. */
  readonly triggers: number;
}

/** How to install. */
export interface InstallOptions extends DdlOptions {
  /** Tables with one row per user that are watched too. */
  readonly related?: readonly RelatedTable[];
  /** `scan`: no triggers are made, and those that are there are dropped. `triggers` unless given. */
  readonly mode?: CaptureMode;
}

/** How changes are noticed; `capture.mode` of the config. */
export type CaptureMode = 'triggers' | 'scan';

/** Throws what makes an installation here wrong or impossible: `DB_READ_ONLY`, `DB_BACKSLASH_ESCAPES`. */
function checkServer(facts: ServerFacts): void {
  if (facts.forcedNoBackslashEscapes) throw new SyncError('DB_BACKSLASH_ESCAPES');
  if (facts.readOnly) throw new SyncError('DB_READ_ONLY', `The server ${facts.version} is read-only.`);
  if (facts.isReplica === true) {
    throw new SyncError('DB_READ_ONLY', `The server ${facts.version} is a replica; triggers do not fire there.`);
  }
}

/**
 * Tables, then triggers; may be repeated at any time and then repairs what is missing. If the triggers cannot be made,
 * tables made by this call are dropped again, so nothing is half done. Where triggers of an earlier installation were
 * lost, a re-scan is asked for. Throws what {@link checkServer} and making triggers throw.
 */
export async function installOnce(
  db: Kysely<unknown>,
  catalog: Catalog,
  { related = [], mode = 'triggers', ...ddl }: InstallOptions = {},
): Promise<Installed> {
  checkServer(await readServerFacts(db));
  requiredTriggers(catalog, related);
  requireFit(catalog);
  const before = await ourTables(db, catalog);
  // Asked first: an account that may not drop could not take back what it made.
  if (before === 0) await requireRights(db, catalog, mode);
  try {
    const migrations = await migrate(db, catalog.prefix);
    if (before > 0) await restoreQueue(db, catalog);
    await noteFirstSight(db, await readValidates(db, catalog));
    if (mode === 'scan') {
      await withTriggerLease(db, () => dropTriggers(db, catalog, ddl));
      if (await isBaselinePending(db)) await trustTable(db, catalog);
      return { migrations, triggers: 0 };
    }
    const made = await withTriggerLease(db, async () => {
      const state = await inspectTriggers(db, catalog, related);
      return await repairAndRescan(db, catalog, state, ddl);
    });
    const flaw = await proveTriggers(db, catalog, { related, ...ddl });
    if (flaw !== undefined) throw flaw;
    await endScanMode(db);
    return { migrations, triggers: made.length };
  } catch (error) {
    if (before === 0) await takeBack(db, catalog, related).catch(() => undefined);
    throw error;
  }
}

/** Tables stay if a trigger did, because its table is busy: the next installation goes on from there. */
async function takeBack(db: Kysely<unknown>, catalog: Catalog, related: readonly RelatedTable[]): Promise<void> {
  const { missing, surplus } = await inspectTriggers(db, catalog, related);
  const all = requiredTriggers(catalog, related).length;
  // Another process may have finished meanwhile, and work by now.
  if (missing.length === all && surplus.length === 0 && !(await isAnyLeaseHeld(db))) await dropOwnTables(db);
}

/**
 * Triggers first, so that nothing of the host ever meets a missing table; then tables. Triggers that were left on other tables, by
 * another prefix or a copy of a table, go too. Returns how many there were on tables of the site.
 */
export async function uninstallOnce(db: Kysely<unknown>, catalog: Catalog, options: DdlOptions = {}): Promise<number> {
  const dropped = await dropTriggers(db, catalog, { ...options, orphans: true });
  await dropOwnTables(db);
  return dropped;
}

/** Every statement of a first installation, for people to read. */
export function installSql(
  catalog: Catalog,
  related: readonly RelatedTable[] = [],
  mode: CaptureMode = 'triggers',
): string[] {
  if (mode === 'scan') return migrationStatements(catalog.prefix);
  const specs = [probeTrigger(catalog), ...requiredTriggers(catalog, related)];
  const triggers = specs.map((spec) => createTriggerSql(spec, firstTriggerName(catalog, spec)));
  return [...migrationStatements(catalog.prefix), ...triggers];
}

/** The rights the daemon's account needs; `REFERENCES` and the like are not among them. */
export function grantsSql(schema: string, account: string, mode: CaptureMode = 'triggers'): string[] {
  const name = `\`${schema.replaceAll('`', '``').replace(/[_%]/g, String.raw`\$&`)}\``;
  return [`GRANT ${rightsFor(mode).join(', ')} ON ${name}.* TO ${account}`];
}

/** The account we are connected as, quoted for a GRANT. `SELECT CURRENT_USER()` */
export async function currentAccount(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ account: string }>`SELECT CURRENT_USER() AS account`.execute(db);
  const text = rows[0]?.account ?? '';
  const at = text.lastIndexOf('@');
  return quoteAccount(text.slice(0, at), text.slice(at + 1));
}

/** `'user'@'host'`, as GRANT wants it. */
export function quoteAccount(user: string, host: string): string {
  return [user, host].map((part) => `'${part.replaceAll("'", "''")}'`).join('@');
}

async function ourTables(db: Kysely<unknown>, catalog: Catalog): Promise<number> {
  const pattern = `${catalog.prefix}account_sync_`.replace(/[\\_%]/g, String.raw`\$&`);
  const { rows } = await sql<{ n: string }>`
    SELECT COUNT(*) AS n FROM information_schema.TABLES
    WHERE TABLE_SCHEMA = ${catalog.schema} AND TABLE_NAME LIKE ${`${pattern}%`}`.execute(db);
  return Number(rows[0]?.n ?? 0);
}
