/** Times of sites in different zones. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Row, StageOptions } from './stage.ts';

const COLUMNS = ['dt_seen datetime NULL', 'dt_exact datetime(6) NULL', 'd_day date NULL', 't_stamp timestamp NULL'];
const CUSTOM = 'columns: { custom: [dt_seen, dt_exact, d_day, t_stamp] }';

/** Berlin and New York. */
export const zoneStage: StageOptions = {
  hosts: { a: { timezone: 'Europe/Berlin' }, b: { timezone: 'America/New_York' } },
  columns: { both: COLUMNS },
  extra: { both: CUSTOM },
};

/** `beta` states no zone that exists. */
export const zonelessStage: StageOptions = {
  ...zoneStage,
  hosts: { a: { timezone: 'Europe/Berlin' } },
  setUp: { b: [`UPDATE {preference} SET s_value = 'Nowhere/Land' WHERE s_name = 'timezone'`] },
};

type Pair = readonly [atA: string, atB: string];

const timed = (title: string, column: string, [here, there]: Pair): Case => ({
  name: title,
  async play({ a, b, person, sync }) {
    const email = await person();
    await a.set(email, column, here);
    await sync();
    expect((await b.row(email))[column]).toBe(there);
    // And nothing of it comes back.
    await b.set(email, 's_phone_land', '1');
    await sync();
    expect((await a.row(email))[column]).toBe(here);
    expect((await a.said()).flatMap(({ registers = [] }) => registers)).not.toContain(column);
  },
});

/** On {@link zoneStage}. */
export const zoneCases: readonly Case[] = [
  timed('a winter time is the same instant there', 'dt_seen', ['2024-01-10 12:00:00', '2024-01-10 06:00:00']),
  timed('a summer time is the same instant there', 'dt_seen', ['2024-07-10 02:30:00', '2024-07-09 20:30:00']),
  timed('between the changes of both zones an hour less lies between them', 'dt_seen', [
    '2024-03-20 12:00:00',
    '2024-03-20 07:00:00',
  ]),
  timed('fractions of a second stay', 'dt_exact', ['2024-01-10 12:00:00.123456', '2024-01-10 06:00:00.123456']),
  timed('a zero date stays a zero date', 'dt_seen', ['0000-00-00 00:00:00', '0000-00-00 00:00:00']),
  timed('the year 1000, which means never, is not moved', 'dt_seen', ['1000-01-01 00:00:00', '1000-01-01 00:00:00']),
  timed('the end of 9999, which means for ever, is not moved', 'dt_seen', [
    '9999-12-31 23:59:59',
    '9999-12-31 23:59:59',
  ]),
  timed('a TIMESTAMP is the same instant everywhere as it stands', 't_stamp', [
    '2024-01-10 12:00:00',
    '2024-01-10 12:00:00',
  ]),
  timed('a date without time is not moved', 'd_day', ['2024-01-10', '2024-01-10']),
  {
    name: 'the registration date is the same instant on both sites, and a round trip changes nothing',
    async play({ a, b, person, sync, same }) {
      const email = await person();
      await same(email);
      const [here, there] = [await a.row(email), await b.row(email)];
      expect(here['dt_reg_date']).not.toBe(there['dt_reg_date']);
      await b.host.person.editProfile(email, { name: 'Edited' });
      await sync();
      await same(email);
      expect((await a.row(email))['dt_reg_date']).toBe(here['dt_reg_date']);
    },
  },
];

/** On {@link zonelessStage}. */
export const zonelessCases: readonly Case[] = [
  timed('where one site states no zone, times travel as they are', 'dt_seen', [
    '2024-01-10 12:00:00',
    '2024-01-10 12:00:00',
  ]),
  {
    name: 'also the other way round, and at an edit that comes back',
    async play({ a, b, person, sync }) {
      const email = await person({}, b);
      const row = (rows: Row): unknown => rows['dt_reg_date'];
      expect(row(await a.row(email))).toBe(row(await b.row(email)));
      await b.set(email, 'dt_seen', '2024-07-01 08:00:00');
      await sync();
      expect((await a.row(email))['dt_seen']).toBe('2024-07-01 08:00:00');
    },
  },
];
