import { describe, expect, it } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { createTriggerSql } from '../../src/capture/trigger-sql.ts';
import { requiredTriggers } from '../../src/capture/triggers.ts';
import { checkTriggersOnce, type TriggerCheck } from '../../src/capture/trigger-health.ts';
import { ownName } from '../../src/db/own-tables.ts';
import { parseStamp } from '../../src/model/stamp.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { triggersOf } from '../support/definitions.ts';
import { keepWriting } from '../support/writer.ts';

const ALL = [
  'user_ai',
  'user_au',
  'user_ad',
  'description_ai',
  'description_au',
  'description_ad',
  'email_ai',
  'email_au',
  'email_ad',
];

async function check({ site }: CapturedSite): Promise<TriggerCheck> {
  return checkTriggersOnce(site.db, site.snapshot().catalog);
}

async function namesOf({ database }: CapturedSite): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY 1',
    [database.name],
  );
  return rows.map(({ name }) => name.replace('oc_account_sync_', ''));
}

async function dropAll(cars: CapturedSite): Promise<void> {
  for (const name of await namesOf(cars)) await cars.database.query(`DROP TRIGGER oc_account_sync_${name}`);
}

/** A site with twenty users, installed, nothing waiting. */
async function settled(): Promise<CapturedSite> {
  return capturedSite({
    peers: ['homes'],
    before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1, allActive: true }),
  });
}

describe('lost triggers', () => {
  it('T6: are noticed and made again, and the re-scan finds what changed meanwhile, register by register', async () => {
    const cars = await settled();
    const { host } = cars;
    expect(await check(cars)).toEqual({ kind: 'well' });
    await dropAll(cars);
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Changed']);
    await host.write('DELETE FROM {user_description} WHERE fk_i_user_id = 4');
    await host.write("INSERT INTO {user_description} VALUES (4, 'en_US', 'Written unseen')");
    await host.person.deleteAccount(5);
    await host.person.viewPage(6);
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    const checked = await check(cars);
    expect(checked).toEqual({ kind: 'lost', triggers: ALL });
    expect(await check(cars)).toEqual({ kind: 'well' });
    expect(await cars.site.isScanPending()).toBe(true);
    expect(await cars.scanAll()).toBe(3);
    expect(await cars.outbox()).toEqual(['homes user 3', 'homes user 4', `homes user ${ana}`]);
    expect(parseStamp(await cars.stamp(3, 's_name'))?.counter).toBe(1);
    expect(parseStamp(await cars.stamp(3, 's_email'))?.counter).toBe(0);
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.site.isScanPending()).toBe(false);
    await host.person.viewPage(3);
    expect(await cars.markers()).toHaveLength(1);
  });

  it('are made again at the start of a daemon, with a re-scan', async () => {
    const cars = await settled();
    await dropAll(cars);
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Changed']);
    const installed = await installOnce(cars.site.db, cars.site.snapshot().catalog);
    expect(installed).toEqual({ migrations: [], triggers: 9 });
    expect(await cars.scanAll()).toBe(1);
    expect(await cars.outbox()).toEqual(['homes user 3']);
  });

  it('that only the copy of a table lost are noticed: pt-osc, gh-ost', async () => {
    const cars = await settled();
    const { database } = cars;
    await database.query('SET SESSION foreign_key_checks = 0');
    await database.query('CREATE TABLE oc_t_user_new LIKE oc_t_user');
    await database.query('INSERT INTO oc_t_user_new SELECT * FROM oc_t_user');
    await database.query('RENAME TABLE oc_t_user TO oc_t_user_old, oc_t_user_new TO oc_t_user');
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Changed']);
    expect(await check(cars)).toMatchObject({ kind: 'lost', triggers: ['user_ai', 'user_au', 'user_ad'] });
    expect(await check(cars)).toEqual({ kind: 'well' });
    expect(await cars.scanAll()).toBe(1);
    await database.query('UPDATE oc_t_user_old SET s_website = pk_i_id');
    expect(await cars.markers()).toEqual([]);
  });

  it('are no loss after RENAME there and back', async () => {
    const cars = await settled();
    await cars.database.query('RENAME TABLE oc_t_user TO oc_t_user_away');
    await cars.database.query('RENAME TABLE oc_t_user_away TO oc_t_user');
    expect(await check(cars)).toEqual({ kind: 'well' });
  });

  it('lost with the rows of a restored dump: what differs are changes, nobody is removed', async () => {
    const cars = await settled();
    const { database, host } = cars;
    await database.query('CREATE TABLE dump AS SELECT * FROM oc_t_user');
    await host.person.editProfile(3, { name: 'After the dump' });
    const late = await host.person.register({ email: 'late@example.com', name: 'Late' });
    await cars.drainAll();
    await cars.deliverAll();
    await dropAll(cars);
    await database.query('SET SESSION foreign_key_checks = 0');
    await database.query('TRUNCATE oc_t_user');
    await database.query('INSERT INTO oc_t_user SELECT * FROM dump');
    await check(cars);
    expect(await cars.scanAll()).toBe(1);
    expect(await cars.outbox()).toEqual(['homes user 3']);
    expect(await cars.tombstones()).toEqual([]);
    expect((await cars.stored(late)).uids).toHaveLength(1);
  });

  it('found by two processes at once are made by one of them', async () => {
    const cars = await settled();
    const other = await cars.again();
    for (let round = 0; round < 3; round++) {
      await dropAll(cars);
      await Promise.all([check(cars), checkTriggersOnce(other.db, other.snapshot().catalog)]);
      // Both may have come to make some; who looks next takes away what is too much.
      await check(cars);
      expect((await namesOf(cars)).length).toBe(10);
    }
  });
});

describe('triggers that are not as they should be', () => {
  /** Puts our update trigger on t_user into another form, under the same name. */
  async function spoil(cars: CapturedSite, change: (statement: string) => string, mode = ''): Promise<void> {
    const { database, site } = cars;
    const spec = requiredTriggers(site.snapshot().catalog).find(({ purpose }) => purpose === 'user_au');
    if (spec === undefined) throw new Error('no such trigger');
    const name = ownName('oc_', 'user_au_1');
    await database.query(`DROP TRIGGER ${name}`);
    await database.query(`SET SESSION sql_mode = '${mode}'`);
    await database.query(change(createTriggerSql(spec, name)));
  }

  it.each([
    ['another body', (text: string) => text.replace("'U'", "'X'"), ''],
    ['another definer', (text: string) => text.replace('CREATE', "CREATE DEFINER = 'nobody'@'nowhere'"), ''],
    ['another mode', (text: string) => text, 'STRICT_ALL_TABLES'],
  ])('by %s are renewed under a new name', async (_, change, mode) => {
    const cars = await settled();
    await spoil(cars, change, mode);
    expect(await check(cars)).toEqual({ kind: 'renewed', triggers: ['user_au'] });
    const names = await namesOf(cars);
    expect(names).toContain('user_au_2');
    expect(names).not.toContain('user_au_1');
    expect(names).toHaveLength(10);
    expect(await check(cars)).toEqual({ kind: 'well' });
    expect(await cars.site.isScanPending()).toBe(false);
    await cars.host.person.viewPage(3);
    expect((await cars.markers()).map(({ op }) => op)).toEqual(['U']);
  });

  it('T4: are renewed without a moment in which nothing marks', async () => {
    const cars = await settled();
    await spoil(cars, (text) => text.replace("'U'", "'X'"));
    const blind: string[] = [];
    const watched = await cars.again({
      async onStatement(statement) {
        const purposes = new Set((await namesOf(cars)).map((name) => name.replace(/_\d+$/, '')));
        if (purposes.size !== 10) blind.push(statement);
      },
    });
    const writer = keepWriting(await cars.host.again(), 20);
    await checkTriggersOnce(watched.db, watched.snapshot().catalog);
    const { count } = await writer.stop();
    expect(blind).toEqual([]);
    expect((await cars.markers()).length).toBeGreaterThanOrEqual(count);
  });

  it('T5: of others stay', async () => {
    const cars = await settled();
    await cars.database.query('CREATE TRIGGER plugin_au AFTER UPDATE ON oc_t_user FOR EACH ROW SET @seen = 1');
    await cars.database.query(
      'CREATE TRIGGER oc_account_sync_plugin AFTER UPDATE ON oc_t_user FOR EACH ROW SET @s = 1',
    );
    const before = await triggersOf(cars.database);
    await check(cars);
    expect(await triggersOf(cars.database)).toEqual(before);
  });

  it('of an earlier version that are not needed any more go', async () => {
    const cars = await settled();
    await cars.database.query(
      'CREATE TRIGGER oc_account_sync_address_au_1 AFTER UPDATE ON oc_t_alerts FOR EACH ROW SET @s = 1',
    );
    expect(await check(cars)).toEqual({ kind: 'renewed', triggers: [] });
    expect(await namesOf(cars)).toHaveLength(10);
  });
});
