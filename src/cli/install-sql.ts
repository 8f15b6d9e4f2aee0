/** `account-sync install --dry-run`: what would be run, in a form that the mysql client takes. */
import { currentAccount, grantsSql, installSql, quoteAccount, type CaptureMode } from '../capture/install.ts';
import { inspectTriggers, triggersAreWell } from '../capture/triggers.ts';
import { isDatabaseDenied } from '../db/failures.ts';
import { isInstalled, pendingMigrations } from '../db/migrate.ts';
import { readMigrations } from '../db/sql-script.ts';
import { SyncError } from '../model/errors.ts';
import type { Site } from '../site/site.ts';
import { readConfig, withSite, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { likelyHost } from './database-account.ts';

/**
 * Prints the rights the account needs and every statement of an installation; writes nothing. Where the account cannot
 * even connect, itself and its rights are printed before it throws: they are what is missing.
 */
export async function printInstallation(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  try {
    return await withSite(options, terminal, (site) => printAll(site, terminal), { tables: false });
  } catch (error) {
    if (error instanceof SyncError && error.code === 'DB_ACCESS_DENIED') {
      const { database, capture } = await readConfig(options, terminal);
      const account = quoteAccount(database.user, hostToldOf(error) ?? (await likelyHost(database)));
      if (!isDatabaseDenied(error)) printAccount(terminal, account, database.password);
      printGrants(terminal, database.name, account, capture.mode);
    }
    throw error;
  }
}

async function printAll(site: Site, terminal: Terminal): Promise<ExitCode> {
  const { catalog, hosts } = site.snapshot();
  const { mode } = site.config.capture;
  printGrants(terminal, catalog.schema, await currentAccount(site.db), mode);
  if (await isComplete(site)) terminal.out('\n-- Already installed: "account-sync install" would run nothing.');
  terminal.out('\n-- What a first "account-sync install" runs.\n');
  const statements = installSql(catalog, hosts.related, mode);
  for (const statement of statements.filter((one) => !isTrigger(one))) terminal.out(`${statement};\n\n`);
  if (mode === 'scan') return 0;
  terminal.out("-- Triggers keep the sql_mode they were made under.\nSET SESSION sql_mode = '';\nDELIMITER //\n");
  for (const statement of statements.filter(isTrigger)) terminal.out(`${statement}//\n`);
  terminal.out('DELIMITER ;\n');
  return 0;
}

/** As `init` prints it, with the password of the config; the server may know the account already, with another one. */
function printAccount(terminal: Terminal, account: string, password: string): void {
  const secret = password.replaceAll('\\', '\\\\').replaceAll("'", "''");
  terminal.out(
    '-- The account is refused by this server. It holds the password of the config: keep this to yourself.\n',
  );
  terminal.out(`CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${secret}';\n`);
  terminal.out(`ALTER USER ${account} IDENTIFIED BY '${secret}';\n`);
  terminal.out(
    '-- If a dump with triggers was restored here before: the site cannot write (error 1449) until their definer\n',
  );
  terminal.out('-- exists, or "account-sync install" has made them again, or they are dropped.\n');
}

/** From where the server sees us come, as it said when it refused us. */
function hostToldOf(error: SyncError): string | undefined {
  const told = /'@'([^']+)'/.exec(error.message) ?? /Host '([^']+)' is not allowed/.exec(error.message);
  return told?.[1];
}

function printGrants(terminal: Terminal, schema: string, account: string, mode: CaptureMode): void {
  terminal.out('-- The rights the account needs; to be run by an administrator of the database.\n');
  for (const grant of grantsSql(schema, account, mode)) terminal.out(`${grant};\n`);
}

async function isComplete({ config, db, snapshot }: Site): Promise<boolean> {
  const { catalog, hosts } = snapshot();
  if (!(await isInstalled(db))) return false;
  if ((await pendingMigrations(db, readMigrations(catalog.prefix))).length > 0) return false;
  if (config.capture.mode === 'scan') return true;
  return triggersAreWell(await inspectTriggers(db, catalog, hosts.related));
}

function isTrigger(statement: string): boolean {
  return statement.startsWith('CREATE TRIGGER');
}
