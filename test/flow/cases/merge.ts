/** Who wins: registers, groups, stamps. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';

export const mergeCases: readonly Case[] = [
  {
    name: 'a password and a phone number, changed on two sites during a partition, both survive',
    async play({ a, b, person, sync, same }) {
      const email = await person();
      await a.host.person.changePassword(email);
      await b.set(email, 's_phone_mobile', '+34 600');
      const { s_password } = await a.row(email);
      await sync();
      await same(email);
      expect(await a.row(email)).toMatchObject({ s_password, s_phone_mobile: '+34 600' });
      expect([await a.codes(), await b.codes()]).toEqual([[], []]);
    },
  },
  {
    name: 'profiles edited on two sites, each something else, are no conflict though both moved dt_mod_date',
    async play({ a, b, person, sync, same, later }) {
      const email = await person();
      await a.host.person.editProfile(email, { phoneMobile: '+34 611' });
      await later();
      await b.host.person.editProfile(email, { website: 'https://ana.example.com' });
      await sync();
      await same(email);
      expect([await a.codes(), await b.codes()]).toEqual([[], []]);
    },
  },
  {
    name: 'of one register changed on two sites during a partition the later edit survives, and the other is in the log, masked',
    async play({ a, b, person, sync, same, later }) {
      const email = await person();
      await a.set(email, 's_name', 'Earlier name');
      await later();
      await b.set(email, 's_name', 'Later name');
      await sync();
      await same(email);
      expect(await a.row(email)).toMatchObject({ s_name: 'Later name' });
      const notes = [...(await a.said()), ...(await b.said())].flatMap((said) => said.notes ?? []);
      const conflicts = notes.filter((note) => note.code === 'CONFLICT' && note.register === 's_name');
      expect(conflicts.length).toBeGreaterThan(0);
      for (const { kept, lost } of conflicts) {
        expect({ kept, lost }).toEqual({ kept: { s_name: 'L*** (10)' }, lost: { s_name: 'E*** (12)' } });
      }
    },
  },
  {
    name: 'the later edit survives also if it was made on the other site, and reaches there last',
    async play({ a, b, person, sync, same, later }) {
      const email = await person();
      await b.set(email, 's_website', 'https://earlier.example');
      await later();
      await a.set(email, 's_website', 'https://later.example');
      await sync();
      await same(email);
      expect(await b.row(email)).toMatchObject({ s_website: 'https://later.example' });
    },
  },
  {
    name: 'a lost password is in the log without a trace of either hash',
    async play({ a, b, person, sync, later }) {
      const email = await person();
      await a.host.person.changePassword(email);
      await later();
      await b.host.person.changePassword(email);
      const hashes = [(await a.row(email))['s_password'], (await b.row(email))['s_password']].map(String);
      await sync();
      const text = JSON.stringify([await a.said(), await b.said()]);
      expect(text).toContain('CONFLICT');
      for (const hash of hashes) expect(text).not.toContain(hash.slice(7, 20));
    },
  },
  {
    name: 'the address moves as a whole: two edits of different parts of it do not mix',
    async play({ a, b, person, sync, later }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      await a.set(email, 's_zip', '28001');
      await later();
      await b.sql(
        `UPDATE {user} SET s_address = 'Calle Mayor 1', s_region = 'Cataluña', s_city = 'Girona',
        fk_i_region_id = NULL, fk_i_city_id = NULL WHERE s_email = ?`,
        [email],
      );
      await sync();
      expect(await a.row(email)).toMatchObject({ s_address: 'Calle Mayor 1', s_city: 'Girona', s_zip: '' });
      expect(await b.row(email)).toMatchObject({ s_address: 'Calle Mayor 1', s_city: 'Girona', s_zip: '' });
    },
  },
  {
    name: 'blocked and active are one register: a block beats an earlier validation as a whole',
    async play({ a, b, address, sync, same, later }) {
      const email = address();
      await a.host.person.register({ email, name: 'Ana' });
      await sync();
      await a.host.person.clickValidationLink(email);
      await later();
      await b.host.admin.block(email);
      await sync();
      await same(email);
      expect(await a.row(email)).toMatchObject({ b_enabled: 0, b_active: 0 });
    },
  },
  {
    name: 'descriptions in two languages are two registers: edits of both survive',
    async play({ a, b, person, sync, same }) {
      const email = await person({ info: { en_US: 'Hello', es_ES: 'Hola' } });
      await a.host.person.editProfile(email, { info: { en_US: 'Hello again' } });
      await b.host.person.editProfile(email, { info: { es_ES: 'Hola otra vez' } });
      await sync();
      await same(email);
      expect([await b.info(email, 'en_US'), await b.info(email, 'es_ES')]).toEqual(['Hello again', 'Hola otra vez']);
    },
  },
  {
    name: 'an edit back to the first value is an edit',
    async play({ a, b, person, sync, same, later }) {
      const email = await person({ phoneLand: '1' });
      await a.set(email, 's_phone_land', '2');
      await sync();
      await b.set(email, 's_phone_land', '1');
      await sync();
      await same(email);
      await later();
      expect(await a.row(email)).toMatchObject({ s_phone_land: '1' });
    },
  },
  {
    name: 'the same edit on both sites is no conflict',
    async play({ a, b, person, sync, same, later }) {
      const email = await person();
      await a.set(email, 's_website', 'https://same.example');
      await later();
      await b.set(email, 's_website', 'https://same.example');
      await sync();
      await same(email);
      expect([await a.codes(), await b.codes()]).toEqual([[], []]);
    },
  },
  {
    name: 'one edit after the other, each seen before, is no conflict',
    async play({ a, b, person, sync, same }) {
      const email = await person();
      await a.set(email, 's_name', 'First');
      await sync();
      await b.set(email, 's_name', 'Second');
      await sync();
      await a.set(email, 's_name', 'Third');
      await sync();
      await same(email);
      expect([await a.codes(), await b.codes()]).toEqual([[], []]);
    },
  },
  {
    name: 'many edits during a partition arrive as the last of them',
    async play({ a, b, person, sync, same }) {
      const email = await person();
      for (const name of ['One', 'Two', 'Three']) await a.set(email, 's_name', name);
      await sync();
      await same(email);
      expect((await b.said()).filter(({ registers = [] }) => registers.includes('s_name'))).toHaveLength(2);
      expect(await b.row(email)).toMatchObject({ s_name: 'Three' });
    },
  },
  {
    name: 'an applied change does not come back, and equal sites are silent',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.set(email, 's_name', 'Silent');
      await sync();
      const before = [(await a.said()).length, (await b.said()).length];
      await a.sql('UPDATE {user} SET s_name = s_name WHERE s_email = ?', [email]);
      await b.host.person.viewPage(email);
      await sync();
      expect([(await a.said()).length, (await b.said()).length]).toEqual(before);
    },
  },
  {
    name: 'counters, page views, password resets and login secrets stay where they are',
    async play({ a, b, person, sync }) {
      const email = await person();
      const before = await b.row(email);
      await a.host.person.viewPage(email, '10.0.0.1');
      await a.host.person.loginRemembered(email);
      await a.host.person.requestPasswordReset(email);
      await a.sql('UPDATE {user} SET i_items = 7, i_comments = 8 WHERE s_email = ?', [email]);
      await a.set(email, 's_phone_land', 'and this travels');
      await sync();
      expect(await b.row(email)).toEqual({ ...before, s_phone_land: 'and this travels' });
    },
  },
  {
    name: 'a blocked user cannot be unblocked by an earlier edit of the profile elsewhere',
    async play({ a, b, person, sync, same, later }) {
      const email = await person();
      await a.host.person.editProfile(email, { name: 'Edited meanwhile' });
      await later();
      await b.host.admin.block(email);
      await sync();
      await same(email);
      expect(await a.row(email)).toMatchObject({ b_enabled: 0, b_active: 1, s_name: 'Edited meanwhile' });
    },
  },
  {
    name: 'a change dated five minutes ahead is refused and waits with the sender; half a minute is let through',
    async play({ a, b, person, sync }) {
      const [far, near] = [await person(), await person()];
      const ahead = async (seconds: number, email: string): Promise<void> => {
        await a.sql('SET SESSION timestamp = UNIX_TIMESTAMP() + ?', [seconds]);
        await a.set(email, 's_website', 'https://ahead.example');
        await a.sql('SET SESSION timestamp = DEFAULT');
      };
      await ahead(300, far);
      await ahead(30, near);
      await sync();
      expect([(await b.row(far))['s_website'], (await b.row(near))['s_website']]).toEqual([
        '',
        'https://ahead.example',
      ]);
      expect(await b.codes()).toEqual(['CLOCK_SKEW']);
      const waiting = await a.sql(`SELECT code, state FROM oc_account_sync_outbox`);
      expect(waiting).toEqual([{ code: 'CLOCK_SKEW', state: 'w' }]);
      await a.sql('DELETE FROM oc_account_sync_outbox');
    },
  },
];
