/** Columns that come and go while the daemons run. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Side, Stage, StageOptions } from './stage.ts';

/** Both configs name columns that need not be there. */
export const columnStage: StageOptions = {
  extra: { both: 'columns: { custom: [c_steady, c_comes, c_goes, c_back, c_early] }' },
  columns: { both: ['c_steady varchar(20) NULL', 'c_goes varchar(20) NULL', 'c_back varchar(20) NULL'] },
};

const alter = (side: Side, change: string): Promise<unknown> => side.sql(`ALTER TABLE {user} ${change}`);
const look = async ({ a, b }: Stage): Promise<void> => {
  for (const side of [a, b]) await (await side.site()).refresh();
};

/** On {@link columnStage}; each case has a column of its own. */
export const columnCases: readonly Case[] = [
  {
    name: 'a column added on both sites is carried from its first value on',
    async play(stage) {
      const { a, b, person, sync } = stage;
      const email = await person();
      for (const side of [a, b]) await alter(side, 'ADD COLUMN c_comes varchar(20) NULL');
      await look(stage);
      await sync();
      await a.set(email, 'c_comes', 'new');
      await sync();
      expect(await b.row(email)).toMatchObject({ c_comes: 'new' });
      await b.set(email, 'c_comes', 'newer');
      await sync();
      expect(await a.row(email)).toMatchObject({ c_comes: 'newer' });
    },
  },
  {
    name: 'a value written before the daemon has noticed the new column arrives too',
    async play(stage) {
      const { a, b, person, sync } = stage;
      const email = await person();
      for (const side of [a, b]) await alter(side, 'ADD COLUMN c_early varchar(20) NULL');
      await a.set(email, 'c_early', 'early');
      await sync();
      expect(await b.row(email)).toMatchObject({ c_early: null });
      await look(stage);
      await sync();
      expect([(await a.row(email))['c_early'], (await b.row(email))['c_early']]).toEqual(['early', 'early']);
    },
  },
  {
    name: 'a column dropped at the sender stops nothing, and is no edit',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.set(email, 'c_goes', 'held');
      await sync();
      await alter(a, 'DROP COLUMN c_goes');
      await a.set(email, 's_phone_land', 'after');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_phone_land: 'after', c_goes: 'held' });
      await alter(a, 'ADD COLUMN c_goes varchar(20) NULL');
      await (await a.site()).refresh();
      await a.set(email, 's_phone_land', 'later');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_phone_land: 'later', c_goes: 'held' });
    },
  },
  {
    name: 'a column dropped at the receiver holds up nobody; what is for it waits until it is back',
    async play({ a, b, person, sync }) {
      const email = await person();
      await alter(b, 'DROP COLUMN c_back');
      await a.sql(`UPDATE {user} SET c_back = 'waits', s_phone_land = 'stored' WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_phone_land: 'stored' });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      await alter(b, 'ADD COLUMN c_back varchar(20) NULL');
      await (await b.site()).refresh();
      await sync();
      expect(await b.row(email)).toMatchObject({ c_back: 'waits' });
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'a column without default that a plugin adds does not keep new accounts out',
    async play({ a, b, address, sync }) {
      const email = address();
      await alter(b, 'ADD COLUMN c_plugin varchar(20) NOT NULL');
      await a.host.person.register({ email, name: 'Ana', validation: false });
      await sync();
      expect(await b.row(email)).toMatchObject({ s_name: 'Ana', c_plugin: '' });
      expect(await b.parked()).toEqual([]);
      await alter(b, 'DROP COLUMN c_plugin');
    },
  },
  {
    name: 'a column that was narrowed is seen by the server, if not by us',
    async play({ a, b, person, sync }) {
      const email = await person();
      await alter(b, 'MODIFY c_steady varchar(5) NULL');
      await a.sql(`UPDATE {user} SET c_steady = 'more than five', s_phone_land = 'stored' WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_phone_land: 'stored', c_steady: null });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      // Looks of ours before and after find the same, so only the next change of the user tells.
      await alter(b, 'MODIFY c_steady varchar(20) NULL');
      await a.set(email, 's_phone_land', 'again');
      await sync();
      expect(await b.row(email)).toMatchObject({ c_steady: 'more than five' });
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'columns that an upgrade adds to a group are no edit of it',
    async play(stage) {
      const { a, b, person, sync } = stage;
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      const old = a.flavour === '8' ? b : a;
      await alter(old, 'ADD COLUMN s_city_native varchar(60) NULL');
      await look(stage);
      await sync();
      await old.host.person.viewPage(email);
      await sync();
      const other = old === a ? b : a;
      const said = (await other.said()).filter(({ operation }) => operation === 'update');
      expect(said.flatMap(({ registers = [] }) => registers).filter((name) => name === 'address')).toEqual([]);
      await alter(old, 'DROP COLUMN s_city_native');
      await look(stage);
    },
  },
  {
    name: 'a user registered while the receiver had lost the table for descriptions is stored without',
    async play({ a, b, address, sync }) {
      const email = address();
      await b.sql('RENAME TABLE {user_description} TO oc_t_put_aside');
      await a.host.person.register({ email, name: 'Ana', info: { en_US: 'Hello' }, validation: false });
      await sync();
      await b.sql('RENAME TABLE oc_t_put_aside TO {user_description}');
      await (await b.site()).refresh();
      expect(await b.row(email)).toMatchObject({ s_name: 'Ana' });
    },
  },
];
