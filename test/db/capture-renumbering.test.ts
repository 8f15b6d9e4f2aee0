import { describe, expect, it } from 'vitest';
import { requestRescan } from '../../src/capture/baseline.ts';
import { parkRecords } from '../../src/store/parked.ts';
import { uidOfEmail } from '../../src/model/uid.ts';
import { confirm, dueEntries } from '../../src/store/outbox.ts';
import { capturedSite, type CapturedOptions, type CapturedSite } from '../support/captured-site.ts';
import { makeStatementStop } from '../support/statement-stop.ts';
import { OWN } from '../support/own-tables.ts';

/** Twenty users with descriptions, all of which peers know. */
async function settled(options: CapturedOptions = {}): Promise<CapturedSite> {
  return capturedSite({
    peers: ['homes'],
    before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1, allActive: true }),
    ...options,
  });
}

/** Changes keys as a person does who merges databases: in both tables, in one transaction. */
async function renumber({ host }: CapturedSite, change: string, order = ''): Promise<void> {
  await host.write('SET FOREIGN_KEY_CHECKS = 0');
  await host.db.query('START TRANSACTION');
  await host.write(
    `UPDATE {user} SET pk_i_id = ${change.replaceAll('ID', 'pk_i_id')} ${order.replaceAll('ID', 'pk_i_id')}`,
  );
  await host.write(
    `UPDATE {user_description} SET fk_i_user_id = ${change.replaceAll('ID', 'fk_i_user_id')} ${order.replaceAll('ID', 'fk_i_user_id')}`,
  );
  await host.db.query('COMMIT');
}

const rowOf = async (cars: CapturedSite, userId: number) =>
  (await cars.host.select('SELECT * FROM {user} WHERE pk_i_id = ?', [userId]))[0] ?? {};

const uidsOf = async (cars: CapturedSite, userId: number) => (await cars.stored(userId)).uids;

/** All uids by id. */
async function identities(cars: CapturedSite): Promise<Map<number, readonly string[]>> {
  const rows = await cars.database.query<{ user_id: number }>(`SELECT user_id FROM ${OWN.user} ORDER BY 1`);
  return new Map(await Promise.all(rows.map(async ({ user_id: id }) => [id, await uidsOf(cars, id)] as const)));
}

function shifted(before: ReadonlyMap<number, readonly string[]>, by: number): Map<number, readonly string[]> {
  return new Map([...before].map(([id, uids]) => [id + by, uids]));
}

describe('primary keys that are changed in place', () => {
  it('everybody keeps identity and history, and nobody is sent', async () => {
    const cars = await settled();
    const before = await identities(cars);
    const [stamp] = [await cars.stamp(7, 's_name')];
    await renumber(cars, 'ID + 1000');
    expect(await cars.drainAll()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    expect(await identities(cars)).toEqual(shifted(before, 1000));
    expect(await cars.stamp(1007, 's_name')).toBe(stamp);
    expect(await cars.userOf(uidOfEmail(String((await rowOf(cars, 1007))['s_email'])))).toBe(1007);
    expect(await cars.tombstones()).toEqual([]);
  });

  it('also where old and new ids overlap, and batches are smaller than the change', async () => {
    const cars = await settled({ before: (empty) => empty.seed.users({ seed: 6, count: 1100, firstId: 1 }) });
    const before = await identities(cars);
    await renumber(cars, 'ID + 1', 'ORDER BY ID DESC');
    expect(await cars.drainAll()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    expect(await identities(cars)).toEqual(shifted(before, 1));
  });

  it('also where two change places, even registered in the same second', async () => {
    const cars = await settled();
    await cars.host.write("UPDATE {user} SET dt_reg_date = '2020-02-02 02:02:02'");
    await cars.drainAll();
    await cars.deliverAll();
    const before = await identities(cars);
    await renumber(cars, 'CASE ID WHEN 5 THEN 999 ELSE ID END');
    await renumber(cars, 'CASE ID WHEN 7 THEN 5 ELSE ID END');
    await renumber(cars, 'CASE ID WHEN 999 THEN 7 ELSE ID END');
    expect(await cars.drainAll()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    const after = await identities(cars);
    expect([after.get(5), after.get(7)]).toEqual([before.get(7), before.get(5)]);
  });

  it('what was edited before, between and after is sent once, and who was deleted is removed', async () => {
    const cars = await settled();
    const before = await identities(cars);
    await cars.host.write("UPDATE {user} SET s_name = 'Before' WHERE pk_i_id = 3");
    await renumber(cars, 'ID + 1000');
    await cars.host.write("UPDATE {user} SET s_name = 'Between' WHERE pk_i_id = 1004");
    await renumber(cars, 'ID + 1000');
    await cars.host.write("UPDATE {user} SET s_name = 'After' WHERE pk_i_id = 2005");
    await cars.host.person.deleteAccount(2006);
    const fresh = await cars.host.person.register({ email: 'new@example.com', name: 'New' });
    expect(new Set(await cars.drainAll())).toEqual(new Set([2003, 2004, 2005, 2006, fresh]));
    expect(await cars.outbox()).toEqual([
      expect.stringMatching(/^homes removal /),
      ...[2003, 2004, 2005, fresh].map((id) => `homes user ${id}`),
    ]);
    expect((await cars.tombstones()).map((row) => row.uid.toLowerCase())).toEqual(
      before.get(6)?.map((uid) => uid.replaceAll('-', '')),
    );
    expect(await uidsOf(cars, 2003)).toEqual(before.get(3));
  });

  it('an id that was freed and taken by another account belongs to that one', async () => {
    const cars = await settled();
    const before = await identities(cars);
    await cars.host.person.deleteAccount(5);
    await renumber(cars, 'CASE ID WHEN 7 THEN 5 ELSE ID END');
    await cars.host.write(
      "INSERT INTO {user} (pk_i_id, s_email, s_name, s_username, s_password, dt_reg_date) VALUES (7, 'eve@example.com', 'Eve', '7', LEFT(SHA2('x', 256), 40), NOW())",
    );
    await cars.drainAll();
    expect(await uidsOf(cars, 5)).toEqual(before.get(7));
    expect(await uidsOf(cars, 7)).toEqual([uidOfEmail('eve@example.com')]);
    expect(await cars.tombstones()).toHaveLength(1);
    expect(await cars.outbox()).toEqual([expect.stringMatching(/^homes removal /), 'homes user 7']);
  });

  it('a user name that is nothing but the old id does not travel', async () => {
    const cars = await settled();
    const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.drainAll();
    await cars.deliverAll();
    expect(await rowOf(cars, ana)).toMatchObject({ s_username: String(ana) });
    await renumber(cars, 'ID + 1000');
    await cars.drainAll();
    await cars.host.person.viewPage(ana + 1000);
    expect(await cars.drainAll()).toEqual([]);
    await cars.host.write("UPDATE {user} SET s_username = 'ana' WHERE pk_i_id = ?", [ana + 1000]);
    expect(await cars.drainAll()).toEqual([ana + 1000]);
  });
});

describe('what belongs to users whose keys are changed', () => {
  it('descriptions follow by ON UPDATE CASCADE, for which no trigger fires', async () => {
    const cars = await settled();
    const { database } = cars;
    await database.query('ALTER TABLE oc_t_user_description DROP FOREIGN KEY oc_t_user_description_ibfk_1');
    await database.query(`ALTER TABLE oc_t_user_description ADD CONSTRAINT follows FOREIGN KEY (fk_i_user_id)
      REFERENCES oc_t_user (pk_i_id) ON UPDATE CASCADE`);
    const before = await identities(cars);
    await database.query('UPDATE oc_t_user SET pk_i_id = pk_i_id + 1000');
    expect(await cars.drainAll()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    expect(await identities(cars)).toEqual(shifted(before, 1000));
  });

  it('texts that still lie under the old id are not taken for deleted', async () => {
    const cars = await settled();
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('UPDATE {user} SET pk_i_id = pk_i_id + 1000');
    expect(await cars.drainAll()).toEqual([]);
    await cars.host.write('UPDATE {user_description} SET fk_i_user_id = fk_i_user_id + 1000');
    expect(await cars.drainAll()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
  });

  it('a text that comes to belong to another user changes both', async () => {
    const cars = await settled();
    await cars.host.write('DELETE FROM {user_description} WHERE fk_i_user_id IN (3, 4)');
    await cars.host.write("INSERT INTO {user_description} VALUES (3, 'en_US', 'Mine')");
    await cars.drainAll();
    await cars.deliverAll();
    await cars.host.write('UPDATE {user_description} SET fk_i_user_id = 4 WHERE fk_i_user_id = 3');
    expect(new Set(await cars.drainAll())).toEqual(new Set([3, 4]));
    expect(await cars.outbox()).toEqual(['homes user 3', 'homes user 4']);
  });

  it('entries of outboxes, parked records and hidden listings follow; a delivery under way confirms nothing of others', async () => {
    const cars = await settled();
    const { db } = cars.site;
    await cars.host.write("UPDATE {user} SET s_name = 'Edited' WHERE pk_i_id = 5");
    await cars.host.write("UPDATE {user} SET s_name = 'Edited' WHERE pk_i_id = 7");
    await cars.drainAll();
    const onItsWay = await dueEntries(db, 'homes', Date.now(), 10);
    const [uid] = await uidsOf(cars, 7);
    const record = { kind: 'removal' as const, uids: [uid as string], emailHash: null, stamp: '' };
    const parked = { peer: 'homes', uid: uid as never, userId: 7, code: 'EMAIL_TAKEN' as const, message: '', record };
    await parkRecords(db, [parked], Date.now());
    await cars.database.query(`INSERT INTO ${OWN.hidden} VALUES (1, 7)`);
    await renumber(cars, 'CASE ID WHEN 5 THEN 999 ELSE ID END');
    await renumber(cars, 'CASE ID WHEN 7 THEN 5 ELSE ID END');
    await cars.drainAll();
    expect(await cars.outbox()).toEqual(['homes user 5', 'homes user 999']);
    await confirm(
      db,
      'homes',
      onItsWay.filter(({ ref }) => ref === 5),
    );
    expect(await cars.outbox()).toEqual(['homes user 5', 'homes user 999']);
    expect(await cars.database.query(`SELECT user_id FROM ${OWN.parked}`)).toEqual([{ user_id: 5 }]);
    expect(await cars.database.query(`SELECT user_id FROM ${OWN.hidden}`)).toEqual([{ user_id: 5 }]);
  });

  it('an entry whose user has another id is not taken for moot before the drain has seen it', async () => {
    const cars = await settled({
      peers: [],
      peerList: '\n  - { name: homes, url: "http://127.0.0.1:1/", api_key: homes-key-0123456789-abcdefghij }',
    });
    await cars.host.write("UPDATE {user} SET s_name = 'Edited' WHERE pk_i_id = 5");
    await cars.drainAll();
    await renumber(cars, 'ID + 1000');
    await cars.site.deliver(cars.site.route('homes')).catch(() => undefined);
    expect(await cars.outbox()).toEqual(['homes user 5']);
    await cars.drainAll();
    expect(await cars.outbox()).toEqual(['homes user 1005']);
  });
});

describe('keys that were changed without a marker', () => {
  it('while the triggers were away: the re-scan finds who is who by address and registration', async () => {
    const cars = await settled();
    const before = await identities(cars);
    await renumber(cars, 'ID + 7', 'ORDER BY ID DESC');
    await cars.host.write("UPDATE {user} SET s_name = 'Edited' WHERE pk_i_id = 12");
    await cars.database.query(`DELETE FROM ${OWN.queue}`);
    await requestRescan(cars.site.db);
    expect(await cars.scanAll()).toBe(1);
    expect(await cars.outbox()).toEqual(['homes user 12']);
    expect(await identities(cars)).toEqual(shifted(before, 7));
  });

  it('so too where all were registered in the same second', async () => {
    const cars = await settled();
    await cars.host.write("UPDATE {user} SET dt_reg_date = '2020-02-02 02:02:02'");
    await cars.drainAll();
    await cars.deliverAll();
    const before = await identities(cars);
    await renumber(cars, 'ID + 7', 'ORDER BY ID DESC');
    await cars.database.query(`DELETE FROM ${OWN.queue}`);
    await requestRescan(cars.site.db);
    expect(await cars.scanAll()).toBe(0);
    expect(await identities(cars)).toEqual(shifted(before, 7));
  });

  it('by a table that was emptied and filled again under other ids', async () => {
    const cars = await settled();
    const before = await identities(cars);
    await cars.host.write('CREATE TABLE dump AS SELECT * FROM {user}');
    await cars.host.write('CREATE TABLE texts AS SELECT * FROM {user_description}');
    await cars.host.write('UPDATE dump SET pk_i_id = pk_i_id + 10');
    await cars.host.write('UPDATE texts SET fk_i_user_id = fk_i_user_id + 10');
    await cars.host.write('SET FOREIGN_KEY_CHECKS = 0');
    await cars.host.write('TRUNCATE {user_description}');
    await cars.host.write('TRUNCATE {user}');
    await cars.host.write('INSERT INTO {user} SELECT * FROM dump');
    await cars.host.write('INSERT INTO {user_description} SELECT * FROM texts');
    await cars.drainAll();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    expect(await identities(cars)).toEqual(shifted(before, 10));
  });

  it.each([
    ['all of them, far away', 'ID + 1000', '', 1000],
    ['overlapping', 'ID + 7', 'ORDER BY ID DESC', 7],
  ])('in scan mode, %s', async (_, change, order, by) => {
    const cars = await settled({ extra: 'capture: { mode: scan }' });
    const before = await identities(cars);
    await renumber(cars, change, order);
    for (let times = 0; times < 3; times++) {
      await cars.site.scans.request();
      await cars.scanAll();
      await cars.drainAll();
    }
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    expect(await identities(cars)).toEqual(shifted(before, by));
    await cars.host.person.deleteAccount(3 + by);
    await cars.site.scans.request();
    await cars.scanAll();
    await cars.drainAll();
    expect(await cars.tombstones()).toHaveLength(1);
  });

  it('in scan mode, of an account whose uid was not derived from its address', async () => {
    const cars = await settled({ extra: 'capture: { mode: scan }' });
    const foreign = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    await cars.database.query(`UPDATE ${OWN.user} SET uids = ? WHERE user_id = 5`, [foreign]);
    await cars.database.query(`DELETE FROM ${OWN.uid} WHERE user_id = 5`);
    await cars.database.query(`INSERT INTO ${OWN.uid} VALUES (?, 5)`, [foreign]);
    await renumber(cars, 'CASE ID WHEN 5 THEN 555 ELSE ID END');
    await cars.site.scans.request();
    await cars.scanAll();
    await cars.drainAll();
    expect(await cars.tombstones()).toEqual([]);
    expect(await cars.outbox()).toEqual([]);
    expect(await uidsOf(cars, 555)).toEqual(['00112233-4455-6677-8899-aabbccddeeff']);
  });
});

describe('a drain of changed keys that is stopped', () => {
  it('after any statement, and done again, ends the same', async () => {
    const stop = makeStatementStop('throw');
    const cars = await settled({ onStatement: stop.onStatement });
    const before = await identities(cars);
    let by = 0;
    for (let at = 1, wasStopped = true; wasStopped; at += 2) {
      await renumber(cars, 'ID + 7', 'ORDER BY ID DESC');
      await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', [`Edit ${at}`, 12 + by]);
      by += 7;
      stop.arm(at);
      wasStopped = await cars.drainAll().then(
        () => false,
        () => true,
      );
      stop.arm(0);
      await cars.database.query(`DELETE FROM ${OWN.lease}`);
      await cars.drainAll();
      expect(await cars.outbox(), `stopped after statement ${at}`).toEqual([`homes user ${5 + by}`]);
      await cars.deliverAll();
      expect(await identities(cars)).toEqual(shifted(before, by));
      expect(await cars.markers()).toEqual([]);
    }
    expect(by).toBeGreaterThan(35);
  });
});

describe('an installation of a version that did not know of keys that change', () => {
  /** Tables and triggers as 0.1.0 made them. */
  async function asBefore(cars: CapturedSite): Promise<void> {
    const { database } = cars;
    await database.query(`ALTER TABLE ${OWN.queue} DROP COLUMN old_user_id`);
    await database.query(`DELETE FROM ${OWN.migration} WHERE id = 7`);
    for (const [table, key, op] of [
      ['user', 'pk_i_id', 'U'],
      ['user_description', 'fk_i_user_id', 'R'],
    ]) {
      const name = `oc_account_sync_${table === 'user' ? 'user' : 'description'}_au_1`;
      await database.query(`DROP TRIGGER ${name}`);
      await database.query("SET SESSION sql_mode = ''");
      await database.query(`CREATE TRIGGER ${name} AFTER UPDATE ON oc_t_${table} FOR EACH ROW BEGIN
        DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;
        IF @account_sync_applying IS NULL THEN
          INSERT INTO ${OWN.queue} (user_id, op) VALUES (NEW.${key}, '${op}');
        END IF;
      END`);
    }
  }

  it('is brought to the newest form; its markers are processed, and nobody is looked at again', async () => {
    const cars = await settled();
    await asBefore(cars);
    await cars.host.write("UPDATE {user} SET s_name = 'Old marker' WHERE pk_i_id = 3");
    await cars.install();
    expect(await cars.site.isScanPending()).toBe(false);
    expect(await cars.drainAll()).toEqual([3]);
    await cars.deliverAll();
    const before = await identities(cars);
    await renumber(cars, 'ID + 1000');
    await cars.drainAll();
    expect(await cars.outbox()).toEqual([]);
    expect(await identities(cars)).toEqual(shifted(before, 1000));
  });

  it('a queue restored from a backup of it is brought to the newest form, and all users are compared', async () => {
    const cars = await settled();
    await cars.database.query(`ALTER TABLE ${OWN.queue} DROP COLUMN old_user_id`);
    await cars.host.write("UPDATE {user} SET s_name = 'Unmarked' WHERE pk_i_id = 3");
    await expect(cars.site.drain()).rejects.toMatchObject({ code: 'HOST_CHANGED' });
    expect(await cars.scanAll()).toBe(1);
    await cars.host.write("UPDATE {user} SET s_name = 'Marked' WHERE pk_i_id = 4");
    expect(await cars.drainAll()).toEqual([4]);
  });

  it('waits for no longer than a second at a time while a transaction of the site keeps the queue', async () => {
    const cars = await settled();
    await asBefore(cars);
    await cars.host.db.query('START TRANSACTION');
    await cars.host.write("UPDATE {user} SET s_name = 'Open' WHERE pk_i_id = 3");
    const installing = cars.install();
    const other = await cars.host.again();
    await other.write("UPDATE {user} SET s_name = 'Other' WHERE pk_i_id = 4");
    await other.close();
    await cars.host.db.query('COMMIT');
    await installing;
    expect(new Set(await cars.drainAll())).toEqual(new Set([3, 4]));
  });
});
