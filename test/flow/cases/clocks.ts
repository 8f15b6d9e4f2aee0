/** Clocks that were wrong and were set right. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Side, Stage } from './stage.ts';

const DAY_S = 86_400;

/** Does something while the clock of the database is a day ahead. */
const aDayAhead = async (side: Side, statement: string, params: unknown[]): Promise<void> => {
  await side.sql('SET SESSION timestamp = UNIX_TIMESTAMP() + ?', [DAY_S]);
  await side.sql(statement, params);
  await side.sql('SET SESSION timestamp = DEFAULT');
};

/** Both daemons take that for now. */
const setClocks = async ({ a, b }: Stage, aheadMs: number): Promise<void> => {
  for (const side of [a, b]) {
    await side.world.stop();
    await side.world.start({ clock: { nowMs: () => Date.now() + aheadMs } });
  }
};

export const clockCases: readonly Case[] = [
  {
    name: 'what was changed while the clock was a day ahead goes through when it is right again, as of now',
    async play({ a, b, person, sync, same, later }) {
      const email = await person();
      await aDayAhead(a, 'UPDATE {user} SET s_name = ? WHERE s_email = ?', ['Tomorrow', email]);
      await sync();
      expect((await b.row(email))['s_name']).toBe('Tomorrow');
      await later();
      await b.host.person.editProfile(email, { name: 'Today' });
      await sync();
      expect((await a.row(email))['s_name']).toBe('Today');
      await same(email);
      expect(await b.codes()).toEqual([]);
    },
  },
  {
    name: 'who was removed while the clock was a day ahead is gone when it is right again, and can come back at once',
    async play({ a, b, person, sync, same }) {
      const email = await person();
      const userId = await a.host.idOf(email);
      await a.sql('DELETE FROM {user_description} WHERE fk_i_user_id = ?', [userId]);
      await aDayAhead(a, 'DELETE FROM {user} WHERE s_email = ?', [email]);
      await sync();
      expect(await b.row(email)).toEqual({});
      await person({ email, name: 'Back' }, b);
      await sync();
      expect((await a.row(email))['s_name']).toBe('Back');
      await same(email);
    },
  },
  {
    name: 'two sites that were a day ahead together go on exchanging when both are right again',
    async play(stage) {
      const { a, b, person, sync, same, later } = stage;
      const email = await person();
      await setClocks(stage, DAY_S * 1000);
      await aDayAhead(a, 'UPDATE {user} SET s_name = ?, s_website = ? WHERE s_email = ?', ['Ahead', 'ahead', email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_name: 'Ahead', s_website: 'ahead' });
      await setClocks(stage, 0);
      await a.host.person.editProfile(email, { name: 'Right' });
      await sync();
      expect((await b.row(email))['s_name']).toBe('Right');
      await later();
      await b.host.person.editProfile(email, { name: 'Later' });
      await sync();
      expect((await a.row(email))['s_name']).toBe('Later');
      await same(email);
    },
  },
];
