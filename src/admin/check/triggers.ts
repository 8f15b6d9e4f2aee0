/** The part of `account-sync check` that is about triggers: are they there, do they work, and which are left from what was before. */
import { currentAccount, grantsSql } from '../../capture/install.ts';
import { findLeftovers } from '../../capture/leftovers.ts';
import { findFlaw, type Flaw } from '../../capture/trigger-proof.ts';
import { dropTriggerSql } from '../../capture/trigger-sql.ts';
import { inspectTriggers, tablesWatched, triggersAreWell } from '../../capture/triggers.ts';
import { isInstalled } from '../../db/migrate.ts';
import { ERRORS } from '../../model/errors.ts';
import type { Site } from '../../site/site.ts';
import { backupAdvice } from './backup-advice.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** Whether they are in place, and whether the site can write with them. Writes nothing that stays. */
export async function checkTriggers(site: Site): Promise<Finding[]> {
  const { db } = site;
  const { catalog, hosts } = site.snapshot();
  const triggers = await inspectTriggers(db, catalog, hosts.related);
  const wrong = [
    ...triggers.missing.map((spec) => `${spec.purpose} missing`),
    ...triggers.outdated.map((spec) => `${spec.purpose} changed, or of another account`),
    ...(triggers.probe === undefined ? [] : [`${triggers.probe.purpose} missing`]),
    ...triggers.surplus.map((trigger) => `${trigger.name} not needed`),
  ];
  if (!triggersAreWell(triggers)) {
    return [fail('triggers', wrong.join(', '), 'Run "account-sync install"; a running daemon repairs them by itself.')];
  }
  const flaw = await findFlaw(db, tablesWatched(catalog, hosts.related));
  if (flaw !== undefined) return [await flawFinding(site, flaw)];
  return [ok('triggers', 'in place, and run'), ok('backups', backupAdvice(await currentAccount(db)))];
}

async function flawFinding({ db, config, snapshot }: Site, { error, stopsSite }: Flaw): Promise<Finding> {
  const grants = grantsSql(snapshot().catalog.schema, await currentAccount(db), config.capture.mode);
  const isRight = error.code === 'DB_MISSING_RIGHT';
  const remedy = isRight ? `As an administrator: ${grants.join('; ')};` : ERRORS[error.code].remedy;
  return fail('triggers', `${stopsSite ? 'the site cannot write: ' : ''}${error.message}`, remedy);
}

/** Triggers and tables of installations that nobody looks after. */
export async function checkLeftovers(site: Site): Promise<Finding[]> {
  const { db } = site;
  const { catalog, hosts } = site.snapshot();
  const { triggers, tables, elsewhere } = await findLeftovers(db, catalog);
  const { found } = await inspectTriggers(db, catalog, hosts.related);
  const isUsed = site.config.capture.mode === 'triggers' && (await isInstalled(db));
  const unused = [...triggers, ...(isUsed ? [] : found)];
  return [
    ...(unused.length === 0
      ? []
      : [
          warn(
            'leftovers',
            `triggers of an installation that is not there: ${unused.map(({ name, table }) => `${name} on ${table}`).join(', ')}; without their definer (${[...new Set(unused.map(({ definer }) => definer))].join(', ')}) those tables take no writes`,
            `${unused.map(({ name }) => `${dropTriggerSql(name)};`).join(' ')} "account-sync uninstall" does that too.`,
          ),
        ]),
    ...(tables.length === 0
      ? []
      : [
          warn(
            'leftovers',
            `tables of an installation whose prefix this database has no more: ${tables.join(', ')}`,
            'If the prefix of the site was changed, stop the daemon and rename them too; else drop them.',
          ),
        ]),
    // They may well belong to another site with a daemon and the same account.
    ...(elsewhere.length === 0
      ? []
      : [
          ok(
            'other sites',
            `triggers in ${databases(elsewhere)} run as this account too: drop them before the account`,
          ),
        ]),
  ];
}

/** `shop.oc_account_sync_user_ai_1`, … → `shop` */
function databases(triggers: readonly string[]): string {
  return [...new Set(triggers.map((name) => name.slice(0, name.lastIndexOf('.'))))].join(', ');
}
