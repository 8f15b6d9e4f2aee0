/** Removed, blocked, renamed: what becomes of everything that hangs on an account. */
import { expect } from 'vitest';
import { expireTombstones } from '../../../src/store/shadows.ts';
import type { Case } from './run-cases.ts';
import type { Side, StageOptions } from './stage.ts';

const DAY_MS = 86_400_000;

/** `beta` has a plugin whose orders refer to users; it hides listings of blocked accounts, `alpha` does not. */
export const removalStage: StageOptions = {
  extra: { b: 'removal: { items_of_blocked: hide }' },
  setUp: {
    b: [
      `CREATE TABLE {orders} (pk_i_id int NOT NULL PRIMARY KEY AUTO_INCREMENT, fk_i_buyer int unsigned NOT NULL,
       FOREIGN KEY (fk_i_buyer) REFERENCES {user} (pk_i_id)) ENGINE=InnoDB`,
    ],
  },
};

const ids = async (side: Side, select: string, params: unknown[]): Promise<number[]> =>
  (await side.sql(select, params)).map((row) => Number(Object.values(row)[0]));

/** Rows of any table that refer to the user or to one of the items. */
const traces = async (side: Side, userId: number, items: readonly number[]): Promise<Record<string, number>> => {
  const columns = await side.sql(
    `SELECT TABLE_NAME AS t, COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
     AND TABLE_NAME LIKE 'oc\\_t\\_%' AND (COLUMN_NAME IN ('fk_i_user_id', 'fk_i_item_id')
     OR (TABLE_NAME IN ('oc_t_user', 'oc_t_item') AND COLUMN_NAME = 'pk_i_id'))`,
  );
  const found: Record<string, number> = {};
  for (const { t, c } of columns) {
    const isOfUser = c === 'fk_i_user_id' || t === 'oc_t_user';
    const wanted = isOfUser ? [userId] : [...items, 0];
    const rows = await side.sql('SELECT 1 FROM ?? WHERE ?? IN (?)', [t, c, wanted]);
    if (rows.length > 0) found[`${String(t)}.${String(c)}`] = rows.length;
  }
  return found;
};

/** Which of the listings are enabled. */
export const visible = async (side: Side, items: readonly number[]): Promise<boolean[]> =>
  (await side.sql('SELECT b_enabled FROM {item} WHERE pk_i_id IN (?) ORDER BY pk_i_id', [items])).map(
    (row) => row['b_enabled'] === 1,
  );

/** On {@link removalStage}. */
export const removalCases: readonly Case[] = [
  {
    name: 'a deletion leaves no row behind on the other site, and its counters are right',
    async play({ a, b, person, address, sync }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid', info: { en_US: 'Hello' } });
      const other = await person();
      const userId = await b.host.idOf(email);
      const items = [await b.host.items.post(email, { images: 2 }), await b.host.items.post(email, { inactive: true })];
      const elsewhere = await b.host.items.post(other);
      await b.host.items.comment(other, items[0] ?? 0);
      await b.host.items.comment(email, elsewhere);
      await b.host.items.saveAlert(email);
      await b.host.person.requestEmailChange(email, address('unconfirmed'));
      expect(Object.keys(await traces(b, userId, items)).length).toBeGreaterThan(10);
      await a.host.person.deleteAccount(email);
      await sync();
      expect(await traces(b, userId, items)).toEqual({});
      expect(await b.host.recount()).toEqual([]);
      expect(await visible(b, [elsewhere])).toEqual([true]);
    },
  },
  {
    name: 'image files that stay on the disk are named in the log',
    async play({ a, b, person, sync }) {
      const email = await person();
      const item = await b.host.items.post(email, { images: 2 });
      const resources = await ids(b, 'SELECT pk_i_id FROM {item_resource} WHERE fk_i_item_id = ?', [item]);
      await a.host.person.deleteAccount(email);
      await sync();
      const notes = (await b.said()).flatMap((said) => said.notes ?? []);
      const [left] = notes.filter((note) => note.code === 'FILES_LEFT');
      for (const resource of resources) expect(left?.message).toContain(`/${resource}.jpg`);
    },
  },
  {
    name: 'after the removal of half of all sellers every counter equals a recount',
    async play({ a, b, person, sync }) {
      const sellers: string[] = [];
      for (let n = 0; n < 6; n++) sellers.push(await person({ country: 'DE', region: 'Bayern', city: 'München' }));
      const users = await Promise.all(sellers.map((email) => b.host.idOf(email)));
      await b.host.seed.items({ seed: 5, users, count: 40 });
      await b.sql('UPDATE {user} SET i_items = 0 WHERE pk_i_id IN (?)', [users]);
      await b.sql(
        `UPDATE {user} u SET i_items = (SELECT COUNT(*) FROM {item} i WHERE i.fk_i_user_id = u.pk_i_id AND b_active = 1
         AND b_enabled = 1 AND b_spam = 0 AND dt_expiration > NOW()) WHERE pk_i_id IN (?)`,
        [users],
      );
      expect(await b.host.recount()).toEqual([]);
      for (const email of sellers.slice(3)) await a.host.person.deleteAccount(email);
      await sync();
      expect(await b.host.recount()).toEqual([]);
      const [rows] = await b.sql('SELECT COUNT(*) AS n FROM {item} WHERE fk_i_user_id IN (?)', [users.slice(3)]);
      expect(Number(rows?.['n'])).toBe(0);
    },
  },
  {
    name: 'a row of an unknown table that refers to the account parks the removal, and nothing is deleted',
    async play({ a, b, person, sync }) {
      const email = await person();
      const userId = await b.host.idOf(email);
      const item = await b.host.items.post(email);
      await b.sql('INSERT INTO {orders} (fk_i_buyer) VALUES (?)', [userId]);
      await (await b.site()).refresh();
      await a.host.person.deleteAccount(email);
      await sync();
      expect(await b.row(email)).toMatchObject({ pk_i_id: userId });
      expect(await visible(b, [item])).toEqual([true]);
      expect(await b.parked()).toEqual(['FOREIGN_KEY']);
      const [parked] = await b.sql(`SELECT message FROM oc_account_sync_parked WHERE code = 'FOREIGN_KEY'`);
      expect(String(parked?.['message'])).toContain('oc_t_orders');
      // The order goes; the next try, a minute later, goes through.
      await b.sql('DELETE FROM {orders} WHERE fk_i_buyer = ?', [userId]);
      await b.sql(`UPDATE oc_account_sync_parked SET tried_at = '2000-01-01'`);
      await sync();
      expect(await traces(b, userId, [item])).toEqual({});
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'a removal beats an edit made elsewhere meanwhile, also a later one',
    async play({ a, b, person, sync, later }) {
      const email = await person();
      await a.host.person.deleteAccount(email);
      await later();
      await b.host.person.editProfile(email, { name: 'Too late' });
      await sync();
      expect([await a.row(email), await b.row(email)]).toEqual([{}, {}]);
    },
  },
  {
    name: 'a user deleted on both sites at once is removed once, and all fall silent',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.host.person.deleteAccount(email);
      await b.host.person.deleteAccount(email);
      await sync();
      expect([await a.row(email), await b.row(email)]).toEqual([{}, {}]);
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'a row deleted by SQL is a removal too',
    async play({ a, b, person, sync }) {
      const email = await person();
      await b.host.items.post(email);
      await a.sql('DELETE FROM {user} WHERE s_email = ?', [email]);
      await sync();
      expect(await b.row(email)).toEqual({});
      expect(await b.host.recount()).toEqual([]);
    },
  },
  {
    name: 'who registers again after the removal is somebody new everywhere',
    async play({ a, b, person, sync, same }) {
      const email = await person({ name: 'Old', website: 'https://old.example' });
      const before = await b.host.idOf(email);
      await a.host.person.deleteAccount(email);
      await sync();
      await b.host.person.register({ email, name: 'New', validation: false });
      await sync();
      await same(email);
      expect(await a.row(email)).toMatchObject({ s_name: 'New', s_website: '' });
      expect(await b.host.idOf(email)).not.toBe(before);
    },
  },
  {
    name: 'deleted and registered again during a partition: the new account, once',
    async play({ a, b, person, sync, same }) {
      const email = await person({ name: 'Old' });
      await a.host.person.deleteAccount(email);
      await a.host.person.register({ email, name: 'New', validation: false });
      await sync();
      await same(email);
      expect(await b.row(email)).toMatchObject({ s_name: 'New' });
    },
  },
  {
    name: 'an account removed after its address changed is found under the new and under the old',
    async play({ a, b, person, address, sync }) {
      const [email, moved] = [await person(), address('moved')];
      await a.host.person.changeEmail(email, moved);
      await a.host.person.deleteAccount(moved);
      await sync();
      expect([await b.row(email), await b.row(moved)]).toEqual([{}, {}]);
    },
  },
  {
    name: 'a tombstone holds no address, and stays until the removal is confirmed',
    async play({ a, b, person, sync }) {
      const email = await person();
      const site = await a.site();
      const forget = (): Promise<number> => expireTombstones(site.db, Date.now() + DAY_MS);
      await forget();
      await a.host.person.deleteAccount(email);
      await site.drain();
      const rows = await a.sql('SELECT * FROM oc_account_sync_tombstone');
      expect(rows.length).toBeGreaterThan(0);
      expect(JSON.stringify(rows)).not.toContain(email);
      expect(await forget()).toBe(0);
      await sync();
      expect(await forget()).toBe(rows.length);
      expect(await b.row(email)).toEqual({});
    },
  },
  {
    name: 'a block hides the listings where the config says so; unblocking shows them, but none that was hidden before',
    async play({ a, b, person, sync }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      const items = [await b.host.items.post(email), await b.host.items.post(email), await b.host.items.post(email)];
      const [, moderated = 0] = items;
      await b.host.items.setEnabled(moderated, false);
      await a.host.admin.block(email);
      await sync();
      expect(await visible(b, items)).toEqual([false, false, false]);
      expect(await b.host.recount()).toEqual([]);
      await a.host.admin.unblock(email);
      await sync();
      expect(await visible(b, items)).toEqual([true, false, true]);
      expect(await b.host.recount()).toEqual([]);
    },
  },
  {
    name: 'a block leaves the listings as they are by default',
    async play({ a, b, person, sync }) {
      const email = await person();
      const item = await a.host.items.post(email);
      await b.host.admin.block(email);
      await sync();
      expect(await a.row(email)).toMatchObject({ b_enabled: 0 });
      expect(await visible(a, [item])).toEqual([true]);
    },
  },
  {
    name: 'blocked and deactivated: the listings come back when both are taken back',
    async play({ a, b, person, sync }) {
      const email = await person();
      const item = await b.host.items.post(email);
      await a.host.admin.block(email);
      await sync();
      await a.host.admin.deactivate(email);
      await sync();
      await a.host.admin.unblock(email);
      await sync();
      expect(await visible(b, [item])).toEqual([false]);
      await a.host.admin.activate(email);
      await sync();
      expect(await visible(b, [item])).toEqual([true]);
      expect(await b.host.recount()).toEqual([]);
    },
  },
  {
    name: 'a new name and a new address reach the copies in listings, comments and saved searches',
    async play({ a, b, person, address, sync }) {
      const [email, moved] = [await person(), address('moved')];
      const item = await b.host.items.post(email);
      const theirs = await b.host.items.post(null, { guest: { name: 'Guest', email: 'guest@example.com' } });
      const comment = await b.host.items.comment(email, theirs);
      const alert = await b.host.items.saveAlert(email);
      await a.host.person.editProfile(email, { name: 'New name' });
      await a.host.person.changeEmail(email, moved);
      await sync();
      const contact = 'SELECT s_contact_name AS name, s_contact_email AS email FROM {item} WHERE pk_i_id = ?';
      expect(await b.sql(contact, [item])).toEqual([{ name: 'New name', email: moved }]);
      expect(await b.sql(contact, [theirs])).toEqual([{ name: 'Guest', email: 'guest@example.com' }]);
      const author = 'SELECT s_author_name AS name, s_author_email AS email FROM {item_comment} WHERE pk_i_id = ?';
      expect(await b.sql(author, [comment])).toEqual([{ name: 'New name', email: moved }]);
      expect(await b.sql('SELECT s_email AS email FROM {alerts} WHERE pk_i_id = ?', [alert])).toEqual([
        { email: moved },
      ]);
    },
  },
];
