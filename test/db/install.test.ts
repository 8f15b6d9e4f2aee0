import { describe, expect, it } from 'vitest';
import { installOnce, installSql, uninstallOnce } from '../../src/capture/install.ts';
import { capturedSite } from '../support/captured-site.ts';
import type { TestDatabase } from '../support/database.ts';
import type { Flavour } from '../support/osclass/flavour.ts';
import { tablesOf, triggersOf, withoutCounters } from '../support/definitions.ts';

/** Triggers that plugins of the site have made, one of them with a name that looks like ours. */
async function plantForeignTriggers(database: TestDatabase): Promise<void> {
  await database.query('CREATE TABLE plugin_log (what VARCHAR(40))');
  await database.query('CREATE TABLE oc_account_sync_mine (what VARCHAR(40))');
  for (const [name, when] of [
    ['plugin_au', 'AFTER UPDATE ON oc_t_user'],
    ['plugin_bi', 'BEFORE INSERT ON oc_t_user'],
    ['oc_account_sync_mine', 'AFTER DELETE ON oc_t_user'],
    ['plugin_description', 'AFTER UPDATE ON oc_t_user_description'],
  ]) {
    await database.query(`CREATE TRIGGER ${name} ${when} FOR EACH ROW INSERT INTO plugin_log VALUES ('${name}')`);
  }
}

describe('an installation', () => {
  it('can be repeated and then does nothing', async () => {
    const { site, database, stored, host, drainAll } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    const before = withoutCounters([await tablesOf(database), await triggersOf(database), await stored(ana)]);
    expect(await installOnce(site.db, site.snapshot().catalog)).toEqual({ migrations: [], triggers: 0 });
    expect(withoutCounters([await tablesOf(database), await triggersOf(database), await stored(ana)])).toEqual(before);
    expect(await site.isScanPending()).toBe(false);
  });

  it('describes every table and column of ours', async () => {
    const { database } = await capturedSite();
    const bare = await database.query(
      `SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE 'oc\\_account\\_sync\\_%' AND COLUMN_COMMENT = ''`,
      [database.name],
    );
    expect(bare).toEqual([]);
    const tables = await database.query<{ comment: string; engine: string }>(
      `SELECT TABLE_COMMENT AS comment, ENGINE AS engine FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE 'oc\\_account\\_sync\\_%'`,
      [database.name],
    );
    expect(tables.length).toBeGreaterThan(9);
    expect(tables.every(({ comment, engine }) => comment.startsWith('account-sync: ') && engine === 'InnoDB')).toBe(
      true,
    );
  });

  it('is what the statements of a dry run do', async () => {
    const { site, database } = await capturedSite({ install: false });
    const { catalog } = site.snapshot();
    const hand = await database.connection({ multipleStatements: false });
    await hand.query("SET SESSION sql_mode = ''");
    for (const statement of installSql(catalog)) await hand.query(statement);
    await hand.end();
    const byHand = withoutCounters([await tablesOf(database), await triggersOf(database)]);
    expect(await installOnce(site.db, catalog)).toMatchObject({ triggers: 0 });
    expect(withoutCounters([await tablesOf(database), await triggersOf(database)])).toEqual(byHand);
  });

  it('goes beside triggers of others, which go on working', async () => {
    const { database, host, markers } = await capturedSite({ prepare: plantForeignTriggers });
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana', info: { en_US: 'Hi' } });
    await host.person.editProfile(ana, { info: { en_US: 'Hello' } });
    await host.person.deleteAccount(ana);
    const seen = await database.query<{ what: string }>('SELECT DISTINCT what FROM plugin_log ORDER BY what');
    expect(seen.map(({ what }) => what)).toEqual([
      'oc_account_sync_mine',
      'plugin_au',
      'plugin_bi',
      'plugin_description',
    ]);
    expect(new Set((await markers()).map(({ op }) => op))).toEqual(new Set(['I', 'U', 'D', 'R']));
  });
});

describe.each(['3.7', '5.2', '8'] as const)('uninstall (Osclass %s)', (flavour: Flavour) => {
  it('leaves every table and trigger as it was before, byte for byte', async () => {
    const { site, database, host, install, scanAll, drainAll } = await capturedSite({
      host: { flavour },
      install: false,
      before: (empty) => empty.seed.users({ seed: 2, count: 30 }),
      prepare: plantForeignTriggers,
    });
    const before = [await tablesOf(database), await triggersOf(database)];
    await install();
    await scanAll();
    await host.write('UPDATE {user} SET s_name = ?', ['x']);
    await host.write('UPDATE {user_description} SET s_info = ?', ['x']);
    await drainAll();
    expect((await triggersOf(database)).length).toBe(14);
    expect(await uninstallOnce(site.db, site.snapshot().catalog)).toBe(9);
    expect([await tablesOf(database), await triggersOf(database)]).toEqual(before);
    expect(await uninstallOnce(site.db, site.snapshot().catalog)).toBe(0);
  });
});
