import { describe, expect, it } from 'vitest';
import { requestRescan } from '../../src/capture/baseline.ts';
import { uidOfEmail, type Uid } from '../../src/model/uid.ts';
import { confirm, dueEntries, noteDecided, park } from '../../src/store/outbox.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { OWN } from '../support/own-tables.ts';

const hex = (uid: Uid): string => uid.replaceAll('-', '').toUpperCase();
const ANA = uidOfEmail('ana@example.com');
const BOB = uidOfEmail('bob@example.com');

/** A site that has told everybody of ana. */
async function withAna(): Promise<CapturedSite & { ana: number }> {
  const cars = await capturedSite();
  const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
  await cars.host.write("UPDATE {user} SET dt_reg_date = '2020-02-02 02:02:02'");
  await cars.drainAll();
  await cars.deliverAll();
  return { ...cars, ana };
}

describe('an id that another account had for a moment', () => {
  it('in a table that was emptied: who had it before is removed nowhere', async () => {
    const cars = await withAna();
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    const bob = await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    expect(bob).toBe(cars.ana);
    await cars.host.person.deleteAccount(bob);
    await cars.drainAll();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
  });
});

describe('an id that another account had for a moment, after it was marked', () => {
  it('in a table that was emptied just after an edit: who had it before is removed nowhere', async () => {
    const cars = await withAna();
    await cars.host.person.viewPage(cars.ana);
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    await cars.host.person.deleteAccount(await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' }));
    await cars.drainAll();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
  });

  it('in a table that was emptied just after its deletion: that one is removed, and nobody else', async () => {
    const cars = await withAna();
    await cars.host.person.deleteAccount(cars.ana);
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    await cars.host.person.deleteAccount(await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' }));
    await cars.drainAll();
    expect((await cars.tombstones()).map((row) => row.uid)).toEqual([hex(ANA)]);
  });
});

describe('an id that another account got while the one before was on its way to a peer', () => {
  const due = ({ site }: CapturedSite) => dueEntries(site.db, 'homes', Date.now(), 10);

  it('invariant 3: what the peer says is about the one before, and the other one still goes out', async () => {
    const cars = await capturedSite({ peers: ['homes'] });
    const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.host.write("UPDATE {user} SET dt_reg_date = '2020-02-02 02:02:02'");
    await cars.drainAll();
    const onItsWay = await due(cars);
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    expect(await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' })).toBe(ana);
    await cars.drainAll();
    const { db } = cars.site;
    await confirm(db, 'homes', onItsWay);
    await noteDecided(db, 'homes', onItsWay, { passed: 0, held: 1, isWhole: true });
    for (const entry of onItsWay) await park(db, 'homes', entry, { code: 'BODY_TOO_LARGE', message: 'too large' });
    expect(onItsWay).toHaveLength(1);
    expect(await due(cars)).toMatchObject([{ kind: 'user', ref: ana }]);
  });
});

describe('an account that is deleted while a drain is between its markers and its row', () => {
  /** Deletes when the markers were just read. */
  const between = async (): Promise<{ cars: CapturedSite; deleteThen: (act: () => Promise<unknown>) => void }> => {
    let act: (() => Promise<unknown>) | undefined;
    const onStatement = async (statement: string): Promise<void> => {
      if (act === undefined || !/FROM `oc_account_sync_queue`\s+ORDER BY seq/.test(statement)) return;
      const now = act;
      act = undefined;
      await now();
    };
    const cars = await capturedSite({ onStatement });
    return { cars, deleteThen: (next) => (act = next) };
  };

  it('is removed, by the address it had last', async () => {
    const { cars, deleteThen } = await between();
    const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.drainAll();
    await cars.deliverAll();
    await cars.host.write("UPDATE {user} SET s_email = 'ana@example.org'");
    deleteThen(() => cars.host.person.deleteAccount(ana));
    await cars.drainAll();
    expect((await cars.tombstones()).map((row) => row.uid)).toContain(hex(ANA));
    expect(await cars.outbox()).toEqual([
      expect.stringContaining('homes removal'),
      expect.stringContaining('jobs removal'),
    ]);
  });

  it('invariant 12: under the id of one of an emptied table, removes nobody else', async () => {
    const { cars, deleteThen } = await between();
    const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.host.write("UPDATE {user} SET dt_reg_date = '2020-02-02 02:02:02'");
    await cars.drainAll();
    await cars.deliverAll();
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    expect(await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' })).toBe(ana);
    deleteThen(() => cars.host.person.deleteAccount(ana));
    await cars.drainAll();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
  });
});

describe('a re-scan that comes before the drain', () => {
  const rescan = (cars: CapturedSite) => requestRescan(cars.site.db);

  it('leaves who registered meanwhile to the drain: peers hear of nobody who is gone by then', async () => {
    const cars = await withAna();
    await rescan(cars);
    const bob = await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    const eve = await cars.host.person.register({ email: 'eve@example.com', name: 'Eve' });
    expect(await cars.scanAll()).toBe(0);
    expect(await cars.outbox()).toEqual([]);
    await cars.host.write("UPDATE {user} SET s_email = 'bob@example.org' WHERE pk_i_id = ?", [bob]);
    await cars.host.person.deleteAccount(bob);
    expect(await cars.site.drain()).toMatchObject({ changed: [eve], vanished: 0 });
    expect(await cars.outbox()).toEqual([`homes user ${eve}`, `jobs user ${eve}`]);
  });

  it('tells the removal of an account whose id another one has now', async () => {
    const cars = await withAna();
    await cars.host.person.deleteAccount(cars.ana);
    const bob = await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await cars.database.query('SET FOREIGN_KEY_CHECKS = 0');
    await cars.database.query('UPDATE oc_t_user SET pk_i_id = ? WHERE pk_i_id = ?', [cars.ana, bob]);
    await cars.database.query(`DELETE FROM ${OWN.queue} WHERE old_user_id <> user_id`);
    await cars.database.query(`UPDATE ${OWN.queue} SET user_id = ?, old_user_id = NULL WHERE user_id = ?`, [
      cars.ana,
      bob,
    ]);
    await rescan(cars);
    await cars.scanAll();
    await cars.drainAll();
    expect((await cars.tombstones()).map((row) => row.uid)).toEqual([hex(ANA)]);
    expect((await cars.stored(cars.ana)).uids).toEqual([BOB]);
  });
});

describe('an id that another account has now', () => {
  it('after a deletion: the one is removed, the other new', async () => {
    const cars = await withAna();
    await cars.host.person.deleteAccount(cars.ana);
    const bob = await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await cars.database.query('SET FOREIGN_KEY_CHECKS = 0');
    await cars.database.query('UPDATE oc_t_user SET pk_i_id = ? WHERE pk_i_id = ?', [cars.ana, bob]);
    await cars.database.query('UPDATE oc_t_user_description SET fk_i_user_id = ? WHERE fk_i_user_id = ?', [
      cars.ana,
      bob,
    ]);
    await cars.database.query(`DELETE FROM ${OWN.queue} WHERE old_user_id <> user_id`);
    await cars.database.query(`UPDATE ${OWN.queue} SET user_id = ?, old_user_id = NULL WHERE user_id = ?`, [
      cars.ana,
      bob,
    ]);
    expect(await cars.site.drain()).toMatchObject({ vanished: 0 });
    expect((await cars.stored(cars.ana)).uids).toEqual([BOB]);
    expect(await cars.userOf(ANA)).toBeUndefined();
    expect((await cars.tombstones()).map((row) => row.uid)).toEqual([hex(ANA)]);
    expect(await cars.outbox()).toEqual([
      expect.stringContaining('homes removal'),
      `homes user ${cars.ana}`,
      expect.stringContaining('jobs removal'),
      `jobs user ${cars.ana}`,
    ]);
  });

  it('after TRUNCATE: the other is new, and the one is removed nowhere', async () => {
    const cars = await withAna();
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    await cars.host.write('TRUNCATE {user_description}');
    expect(await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' })).toBe(cars.ana);
    expect(await cars.site.drain()).toMatchObject({ changed: [cars.ana], vanished: 1 });
    expect((await cars.stored(cars.ana)).uids).toEqual([BOB]);
    expect(await cars.userOf(ANA)).toBeUndefined();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([`homes user ${cars.ana}`, `jobs user ${cars.ana}`]);
  });

  it('found by a re-scan, where no trigger told of it', async () => {
    const cars = await withAna();
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user}');
    await cars.host.write('TRUNCATE {user_description}');
    await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await cars.database.query(`DELETE FROM ${OWN.queue}`);
    await cars.database.query(`INSERT INTO ${OWN.state} VALUES ('rescan_wanted', '1')`);
    expect(await cars.scanAll()).toBe(1);
    expect((await cars.stored(cars.ana)).uids).toEqual([BOB]);
    expect(await cars.userOf(ANA)).toBeUndefined();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([`homes user ${cars.ana}`, `jobs user ${cars.ana}`]);
  });

  it('is none where only the address or only the date changed', async () => {
    const cars = await withAna();
    await cars.host.write("UPDATE {user} SET s_email = 'ana@example.org'");
    await cars.drainAll();
    await cars.host.write("UPDATE {user} SET dt_reg_date = '2021-02-02 02:02:02'");
    await cars.drainAll();
    expect((await cars.stored(cars.ana)).uids).toEqual([ANA]);
  });
});
