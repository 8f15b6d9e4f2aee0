/** What else a removal may do: block the account, or nothing. */
import { expect } from 'vitest';
import { visible } from './removal.ts';
import type { Case } from './run-cases.ts';

/** `beta` keeps accounts that were removed elsewhere, blocked. */
export const disableCases: readonly Case[] = [
  {
    name: 'a removal blocks the account, hides its listings, and takes it out of the exchange',
    async play({ a, b, person, sync }) {
      const email = await person();
      const item = await b.host.items.post(email);
      await a.host.person.deleteAccount(email);
      await sync();
      expect(await b.row(email)).toMatchObject({ b_enabled: 0, s_name: 'Ana' });
      expect(await visible(b, [item])).toEqual([false]);
      expect(await b.host.recount()).toEqual([]);
      await b.set(email, 's_name', 'Edited after');
      await sync();
      expect(await a.row(email)).toEqual({});
    },
  },
  {
    name: 'who registers the address again takes the account up',
    async play({ a, b, person, sync, later }) {
      const email = await person();
      const id = await b.host.idOf(email);
      await a.host.person.deleteAccount(email);
      await sync();
      await later();
      await a.host.person.register({ email, name: 'Again', validation: false });
      await sync();
      expect(await b.row(email)).toMatchObject({ pk_i_id: id, s_name: 'Again', b_enabled: 1 });
      expect(await b.sql('SELECT 1 FROM {user} WHERE s_email = ?', [email])).toHaveLength(1);
    },
  },
];

/** `beta` ignores removals. */
export const ignoreCases: readonly Case[] = [
  {
    name: 'a removal leaves the account as it is, and out of the exchange',
    async play({ a, b, person, sync }) {
      const email = await person();
      const before = await b.row(email);
      await a.host.person.deleteAccount(email);
      await sync();
      expect(await b.row(email)).toEqual(before);
      await b.set(email, 's_name', 'Edited after');
      await sync();
      expect(await a.row(email)).toEqual({});
    },
  },
];
