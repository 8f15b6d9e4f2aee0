import { expect, test } from 'vitest';
import { inTransaction } from '../../src/db/transaction.ts';
import { copyContact } from '../../src/osclass/copies.ts';
import { disabledItems, hideItems, showItems } from '../../src/osclass/items.ts';
import { siteNow } from '../../src/osclass/statistics.ts';
import { hostPool, type HostPool } from '../support/host-pool.ts';
import { settle } from '../support/osclass/fresh-site.ts';

const now = '2024-06-01 12:00:00';

const withItems = async (): Promise<HostPool & { ana: number; moderated: number }> => {
  const site = await hostPool({ seed: 'items' });
  const { ana } = await settle(site.host);
  await site.host.seed.items({ seed: 9, users: [ana], count: 40 });
  const moderated = await site.host.items.post(ana);
  await site.host.items.setEnabled(moderated, false);
  return { ...site, ana, moderated };
};
const itemsOnly = (changes: Record<string, unknown>) => {
  const { user: _user, log: _log, ...rest } = changes;
  return rest;
};

test('hiding and showing do to items and counters what blocking and unblocking do', async () => {
  const theirs = await withItems();
  const ours = await withItems();
  const { db, catalog } = ours;
  const block = await theirs.host.changes(() => theirs.host.admin.block(theirs.ana));
  let hidden: number[] = [];
  const hide = await ours.host.changes(async () => {
    hidden = await inTransaction(db, (trx) => hideItems(trx, catalog, ours.ana, { now }));
  });
  expect(itemsOnly(hide)).toEqual(itemsOnly(block));
  expect(await ours.host.recount()).toEqual([]);
  expect(hidden).not.toContain(ours.moderated);
  expect(await inTransaction(db, (trx) => hideItems(trx, catalog, ours.ana, { now }))).toEqual([]);

  const unblock = await theirs.host.changes(() => theirs.host.admin.unblock(theirs.ana));
  const show = await ours.host.changes(async () => {
    const all = await disabledItems(db, catalog, ours.ana);
    await inTransaction(db, (trx) => showItems(trx, catalog, all, { now }));
  });
  expect(itemsOnly(show)).toEqual(itemsOnly(unblock));
  expect(await ours.host.recount()).toEqual([]);
});

test('showing only what was hidden leaves what a moderator disabled', async () => {
  const { db, catalog, host, ana, moderated } = await withItems();
  const before = await host.select('SELECT pk_i_id, b_enabled FROM {item} ORDER BY 1');
  const hidden = await inTransaction(db, (trx) => hideItems(trx, catalog, ana, { now }));
  await inTransaction(db, (trx) => showItems(trx, catalog, hidden, { now }));
  expect(await host.select('SELECT pk_i_id, b_enabled FROM {item} ORDER BY 1')).toEqual(before);
  expect(await disabledItems(db, catalog, ana)).toContain(moderated);
  expect(await host.recount()).toEqual([]);
});

test('a counter row that is missing is made when an item becomes visible', async () => {
  const { db, catalog, host, ana } = await withItems();
  const hidden = await inTransaction(db, (trx) => hideItems(trx, catalog, ana, { now }));
  await host.write('DELETE FROM {category_stats}');
  await inTransaction(db, (trx) => showItems(trx, catalog, hidden, { now }));
  const rows = await host.select('SELECT SUM(i_num_items) AS n FROM {category_stats}');
  expect(Number(rows[0]?.['n'])).toBeGreaterThan(0);
});

test('a ring of categories does not hold anything up', async () => {
  const { db, catalog, host, ana } = await withItems();
  await host.write('UPDATE {category} SET fk_i_parent_id = 3 WHERE pk_i_id = 1');
  expect((await inTransaction(db, (trx) => hideItems(trx, catalog, ana, { now }))).length).toBeGreaterThan(0);
});

test('the present is the time of the site, by the clock of the database', async () => {
  const { db, catalog, host } = await hostPool({ timezone: 'Asia/Kolkata' });
  const local = Date.parse(`${(await siteNow(db, catalog)).replace(' ', 'T')}Z`);
  expect(Math.abs(local - Date.now() - 5.5 * 3_600_000)).toBeLessThan(60_000);
  await host.write("UPDATE {preference} SET s_value = 'Nowhere/Land' WHERE s_name = 'timezone'");
  const utc = Date.parse(`${(await siteNow(db, catalog)).replace(' ', 'T')}Z`);
  expect(Math.abs(utc - Date.now())).toBeLessThan(60_000);
});

test('a new e-mail reaches the copies that Osclass would change', async () => {
  const sites = [await withItems(), await withItems()] as const;
  for (const { host, ana } of sites) await host.person.requestEmailChange(ana, 'ana.new@example.com');
  const [theirs, ours] = sites;
  const expected = await theirs.host.changes(() => theirs.host.person.confirmEmailChange(theirs.ana));
  const changes = await ours.host.changes(() =>
    inTransaction(ours.db, (trx) => copyContact(trx, ours.catalog, ours.ana, { email: 'ana.new@example.com' })),
  );
  expect(itemsOnly(changes)).toEqual(itemsOnly(expected));
});

test('a new name reaches items and comments, and nobody else is touched', async () => {
  const { db, catalog, host, ana } = await withItems();
  await inTransaction(db, (trx) => copyContact(trx, catalog, ana, { name: "Ana 'Núñez'" }));
  const names = (table: string, column: string) =>
    host.select(`SELECT DISTINCT ${column} AS n, fk_i_user_id = ? AS own FROM {${table}} ORDER BY own`, [ana]);
  expect(await names('item', 's_contact_name')).toEqual([
    { n: 'Bob', own: 0 },
    { n: "Ana 'Núñez'", own: 1 },
  ]);
  expect(await names('item_comment', 's_author_name')).toContainEqual({ n: "Ana 'Núñez'", own: 1 });
  await inTransaction(db, (trx) => copyContact(trx, catalog, ana, {}));
});
