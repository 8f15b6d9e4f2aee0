/** Descriptions, one for each language. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Side, StageOptions } from './stage.ts';

/** `beta` has no French. */
export const textStage: StageOptions = {
  hosts: { a: { locales: ['en_US', 'es_ES', 'fr_FR'] }, b: { locales: ['en_US', 'es_ES'] } },
};

const addFrench = async (side: Side): Promise<void> => {
  const [english] = await side.sql(`SELECT * FROM {locale} WHERE pk_c_code = 'en_US'`);
  await side.sql('INSERT INTO {locale} SET ?', [{ ...english, pk_c_code: 'fr_FR', s_name: 'fr', s_short_name: 'fr' }]);
};

/** On {@link textStage}. */
export const textCases: readonly Case[] = [
  {
    name: 'a description that is new, changed, emptied and deleted arrives as that',
    async play({ a, b, person, sync }) {
      const email = await person();
      const id = await a.host.idOf(email);
      await a.sql(`INSERT INTO {user_description} VALUES (?, 'es_ES', 'Hola')`, [id]);
      await sync();
      expect(await b.info(email, 'es_ES')).toBe('Hola');
      await a.sql(`UPDATE {user_description} SET s_info = 'Adiós' WHERE fk_i_user_id = ?`, [id]);
      await sync();
      expect(await b.info(email, 'es_ES')).toBe('Adiós');
      await a.sql(`UPDATE {user_description} SET s_info = '' WHERE fk_i_user_id = ?`, [id]);
      await sync();
      expect(await b.info(email, 'es_ES')).toBe('');
      await a.sql(`DELETE FROM {user_description} WHERE fk_i_user_id = ?`, [id]);
      await sync();
      expect(await b.info(email, 'es_ES')).toBeUndefined();
    },
  },
  {
    name: 'a deleted description stays away, until it is written again',
    async play({ a, b, person, sync }) {
      const email = await person({ info: { en_US: 'Hello' } });
      await b.sql('DELETE FROM {user_description} WHERE fk_i_user_id = ?', [await b.host.idOf(email)]);
      await sync();
      expect(await a.info(email, 'en_US')).toBeUndefined();
      await a.sql(`INSERT INTO {user_description} VALUES (?, 'en_US', 'Back')`, [await a.host.idOf(email)]);
      await sync();
      expect(await b.info(email, 'en_US')).toBe('Back');
    },
  },
  {
    name: 'a description deleted here and edited there: the later of both counts',
    async play({ a, b, person, sync, later }) {
      const email = await person({ info: { en_US: 'Hello' } });
      await a.sql('DELETE FROM {user_description} WHERE fk_i_user_id = ?', [await a.host.idOf(email)]);
      await later();
      await b.sql(`UPDATE {user_description} SET s_info = 'Edited' WHERE fk_i_user_id = ?`, [await b.host.idOf(email)]);
      await sync();
      expect([await a.info(email, 'en_US'), await b.info(email, 'en_US')]).toEqual(['Edited', 'Edited']);
    },
  },
  {
    name: 'a NULL description is as good as none',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.sql(`INSERT INTO {user_description} VALUES (?, 'en_US', NULL)`, [await a.host.idOf(email)]);
      await sync();
      expect((await b.info(email, 'en_US')) ?? null).toBeNull();
      expect(await a.info(email, 'en_US')).toBeNull();
    },
  },
  {
    name: 'a language that the receiver lacks waits, the rest is stored; once it has the language, it is there',
    async play({ a, b, person, sync }) {
      const email = await person({ name: 'Française', info: { en_US: 'Hello', fr_FR: 'Bonjour' } });
      expect(await b.info(email, 'en_US')).toBe('Hello');
      expect(await b.info(email, 'fr_FR')).toBeUndefined();
      expect(await b.codes()).toEqual(['LOCALE_UNKNOWN']);
      await addFrench(b);
      await (await b.site()).refresh();
      await sync();
      expect(await b.info(email, 'fr_FR')).toBe('Bonjour');
      expect(await b.parked()).toEqual([]);
      // As it was, for the next pair of cases.
      await b.sql('DELETE FROM {user_description} WHERE fk_i_user_id = ?', [await b.host.idOf(email)]);
      await b.sql(`DELETE FROM {locale} WHERE pk_c_code = 'fr_FR'`);
      await (await b.site()).refresh();
      await sync();
      expect(await a.info(email, 'fr_FR')).toBeUndefined();
    },
  },
  {
    name: 'a language that came while the receiver was stopped is found at its start',
    async play({ b, person, sync }) {
      const email = await person({ info: { en_US: 'Hello', fr_FR: 'Bonjour' } });
      await b.world.stop();
      await addFrench(b);
      await b.world.start();
      await sync();
      expect(await b.info(email, 'fr_FR')).toBe('Bonjour');
      expect(await b.parked()).toEqual([]);
      await b.sql(`DELETE FROM {user_description} WHERE fk_c_locale_code = 'fr_FR'`);
      await b.sql(`DELETE FROM {locale} WHERE pk_c_code = 'fr_FR'`);
      await (await b.site()).refresh();
      await sync();
    },
  },
  {
    name: 'an edit of the receiver leaves the language it lacks as it is',
    async play({ a, b, person, sync }) {
      const email = await person({ info: { en_US: 'Hello', fr_FR: 'Bonjour' } });
      await b.host.person.editProfile(email, { name: 'Edited there', info: { en_US: 'Hi' } });
      await sync();
      expect(await a.info(email, 'fr_FR')).toBe('Bonjour');
      expect(await a.info(email, 'en_US')).toBe('Hi');
    },
  },
];
