/** Tables with one row per user. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Row, Side, StageOptions } from './stage.ts';

const COLUMNS = '[s_vat, i_rank, f_rate, b_logo, dt_opened]';

/** A shop with every kind of column; `beta` has a narrower one with a column of its own, and another that may not be NULL. */
export const relatedStage: StageOptions = {
  extra: {
    both: `related_tables:
  - { table: t_shop, key: fk_i_user_id, as: shop, columns: ${COLUMNS} }
  - { table: t_badge, key: fk_i_user_id, as: badge, columns: [s_title] }`,
  },
  hosts: { a: { timezone: 'Europe/Berlin' } },
  setUp: {
    a: [
      `CREATE TABLE {shop} (fk_i_user_id int unsigned NOT NULL PRIMARY KEY, s_vat varchar(50) NULL, i_rank int NULL,
       f_rate float NULL, b_logo blob NULL, dt_opened datetime NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
      `CREATE TABLE {badge} (fk_i_user_id int unsigned NOT NULL PRIMARY KEY, s_title varchar(50) NOT NULL)
       ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
    ],
    b: [
      `CREATE TABLE {shop} (pk_i_id int NOT NULL AUTO_INCREMENT PRIMARY KEY, fk_i_user_id int unsigned NOT NULL UNIQUE,
       s_vat varchar(10) NULL, i_rank int NULL, f_rate float NULL, b_logo blob NULL, dt_opened datetime NULL,
       s_local varchar(20) NOT NULL DEFAULT 'here') ENGINE=InnoDB DEFAULT CHARSET=utf8`,
      `CREATE TABLE {badge} (fk_i_user_id int unsigned NOT NULL PRIMARY KEY, s_title varchar(50) NOT NULL)
       ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
    ],
  },
};

const rowOf = async (side: Side, table: string, email: string): Promise<Row | undefined> =>
  (
    await side.sql(`SELECT t.* FROM {${table}} t JOIN {user} u ON u.pk_i_id = t.fk_i_user_id WHERE u.s_email = ?`, [
      email,
    ])
  )[0];

/** On {@link relatedStage}. */
export const relatedCases: readonly Case[] = [
  {
    name: 'a row with bytes, fractions and a time in another zone arrives as it is; local columns stay',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.sql(`INSERT INTO {shop} VALUES (?, 'DE 1', 3, 0.1, x'00ff', '2024-01-10 12:00:00')`, [
        await a.host.idOf(email),
      ]);
      await sync();
      expect(await rowOf(b, 'shop', email)).toMatchObject({
        s_vat: 'DE 1',
        i_rank: 3,
        f_rate: 0.1,
        b_logo: Buffer.from('00ff', 'hex'),
        dt_opened: '2024-01-10 11:00:00',
        s_local: 'here',
      });
      await b.sql(`UPDATE {shop} SET s_local = 'there', i_rank = 4 WHERE fk_i_user_id = ?`, [await b.host.idOf(email)]);
      await sync();
      expect(await rowOf(a, 'shop', email)).toMatchObject({ i_rank: 4, dt_opened: '2024-01-10 12:00:00' });
      await a.sql('UPDATE {shop} SET i_rank = 5 WHERE fk_i_user_id = ?', [await a.host.idOf(email)]);
      await sync();
      expect(await rowOf(b, 'shop', email)).toMatchObject({ i_rank: 5, s_local: 'there' });
    },
  },
  {
    name: 'a value its table cannot hold is parked, and the user stored; a fitting one goes through',
    async play({ a, b, person, sync }) {
      const email = await person();
      const id = await a.host.idOf(email);
      await a.sql(`INSERT INTO {shop} (fk_i_user_id, s_vat) VALUES (?, 'much too long')`, [id]);
      await a.set(email, 's_phone_land', 'stored');
      await sync();
      expect(await rowOf(b, 'shop', email)).toBeUndefined();
      expect(await b.row(email)).toMatchObject({ s_phone_land: 'stored' });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      await a.sql(`UPDATE {shop} SET s_vat = 'short' WHERE fk_i_user_id = ?`, [id]);
      await sync();
      expect(await rowOf(b, 'shop', email)).toMatchObject({ s_vat: 'short' });
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'a row that is deleted goes there too, though its columns may be NULL, and can come back',
    async play({ a, b, person, sync }) {
      const email = await person();
      const insert = (side: Side, vat: string): Promise<Row[]> =>
        side.host
          .idOf(email)
          .then((id) => side.sql(`INSERT INTO {shop} (fk_i_user_id, s_vat, i_rank) VALUES (?, ?, 1)`, [id, vat]));
      await insert(a, 'DE 1');
      await sync();
      expect(await rowOf(b, 'shop', email)).toMatchObject({ s_vat: 'DE 1' });
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        await from.sql('DELETE FROM {shop} WHERE fk_i_user_id = ?', [await from.host.idOf(email)]);
        await sync();
        expect([await rowOf(a, 'shop', email), await rowOf(b, 'shop', email)]).toEqual([undefined, undefined]);
        await insert(to, 'DE 2');
        await sync();
        expect(await rowOf(from, 'shop', email)).toMatchObject({ s_vat: 'DE 2', i_rank: 1 });
      }
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'a row of NULLs is a row: made, emptied, and deleted, it is the same on both sites',
    async play({ a, b, person, sync }) {
      const email = await person();
      const [here, there] = [await a.host.idOf(email), await b.host.idOf(email)];
      await a.sql('INSERT INTO {shop} (fk_i_user_id) VALUES (?)', [here]);
      await sync();
      expect(await rowOf(b, 'shop', email)).toMatchObject({ s_vat: null, i_rank: null, s_local: 'here' });
      await b.sql(`UPDATE {shop} SET s_local = 'kept', i_rank = 7 WHERE fk_i_user_id = ?`, [there]);
      await sync();
      await a.sql('UPDATE {shop} SET i_rank = NULL WHERE fk_i_user_id = ?', [here]);
      await sync();
      expect(await rowOf(b, 'shop', email)).toMatchObject({ s_vat: null, i_rank: null, s_local: 'kept' });
      await a.sql('DELETE FROM {shop} WHERE fk_i_user_id = ?', [here]);
      await sync();
      expect(await rowOf(b, 'shop', email)).toBeUndefined();
    },
  },
  {
    name: 'a row deleted on one site and edited on the other during a partition: the later one counts',
    async play({ a, b, person, sync, later }) {
      for (const isDeletedLast of [true, false]) {
        const email = await person();
        await a.sql(`INSERT INTO {shop} (fk_i_user_id, i_rank) VALUES (?, 1)`, [await a.host.idOf(email)]);
        await sync();
        const erase = async (): Promise<Row[]> =>
          a.sql('DELETE FROM {shop} WHERE fk_i_user_id = ?', [await a.host.idOf(email)]);
        const edit = async (): Promise<Row[]> =>
          b.sql('UPDATE {shop} SET i_rank = 2 WHERE fk_i_user_id = ?', [await b.host.idOf(email)]);
        await (isDeletedLast ? edit() : erase());
        await later();
        await (isDeletedLast ? erase() : edit());
        await sync();
        const ranks = [await rowOf(a, 'shop', email), await rowOf(b, 'shop', email)].map((row) => row?.['i_rank']);
        expect(ranks).toEqual(isDeletedLast ? [undefined, undefined] : [2, 2]);
      }
    },
  },
  {
    name: 'a description that is deleted, one that is empty, and one that is NULL are three things on both sites',
    async play({ a, b, person, sync }) {
      const email = await person({ info: { en_US: 'a text' } });
      const id = await a.host.idOf(email);
      for (const text of ['', null, 'again', null]) {
        await a.sql(`UPDATE {user_description} SET s_info = ? WHERE fk_i_user_id = ? AND fk_c_locale_code = 'en_US'`, [
          text,
          id,
        ]);
        await sync();
        expect(await b.info(email, 'en_US')).toBe(text);
      }
      await a.sql(`DELETE FROM {user_description} WHERE fk_i_user_id = ? AND fk_c_locale_code = 'en_US'`, [id]);
      await sync();
      expect(await b.info(email, 'en_US')).toBeUndefined();
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'a row that is deleted goes there too where its columns may not be NULL',
    async play({ a, b, person, sync }) {
      const email = await person();
      const id = await a.host.idOf(email);
      await a.sql(`INSERT INTO {badge} VALUES (?, 'Gold')`, [id]);
      await sync();
      expect(await rowOf(b, 'badge', email)).toMatchObject({ s_title: 'Gold' });
      await a.sql('DELETE FROM {badge} WHERE fk_i_user_id = ?', [id]);
      await sync();
      expect(await rowOf(b, 'badge', email)).toBeUndefined();
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'rows made on both sites during a partition: the later one counts as a whole',
    async play({ a, b, person, sync, later }) {
      const email = await person();
      await a.sql(`INSERT INTO {badge} VALUES (?, 'Silver')`, [await a.host.idOf(email)]);
      await later();
      await b.sql(`INSERT INTO {badge} VALUES (?, 'Gold')`, [await b.host.idOf(email)]);
      await sync();
      expect([await rowOf(a, 'badge', email), await rowOf(b, 'badge', email)]).toMatchObject([
        { s_title: 'Gold' },
        { s_title: 'Gold' },
      ]);
    },
  },
  {
    name: 'a removal takes the rows with it',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.sql(`INSERT INTO {badge} VALUES (?, 'Gold')`, [await a.host.idOf(email)]);
      await sync();
      const id = await b.host.idOf(email);
      await a.sql('DELETE FROM {badge} WHERE fk_i_user_id = ?', [await a.host.idOf(email)]);
      await a.host.person.deleteAccount(email);
      await sync();
      expect(await b.sql('SELECT 1 FROM {badge} WHERE fk_i_user_id = ?', [id])).toEqual([]);
      expect(await b.row(email)).toEqual({});
    },
  },
];
