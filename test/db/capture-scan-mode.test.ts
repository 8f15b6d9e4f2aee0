import { describe, expect, it } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { parseStamp } from '../../src/model/stamp.ts';
import { uidOfEmail } from '../../src/model/uid.ts';
import { capturedSite, type CapturedOptions, type CapturedSite } from '../support/captured-site.ts';
import { createAccount } from '../support/database.ts';
import { triggersOf } from '../support/definitions.ts';
import { makeStatementStop } from '../support/statement-stop.ts';
import { OWN } from '../support/own-tables.ts';

/** Twenty users, and no triggers. */
async function scanned(options: CapturedOptions = {}): Promise<CapturedSite> {
  return capturedSite({
    peers: ['homes'],
    extra: 'capture: { mode: scan }',
    before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1, allActive: true }),
    ...options,
  });
}

/** One scan of everybody, and the drain of what it found. */
async function scanOnce({ site, scanAll, drainAll }: CapturedSite): Promise<number> {
  await site.scans.request();
  const changed = await scanAll();
  await drainAll();
  return changed;
}

const removalsOf = async ({ outbox }: CapturedSite): Promise<number> =>
  (await outbox()).filter((entry) => entry.includes('removal')).length;

describe('a site that is scanned', () => {
  it('T8: needs no right to make triggers, and has none', async () => {
    const login = { user: 'nobody', password: '' };
    const cars = await scanned({
      install: false,
      account: login,
      prepare: async (database) => {
        const rights = RIGHTS.filter((right) => right !== 'TRIGGER').join(', ');
        Object.assign(login, await createAccount(database, [rights]));
      },
    });
    await cars.install();
    expect(await cars.scanAll()).toBe(0);
    expect(await triggersOf(cars.database)).toEqual([]);
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Changed']);
    expect(await scanOnce(cars)).toBe(1);
    expect(await cars.outbox()).toEqual(['homes user 3']);
  });

  it('finds edits, texts, registrations and deletions; what did not change is not sent', async () => {
    const cars = await scanned();
    const { host } = cars;
    expect(await scanOnce(cars)).toBe(0);
    expect(await cars.outbox()).toEqual([]);
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Changed']);
    await host.write('DELETE FROM {user_description} WHERE fk_i_user_id = 4');
    await host.write("INSERT INTO {user_description} VALUES (4, 'en_US', 'Written unseen')");
    await host.person.viewPage(6);
    const uid = (await cars.stored(5)).uids[0];
    await host.person.deleteAccount(5);
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await scanOnce(cars);
    expect(await cars.outbox()).toEqual([
      expect.stringMatching(/^homes removal /),
      'homes user 3',
      'homes user 4',
      `homes user ${ana}`,
    ]);
    expect((await cars.tombstones()).map((row) => row.uid.toLowerCase())).toEqual([uid?.replaceAll('-', '')]);
    await expect(cars.stored(5)).rejects.toThrow('nothing is known');
    expect((await cars.stored(ana)).uids).toEqual([uidOfEmail('ana@example.com')]);
    expect(parseStamp(await cars.stamp(3, 's_name'))?.counter).toBe(1);
    expect(parseStamp(await cars.stamp(3, 's_email'))?.counter).toBe(0);
    await cars.deliverAll();
    expect(await scanOnce(cars)).toBe(0);
    expect(await cars.outbox()).toEqual([]);
  });

  it('goes on as the same account with a row that was replaced under a new id', async () => {
    const cars = await scanned();
    const before = await cars.stored(7);
    await cars.host.write('CREATE TEMPORARY TABLE copy AS SELECT * FROM {user} WHERE pk_i_id = 7');
    await cars.host.write('UPDATE copy SET pk_i_id = 77');
    await cars.host.write('DELETE FROM {user_description} WHERE fk_i_user_id = 7');
    await cars.host.write('REPLACE INTO {user} SELECT * FROM copy');
    await scanOnce(cars);
    expect(await removalsOf(cars)).toBe(0);
    expect((await cars.stored(77)).uids).toEqual(before.uids);
  });

  it('removes an account and knows another one when somebody registers again after a scan', async () => {
    const cars = await scanned();
    const first = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await scanOnce(cars);
    await cars.host.person.deleteAccount(first);
    await scanOnce(cars);
    const second = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await scanOnce(cars);
    expect((await cars.stored(second)).uids).toEqual([uidOfEmail('ana@example.com', 1)]);
    expect(await cars.tombstones()).toHaveLength(1);
  });

  it('begins the next scan when the last one ended long enough ago, and not before', async () => {
    let nowMs = Date.now();
    const cars = await scanned({ clock: { nowMs: () => nowMs }, extra: 'capture: { mode: scan, scan_every: 5m }' });
    await cars.site.scans.requestIfDue();
    expect(await cars.site.isScanPending()).toBe(false);
    await cars.database.query(`UPDATE ${OWN.state} SET value = ? WHERE name = 'scanned_at'`, [
      new Date(Date.now() - 301_000).toISOString(),
    ]);
    nowMs += 301_000;
    await cars.site.scans.requestIfDue();
    expect(await cars.site.isScanPending()).toBe(true);
  });
});

describe('invariant 12 without triggers: absence is a removal only in the same table', () => {
  it('an emptied table removes nobody, however often it is looked at; who comes back is sent again', async () => {
    const cars = await scanned();
    const { host, site } = cars;
    await host.write('CREATE TABLE dump AS SELECT * FROM {user}');
    await host.write('SET FOREIGN_KEY_CHECKS = 0');
    await host.write('TRUNCATE {user}');
    for (let times = 0; times < 3; times++) await scanOnce(cars);
    expect(await removalsOf(cars)).toBe(0);
    expect(await cars.rows('user')).toHaveLength(20);
    expect(await site.scans.countVanished()).toBe(20);
    await host.write('INSERT INTO {user} SELECT * FROM dump WHERE pk_i_id <= 18');
    await scanOnce(cars);
    expect(await site.scans.countVanished()).toBe(2);
    expect(await cars.outbox()).toHaveLength(18);
    await host.write('DELETE FROM {user_description} WHERE fk_i_user_id = 3');
    await host.write('DELETE FROM {user} WHERE pk_i_id = 3');
    await scanOnce(cars);
    expect(await removalsOf(cars)).toBe(1);
    expect(await cars.tombstones()).toHaveLength(1);
  });

  it('nor does a restored backup that lacks the latest accounts', async () => {
    const cars = await scanned();
    const { host, database } = cars;
    await host.write('SET FOREIGN_KEY_CHECKS = 0');
    const [made] = await database.query<Record<string, string>>('SHOW CREATE TABLE oc_t_user');
    await host.write('CREATE TABLE dump AS SELECT * FROM {user}');
    const late = await host.person.register({ email: 'late@example.com', name: 'Late' });
    await scanOnce(cars);
    await database.query('SET SESSION foreign_key_checks = 0');
    await database.query('DROP TABLE oc_t_user');
    await database.query(made?.['Create Table'] ?? '');
    await scanOnce(cars);
    await host.write('INSERT INTO {user} SELECT * FROM dump');
    await scanOnce(cars);
    await scanOnce(cars);
    expect(await removalsOf(cars)).toBe(0);
    expect((await cars.stored(late)).uids).toHaveLength(1);
    expect(await cars.site.scans.countVanished()).toBe(1);
  });

  it('nor one that is emptied while a scan is under way', async () => {
    const cars = await scanned({
      before: (empty) => empty.seed.users({ seed: 6, count: 6000, firstId: 1 }),
    });
    await cars.site.scans.request();
    await cars.site.scanPage();
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    await cars.scanAll();
    await scanOnce(cars);
    expect(await removalsOf(cars)).toBe(0);
    expect(await cars.site.scans.countVanished()).toBe(6000);
  });

  it('nor accounts that were gone before triggers were given up', async () => {
    const cars = await scanned({ extra: '' });
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    const { site } = cars;
    await installOnce(site.db, site.snapshot().catalog, { mode: 'scan' });
    expect(await triggersOf(cars.database)).toEqual([]);
    await scanOnce(cars);
    expect(await removalsOf(cars)).toBe(0);
  });

  it('what was deleted between the last scan and the first trigger is removed all the same', async () => {
    const cars = await scanned();
    await cars.host.person.deleteAccount(5);
    const { site } = cars;
    await installOnce(site.db, site.snapshot().catalog);
    await cars.scanAll();
    await cars.drainAll();
    expect(await removalsOf(cars)).toBe(1);
    expect(await triggersOf(cars.database)).toHaveLength(10);
  });
});

describe('a scan that is stopped', () => {
  it('after any statement, and done again, ends the same: nothing lost, nobody removed twice', async () => {
    const stop = makeStatementStop('throw');
    const clock = { nowMs: () => Date.UTC(2024, 5, 1, 12) };
    const cars = await scanned({ onStatement: stop.onStatement, clock });
    const { host, database } = cars;
    let removed = 0;
    for (let at = 1, wasStopped = true; wasStopped; at += 3) {
      const edited = (at % 9) + 11;
      const ana = await host.person.register({ email: `ana${at}@example.com`, name: 'Ana' });
      await scanOnce(cars);
      await cars.deliverAll();
      await host.person.deleteAccount(ana);
      removed += 1;
      await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', [`Edit ${at}`, edited]);
      stop.arm(at);
      wasStopped = await scanOnce(cars).then(
        () => false,
        () => true,
      );
      stop.arm(0);
      await database.query(`DELETE FROM ${OWN.lease}`);
      await scanOnce(cars);
      expect(await cars.outbox(), `stopped after statement ${at}`).toEqual([
        expect.stringMatching(/^homes removal /),
        `homes user ${edited}`,
      ]);
      expect(await cars.tombstones()).toHaveLength(removed);
      expect(await cars.markers()).toEqual([]);
    }
    expect(removed).toBeGreaterThan(8);
  });
});
