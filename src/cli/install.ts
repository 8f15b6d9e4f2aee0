/** `account-sync install`: tables, triggers, baseline. */
import { currentAccount, grantsSql, installOnce } from '../capture/install.ts';
import { giveUpParts } from '../capture/watched-parts.ts';
import { isInstalled } from '../db/migrate.ts';
import { SyncError } from '../model/errors.ts';
import type { Site } from '../site/site.ts';
import { backupAdvice } from '../admin/check/backup-advice.ts';
import { withSite, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { printInstallation } from './install-sql.ts';
import { finishScan } from './scan.ts';
import { formatCount } from '../runtime/figures.ts';

/** Installs, or with `dryRun` prints every statement and the rights it takes. May be repeated. */
export async function install(
  options: CommonOptions & { readonly dryRun?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.dryRun === true) return printInstallation(options, terminal);
  return withSite(options, terminal, (site) => installAll(site, terminal), { tables: false });
}

async function installAll(site: Site, terminal: Terminal): Promise<ExitCode> {
  const { catalog, hosts } = site.snapshot();
  const wasInstalled = await isInstalled(site.db);
  const { mode } = site.config.capture;
  const how = { signal: terminal.untilStopped(), related: hosts.related, mode };
  const { migrations, triggers } = await installOnce(site.db, catalog, how).catch(async (error: unknown) => {
    await adviseOnRights(error, site, terminal);
    throw error;
  });
  if (migrations.length > 0) terminal.err(`Tables made or changed: ${migrations.join(', ')}.\n`);
  if (triggers > 0) {
    terminal.err(`Triggers made: ${triggers}.\n`);
    terminal.err(`  ! Backups: ${backupAdvice(await currentAccount(site.db))}.\n`);
  }
  await site.refresh();
  const { missing } = site.problems();
  await giveUpParts(site.db, missing);
  for (const part of missing) terminal.err(`Not synchronised any more: ${part}, which is not there.\n`);
  const users = await finishScan(site, terminal);
  if (users === undefined) {
    terminal.err('Stopped. "account-sync install", or the daemon, goes on from here.\n');
    return 130;
  }
  const isNews = migrations.length > 0 || triggers > 0 || users > 0;
  if (!wasInstalled) terminal.out(`Installed: ${formatCount(users, 'user')} looked at.\n`);
  else if (isNews) terminal.out(`Already installed; brought up to date, ${formatCount(users, 'user')} looked at.\n`);
  else terminal.out('Already installed; nothing to do.\n');
  return 0;
}

/** What an administrator has to run, where rights are all that is in the way. */
async function adviseOnRights(error: unknown, site: Site, terminal: Terminal): Promise<void> {
  if (!(error instanceof SyncError) || error.code !== 'DB_MISSING_RIGHT') return;
  terminal.err('Nothing was installed. An administrator of the database has to run:\n\n');
  const grants = grantsSql(site.snapshot().catalog.schema, await currentAccount(site.db), site.config.capture.mode);
  terminal.err(`${grants.map((grant) => `  ${grant};\n`).join('')}\n`);
}
