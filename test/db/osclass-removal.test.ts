import { expect, test } from 'vitest';
import { inTransaction } from '../../src/db/transaction.ts';
import { removeItemDescriptions, removeUser } from '../../src/osclass/removal.ts';
import { hostPool, type HostPool } from '../support/host-pool.ts';
import type { Flavour } from '../support/osclass/flavour.ts';
import { settle } from '../support/osclass/fresh-site.ts';
import type { HostOptions } from '../support/osclass/host.ts';

const NOW = '2024-06-01 12:00:00';
const remove = ({ db, catalog }: HostPool, userId: number) =>
  inTransaction(db, (trx) => removeUser(trx, catalog, userId, { now: NOW }));

/** The same lively site, built from the same seed. */
const lively = async (options: HostOptions): Promise<HostPool & { ana: number }> => {
  const site = await hostPool({ seed: 'removal', ...options });
  const { ana } = await settle(site.host);
  const users = await site.host.seed.users({ seed: 3, count: 20 });
  const ids = [ana, ...users.map((user) => user.id)];
  await site.host.seed.items({ seed: 5, users: ids, count: 60 });
  const own = await site.host.items.post(ana, { images: 2, category: 3, place: { country: 'DE', city: 'Mainz' } });
  await site.host.items.post(ana, { expiration: '2020-01-01 00:00:00' });
  await site.host.items.post(ana, { spam: true });
  await site.host.items.post(ana, { inactive: true });
  await site.host.items.setEnabled(await site.host.items.post(ana), false);
  await site.host.items.comment(null, own);
  await site.host.person.requestEmailChange(ana, 'ana.new@example.com');
  return { ...site, ana };
};

test.each<Flavour>(['3.7', '5.2', '8'])('on %s, removes what Osclass removes, and nothing else', async (flavour) => {
  for (const itemDescriptionEngine of ['InnoDB', 'MyISAM'] as const) {
    const theirs = await lively({ flavour, itemDescriptionEngine });
    const ours = await lively({ flavour, itemDescriptionEngine });
    let files: string[] = [];
    const expected = await theirs.host.changes(async () => {
      files = await theirs.host.admin.deleteUser(theirs.ana);
    });
    delete expected['log'];

    const changes = await ours.host.changes(async () => {
      const removed = await remove(ours, ours.ana);
      expect(removed.found).toBe(true);
      expect(removed.items).toBeGreaterThan(5);
      expect(removed.files.toSorted()).toEqual(files.toSorted());
      expect(removed.afterCommit).toHaveLength(itemDescriptionEngine === 'MyISAM' ? removed.items : 0);
      await removeItemDescriptions(ours.db, ours.catalog, removed.afterCommit);
    });
    expect(changes).toEqual(expected);
    expect(await ours.host.recount()).toEqual([]);
    expect((await remove(ours, ours.ana)).found).toBe(false);
  }
});

test('rows in tables without transactions stay until they are removed outside, and those of living items are spared', async () => {
  const site = await lively({ itemDescriptionEngine: 'MyISAM' });
  const bob = await site.host.idOf('bob@example.com');
  const spared = await site.host.items.post(bob);
  const count = async () => (await site.host.select('SELECT COUNT(*) AS n FROM {item_description}'))[0]?.['n'];
  const before = Number(await count());
  const removed = await remove(site, site.ana);
  expect(Number(await count())).toBe(before);
  await removeItemDescriptions(site.db, site.catalog, [...removed.afterCommit, spared]);
  await removeItemDescriptions(site.db, site.catalog, removed.afterCommit);
  expect(Number(await count())).toBe(before - removed.items);
});

test('a foreign key from an unknown table stops the removal before anything is deleted, naming table and rows', async () => {
  const site = await lively({});
  await site.host.write(
    'CREATE TABLE shop_order (id INT PRIMARY KEY, buyer INT UNSIGNED, ' +
      'FOREIGN KEY (buyer) REFERENCES {user} (pk_i_id)) ENGINE=InnoDB',
  );
  await site.host.write(
    'CREATE TABLE oc_t_plugin_offer (id INT PRIMARY KEY, item INT UNSIGNED, ' +
      'FOREIGN KEY (item) REFERENCES {item} (pk_i_id)) ENGINE=InnoDB',
  );
  await site.host.write('INSERT INTO shop_order VALUES (1, ?), (2, ?)', [site.ana, site.ana]);
  const [item] = await site.host.select('SELECT pk_i_id FROM {item} WHERE fk_i_user_id = ?', [site.ana]);
  await site.host.write('INSERT INTO oc_t_plugin_offer VALUES (1, ?)', [item?.['pk_i_id'] ?? 0]);
  const looked = { ...site, catalog: await site.look() };

  const changes = await site.host.changes(async () => {
    const refused = remove(looked, site.ana);
    await expect(refused).rejects.toMatchObject({ code: 'FOREIGN_KEY' });
    await expect(refused).rejects.toThrow(/2 rows of shop_order \(buyer\).*1 row of oc_t_plugin_offer \(item\)/);
  });
  expect(changes).toEqual({});

  await site.host.write('DELETE FROM shop_order');
  await site.host.write('DELETE FROM oc_t_plugin_offer');
  expect((await remove(looked, site.ana)).found).toBe(true);
});

test('a foreign key that the catalog does not know of yet stops the removal as well', async () => {
  const site = await lively({});
  await site.host.write(
    'CREATE TABLE shop_order (id INT PRIMARY KEY, buyer INT UNSIGNED, ' +
      'FOREIGN KEY (buyer) REFERENCES {user} (pk_i_id)) ENGINE=InnoDB',
  );
  await site.host.write('INSERT INTO shop_order VALUES (1, ?)', [site.ana]);
  const changes = await site.host.changes(async () => {
    await expect(remove(site, site.ana)).rejects.toMatchObject({ code: 'FOREIGN_KEY', message: /shop_order/ });
  });
  expect(Object.keys(changes)).toEqual([]);
});

test('rows that follow by themselves do not stop it, and rows of related tables are removed', async () => {
  const site = await lively({ businessProfiles: true });
  await site.host.write(
    'CREATE TABLE oc_t_wish (id INT PRIMARY KEY, user INT UNSIGNED, ' +
      'FOREIGN KEY (user) REFERENCES {user} (pk_i_id) ON DELETE CASCADE) ENGINE=InnoDB',
  );
  await site.host.write('INSERT INTO oc_t_wish VALUES (1, ?)', [site.ana]);
  await site.host.write('INSERT INTO {user_business_profile} (fk_i_user_id) VALUES (?)', [site.ana]);
  const catalog = await site.look();
  await expect(remove({ ...site, catalog }, site.ana)).rejects.toThrow(/oc_t_user_business_profile/);
  const related = [{ table: 't_user_business_profile', key: 'fk_i_user_id' }];
  const removed = await inTransaction(site.db, (trx) => removeUser(trx, catalog, site.ana, { related, now: NOW }));
  expect(removed.found).toBe(true);
  expect(await site.host.select('SELECT * FROM oc_t_wish')).toEqual([]);
});

test('a counter that is too low already stops at 0', async () => {
  const site = await lively({});
  await site.host.write('UPDATE {category_stats} SET i_num_items = 0');
  await site.host.write('UPDATE {city_stats} SET i_num_items = 1');
  await remove(site, site.ana);
  const low = await site.host.select('SELECT i_num_items FROM {category_stats} WHERE i_num_items <> 0');
  expect(low).toEqual([]);
});

test('tables and columns that a version does not have are passed over', async () => {
  const site = await lively({});
  for (const table of ['item_meta', 'item_stats', 'user_email_tmp', 'alerts', 'city_stats', 'item_resource']) {
    await site.host.write(`DROP TABLE {${table}}`);
  }
  await site.host.write('ALTER TABLE {item} DROP COLUMN b_spam, DROP COLUMN dt_expiration');
  const catalog = await site.look();
  expect((await remove({ ...site, catalog }, site.ana)).found).toBe(true);
});

test('nobody can add an item to a user who is being removed', async () => {
  const site = await lively({});
  await inTransaction(site.db, async (trx) => {
    await removeUser(trx, site.catalog, site.ana, { now: NOW });
    const other = await site.host.again();
    await other.write('SET SESSION innodb_lock_wait_timeout = 1');
    await expect(other.items.post(site.ana)).rejects.toThrow(/lock wait/i);
    await other.close();
  });
});
