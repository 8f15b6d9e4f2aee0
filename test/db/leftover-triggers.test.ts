/** Triggers of ours that their names do not tell of: after tables were renamed, under another prefix, in copies of the site. */
import { expect, it, onTestFinished } from 'vitest';
import { installOnce, uninstallOnce } from '../../src/capture/install.ts';
import { findLeftovers } from '../../src/capture/leftovers.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { checkTriggersOnce } from '../../src/capture/trigger-health.ts';
import { checkLeftovers } from '../../src/admin/check/triggers.ts';
import type { Finding } from '../../src/admin/check/finding.ts';
import { openSite, type Site } from '../../src/site/site.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { createAccount, createDatabase } from '../support/database.ts';
import { OWN } from '../support/own-tables.ts';

/** Names of all triggers, and the tables they are on. */
async function triggersIn({ database }: CapturedSite): Promise<string[]> {
  const rows = await database.query<{ name: string; tab: string }>(
    `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tab FROM information_schema.TRIGGERS
     WHERE TRIGGER_SCHEMA = ? ORDER BY 1`,
    [database.name],
  );
  return rows.map(({ name, tab }) => `${name} on ${tab}`);
}

/** Renames every table that begins with one prefix, as plugins that hide it do; `but`: those that are left. */
async function rename({ database }: CapturedSite, from: string, to: string, but = /^$/): Promise<void> {
  const rows = await database.query<{ name: string }>(
    'SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [database.name],
  );
  const names = rows.map(({ name }) => name).filter((name) => name.startsWith(from) && !but.test(name));
  for (const name of names) await database.query(`RENAME TABLE \`${name}\` TO \`${to}${name.slice(from.length)}\``);
}

/** The same site with another prefix in its config. */
async function openWith({ site }: CapturedSite, tablePrefix: string): Promise<Site> {
  const config = { ...site.config, database: { ...site.config.database, tablePrefix } };
  const opened = await openSite(config, { clock: { nowMs: Date.now } });
  onTestFinished(() => opened.close());
  return opened;
}

/** With an account of its own, for which no other test has made triggers. */
const settled = (): Promise<CapturedSite> =>
  capturedSite({
    peers: ['homes'],
    account: (database) => createAccount(database, [RIGHTS.join(', '), 'SELECT, TRIGGER ON *.*']),
    before: (empty) => empty.seed.users({ seed: 6, count: 5, firstId: 1, allActive: true }),
  });
const messages = (findings: readonly Finding[]): string => findings.map(({ message }) => message).join('\n');
const NAME = /account_sync/;

it.each([
  ['all tables', /^$/],
  ["Osclass's own tables alone", NAME],
])('the prefix of %s is changed: changes are marked again, those missed are found, nothing stays', async (_, but) => {
  const cars = await settled();
  await rename(cars, 'oc_', 'x_', but);
  await cars.database.query('UPDATE x_t_user SET s_name = ? WHERE pk_i_id = 3', ['Unmarked']);
  const moved = await openWith(cars, 'x_');
  await installOnce(moved.db, moved.snapshot().catalog);
  // One is on our own table of old, where nobody writes; check tells of it.
  const hosts = (await triggersIn(cars)).filter((name) => !name.endsWith('_probe'));
  expect(hosts.filter((name) => name.startsWith('oc_'))).toEqual([]);
  expect(hosts).toHaveLength(9);
  expect(await moved.isScanPending()).toBe(true);
  await cars.database.query('UPDATE x_t_user SET s_name = ? WHERE pk_i_id = 2', ['Marked']);
  const [row] = await cars.database.query<{ n: string }>('SELECT COUNT(*) AS n FROM x_account_sync_queue');
  expect(Number(row?.n)).toBe(1);
  expect(messages(await checkLeftovers(moved)).includes('oc_account_sync_queue')).toBe(but === NAME);
  await uninstallOnce(moved.db, moved.snapshot().catalog);
  expect(await triggersIn(cars)).toEqual([]);
});

it('a daemon that runs takes away a trigger that marks in its queue, whatever its name and table', async () => {
  const cars = await settled();
  const { database, site } = cars;
  await database.query('CREATE TABLE archive_users LIKE oc_t_user');
  await database.query(`CREATE TRIGGER left_over AFTER INSERT ON archive_users FOR EACH ROW begin
    declare continue handler for sqlexception begin end;
    if @account_sync_applying is null then insert  into \`${database.name}\`.oc_account_sync_queue (user_id, op) values (NEW.pk_i_id, 'I'); end if; end`);
  expect(await checkTriggersOnce(site.db, site.snapshot().catalog)).toEqual({ kind: 'renewed', triggers: [] });
  expect(await triggersIn(cars)).toHaveLength(10);
});

it('the triggers of another site in the same database stay, also where its prefix begins like ours', async () => {
  const cars = await settled();
  const { database } = cars;
  // A second Osclass, whose prefix is ours and more.
  for (const table of ['t_user', 't_user_description', 't_preference', 't_locale']) {
    await database.query(`CREATE TABLE oc_2_${table} LIKE oc_${table}`);
  }
  const other = await openWith(cars, 'oc_2_');
  await installOnce(other.db, other.snapshot().catalog);
  const both = await triggersIn(cars);
  expect(both).toHaveLength(17);
  const { site } = cars;
  await installOnce(site.db, site.snapshot().catalog);
  expect(await checkTriggersOnce(site.db, site.snapshot().catalog)).toEqual({ kind: 'well' });
  expect(await triggersIn(cars)).toEqual(both);
  expect(await checkLeftovers(site)).toEqual([]);
  await uninstallOnce(site.db, site.snapshot().catalog);
  expect(await triggersIn(cars)).toEqual(both.filter((name) => name.startsWith('oc_2_')));
});

it('triggers of a site that is gone are told by check, and go with uninstall; its tables are told', async () => {
  const cars = await settled();
  const { database, site } = cars;
  await database.query('CREATE TABLE old_users (pk_i_id INT PRIMARY KEY)');
  await database.query(`CREATE TRIGGER ab_account_sync_user_ai_1 AFTER INSERT ON old_users FOR EACH ROW
    BEGIN IF @account_sync_applying IS NULL THEN
      INSERT INTO \`ab_account_sync_queue\` (user_id, op) VALUES (NEW.pk_i_id, 'I'); END IF; END`);
  await database.query("CREATE TABLE ab_account_sync_queue (seq INT) COMMENT 'account-sync: markers'");
  expect(await checkTriggersOnce(site.db, site.snapshot().catalog)).toEqual({ kind: 'well' });
  const findings = await checkLeftovers(site);
  expect(messages(findings)).toMatch(/ab_account_sync_user_ai_1 on old_users.*\n.*ab_account_sync_queue/);
  expect(findings[0]?.remedy).toContain('DROP TRIGGER IF EXISTS `ab_account_sync_user_ai_1`;');
  await uninstallOnce(site.db, site.snapshot().catalog);
  expect(await triggersIn(cars)).toEqual([]);
});

it('triggers whose tables of ours were dropped by hand are told by check, and go with uninstall', async () => {
  const cars = await settled();
  const { database, site } = cars;
  for (const table of Object.values(OWN)) await database.query(`DROP TABLE IF EXISTS ${table}`);
  expect(messages(await checkLeftovers(site))).toMatch(/oc_account_sync_user_ai_1 on oc_t_user/);
  await uninstallOnce(site.db, site.snapshot().catalog);
  expect(await triggersIn(cars)).toEqual([]);
});

it('a trigger of a plugin that minds our variable, or reads our queue, is none of ours', async () => {
  const cars = await settled();
  const { database, site } = cars;
  await database.query('CREATE TABLE plugin_log (what INT)');
  await database.query(`CREATE TRIGGER minds AFTER UPDATE ON oc_t_user FOR EACH ROW
    IF @account_sync_applying IS NULL THEN INSERT INTO plugin_log VALUES (1); END IF`);
  await database.query(`CREATE TRIGGER reads_queue AFTER DELETE ON oc_t_user FOR EACH ROW
    INSERT INTO plugin_log SELECT seq FROM oc_account_sync_queue`);
  await checkTriggersOnce(site.db, site.snapshot().catalog);
  expect(await checkLeftovers(site)).toEqual([]);
  await uninstallOnce(site.db, site.snapshot().catalog);
  expect(await triggersIn(cars)).toEqual(['minds on oc_t_user', 'reads_queue on oc_t_user']);
});

it('a copy of the site in another database, triggers and all, is told of', async () => {
  const cars = await settled();
  const copy = await createDatabase();
  onTestFinished(() => copy.drop());
  await copy.query(`CREATE TABLE oc_t_user LIKE ${cars.database.name}.oc_t_user`);
  const [made] = await cars.database.query<Record<string, string>>('SHOW CREATE TRIGGER oc_account_sync_user_ai_1');
  await copy.query(made?.['SQL Original Statement'] ?? ''); // with the account as its definer
  const { elsewhere } = await findLeftovers(cars.site.db, cars.site.snapshot().catalog);
  expect(elsewhere).toContain(`${copy.name}.oc_account_sync_user_ai_1`);
  expect(messages(await checkLeftovers(cars.site))).toContain(copy.name);
});
