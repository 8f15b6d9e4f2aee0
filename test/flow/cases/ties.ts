/** Old sites that meet: no edit is known, so dates, priority and names decide. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Side, StageOptions } from './stage.ts';

const old = (email: string, name: string, modified: string): string =>
  `INSERT INTO {user} (dt_reg_date, dt_mod_date, s_name, s_username, s_password, s_email, b_active)
   VALUES ('2015-01-01 00:00:00', ${modified}, '${name}', '${email}', '${hashOf(name)}', '${email}', 1)`;
const hashOf = (password: string): string => `$2y$10$${password.padEnd(53, 'x')}`;
const JUNE = `'2020-06-01 12:00:00'`;

const USERS: readonly (readonly [name: string, atA: string, atB: string])[] = [
  ['tie', JUNE, JUNE],
  ['later', `'2021-06-01 12:00:00'`, JUNE],
  ['earlier', `'2019-06-01 12:00:00'`, JUNE],
  ['never', 'NULL', JUNE],
  ['sentinel', `'0000-00-00 00:00:00'`, JUNE],
  ['future', `'2999-01-01 00:00:00'`, JUNE],
];

/** Users that both sites had before their daemons started. */
export const tieStage: StageOptions = {
  setUp: {
    a: USERS.map(([name, modified]) => old(`${name}@old.example`, 'Alpha', modified)),
    b: USERS.map(([name, , modified]) => old(`${name}@old.example`, 'Beta', modified)),
  },
};

const name = async (side: Side, user: string): Promise<unknown> => (await side.row(`${user}@old.example`))['s_name'];

/** On {@link tieStage}; `winner` is who wins where the dates are the same. */
export const tieCases = (winner: 'Alpha' | 'Beta'): readonly Case[] => {
  const cases: readonly [user: string, winner: 'Alpha' | 'Beta', why: string][] = [
    ['tie', winner, 'of equal dates the smaller priority wins, then the smaller name'],
    ['later', 'Alpha', 'the site where the profile was edited last wins'],
    ['earlier', 'Beta', 'the site where the profile was edited first loses'],
    ['never', 'Beta', 'where it was never edited, its registration counts'],
    ['sentinel', 'Beta', 'a zero date is no date'],
    ['future', 'Beta', 'a date in the future is no date'],
  ];
  return cases.map(([user, wins, why]) => ({
    name: why,
    async play({ a, b, feed, sync, same }) {
      await feed(a);
      await feed(b);
      await sync();
      expect([await name(a, user), await name(b, user)]).toEqual([wins, wins]);
      expect((await a.row(`${user}@old.example`))['s_password']).toBe(hashOf(wins));
      if (user !== 'sentinel' && user !== 'future') await same(`${user}@old.example`);
      expect([await a.codes(), await b.codes()].flat()).not.toContain('CONFLICT');
    },
  }));
};
