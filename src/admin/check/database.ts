/** The part of `account-sync check` that asks the database. */
import { probeRights, whyNotInTriggers } from '../../capture/rights.ts';
import { currentAccount, grantsSql } from '../../capture/install.ts';
import { isBaselinePending } from '../../capture/baseline.ts';
import { isInstalled, pendingMigrations } from '../../db/migrate.ts';
import { readServerFacts, type ServerFacts } from '../../db/server-facts.ts';
import { readMigrations } from '../../db/sql-script.ts';
import { ERRORS, SyncError } from '../../model/errors.ts';
import { namedColumns } from '../../model/policy.ts';
import { DESCRIPTION, GROUPS } from '../../model/register.ts';
import { findUnfit } from '../../osclass/host-fit.ts';
import type { Site } from '../../site/site.ts';
import { checkTriggers } from './triggers.ts';
import { mismatchError } from '../../site/identity-check.ts';
import { clockFinding, fail, failed, ok, warn, type Finding } from './finding.ts';

/** A page of users, or a batch of long descriptions, goes into one statement. */
const GOOD_PACKET_BYTES = 4 * 1024 * 1024;

/** What kind of server it is, whether triggers work there, and its clock. */
export async function checkServerFacts({ db }: Site): Promise<Finding[]> {
  return judgeServer(await readServerFacts(db), Date.now());
}

/** Pure. */
export function judgeServer(facts: ServerFacts, nowMs: number): Finding[] {
  const findings = [ok('server', `${facts.kind} ${facts.version}`)];
  if (facts.forcedNoBackslashEscapes) findings.push(failed('server', new SyncError('DB_BACKSLASH_ESCAPES')));
  if (facts.readOnly) findings.push(fail('server', 'it is read-only', ERRORS.DB_READ_ONLY.remedy));
  if (facts.isReplica === true) {
    findings.push(fail('server', 'it is a replica, where triggers do not fire', ERRORS.DB_READ_ONLY.remedy));
  }
  if (facts.logBin && facts.binlogFormat === 'STATEMENT') {
    const remedy = 'Set binlog_format to ROW or MIXED: under STATEMENT servers refuse what READ COMMITTED writes.';
    findings.push(fail('binary log', 'binlog_format is STATEMENT', remedy));
  } else {
    findings.push(ok('binary log', facts.logBin ? (facts.binlogFormat ?? 'on') : 'off'));
  }
  if (facts.cluster !== undefined) {
    const { nodes, autoIncrementControl } = facts.cluster;
    const remedy = 'SET GLOBAL wsrep_auto_increment_control = ON; on each node, and in its configuration.';
    findings.push(
      autoIncrementControl
        ? ok('cluster', `a node of Galera, ${nodes} in all`)
        : warn(
            'cluster',
            "wsrep_auto_increment_control is off: statements at two nodes get in each other's way",
            remedy,
          ),
    );
  }
  if (facts.maxAllowedPacket < GOOD_PACKET_BYTES) {
    const remedy = 'SET GLOBAL max_allowed_packet = 16777216; and in the configuration of the server.';
    findings.push(warn('server', `max_allowed_packet is only ${facts.maxAllowedPacket} bytes`, remedy));
  }
  return [...findings, clockFinding('clock', "the database's", nowMs - facts.clockMs)];
}

/** Whether the account may do what the daemon does. */
export async function checkRights({ config, db, snapshot }: Site): Promise<Finding[]> {
  const { catalog } = snapshot();
  const { missing, bySessionOnly, needsTrust } = await probeRights(db, catalog, config.capture.mode);
  const findings: Finding[] = [];
  const grants = grantsSql(catalog.schema, await currentAccount(db), config.capture.mode);
  const remedy = `As an administrator: ${grants.join('; ')};`;
  if (missing.length > 0) findings.push(fail('rights', `the account lacks ${missing.join(', ')}`, remedy));
  if (bySessionOnly.length > 0) findings.push(fail('rights', whyNotInTriggers(bySessionOnly), remedy));
  if (needsTrust) findings.push(failed('rights', new SyncError('TRIGGERS_NEED_TRUST')));
  return findings.length > 0 ? findings : [ok('rights', 'all there')];
}

/** Tables, triggers and baseline. */
export async function checkInstallation(site: Site): Promise<Finding[]> {
  const { db } = site;
  const { catalog } = site.snapshot();
  if (!(await isInstalled(db))) return [failed('tables', new SyncError('NOT_INSTALLED'))];
  const pending = await pendingMigrations(db, readMigrations(catalog.prefix));
  const install = 'Run "account-sync install", or start the daemon.';
  if (pending.length > 0) {
    return [fail('tables', `of an older version: without ${pending.map(({ name }) => name).join(', ')}`, install)];
  }
  const mode = site.config.capture.mode;
  const isFirst = await isBaselinePending(db);
  const mismatch = await site.identityCheck.look();
  return [
    ok('tables', 'all there'),
    mismatch === undefined
      ? ok('identity', 'server, database and address are as last time')
      : failed('identity', mismatchError(mismatch)),
    ...(mode === 'scan' ? [checkScanning(site)] : await checkTriggers(site)),
    isFirst || (mode === 'triggers' && (await site.isScanPending()))
      ? warn('baseline', 'not finished', `${install} It goes on from where it was.`)
      : ok('baseline', 'done'),
  ];
}

/** What scan mode cannot do is to be known before it is missed. */
function checkScanning({ config }: Site): Finding {
  const plugins = config.peers.filter((peer) => peer.protocol === 'plugin' && peer.send).map((peer) => peer.name);
  const how = `not used: all users are compared ${config.capture.scanEveryMs / 1000} s after the last time`;
  if (plugins.length === 0) return ok('triggers', how);
  const lack = `${how}, and then the address of a deleted account is not known, so ${plugins.join(', ')} cannot be told`;
  return warn(
    'triggers',
    lack,
    'Set capture.mode to triggers if the server allows them, or delete accounts there too.',
  );
}

/** Time zone, the tables of users, and the columns and tables that the config names. */
export async function checkHost(site: Site): Promise<Finding[]> {
  const { config, snapshot } = site;
  const problems = await checkTables(site);
  const { catalog, zone, hosts } = snapshot();
  const columns = catalog.requireTable('t_user').columns;
  const groups = config.relatedTables.map((entry) => entry.as);
  const isKnown = (name: string): boolean =>
    columns.has(name) || name === DESCRIPTION || Object.hasOwn(GROUPS, name) || groups.includes(name);
  const absent = [...new Set(namedColumns(config))].filter((name) => !isKnown(name));
  const found = new Set(hosts.related.map((one) => one.register));
  return [
    zone.known
      ? ok('time zone', config.site.timezone ?? "Osclass's preference")
      : warn('time zone', 'not known, so times travel as they are', 'Set site.timezone.'),
    absent.length === 0
      ? ok('columns', 'all named columns exist')
      : warn('columns', `this site has no ${absent.join(', ')}`, 'Correct the names; until then they are passed over.'),
    ...problems,
    ...config.relatedTables
      .filter((entry) => !found.has(entry.as))
      .map(({ table, as }) =>
        warn('related tables', `nothing fits ${table} (${as})`, 'Check table, key and columns of the entry.'),
      ),
  ];
}

/** What accounts are told apart by, and whether all is there that was. */
async function checkTables(site: Site): Promise<Finding[]> {
  const { catalog } = site.snapshot();
  const isThere =
    (await isInstalled(site.db)) && (await pendingMigrations(site.db, readMigrations(catalog.prefix))).length === 0;
  if (isThere) await site.refresh();
  const unfit = findUnfit(catalog).map(({ problem, remedy, isFatal }) =>
    isFatal ? fail('tables of Osclass', problem, remedy) : warn('tables of Osclass', problem, remedy),
  );
  const missing = site
    .problems()
    .missing.map((part) =>
      failed('tables of Osclass', new SyncError('HOST_PART_MISSING', `${part} was synchronised and is missing`)),
    );
  const found = [...unfit, ...missing];
  return found.length > 0 ? found : [ok('tables of Osclass', 'as they should be')];
}
