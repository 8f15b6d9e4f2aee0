/** What never travels, and what travels only where both sites list it. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { StageOptions } from './stage.ts';

/** `alpha` names what it sends, `beta` names what it takes; the other way round all is as by default. */
export const listStage: StageOptions = {
  columns: { both: ['s_whatsapp varchar(20) NULL', 'i_gdpr_tc int NULL', 's_unlisted varchar(20) NULL'] },
  extra: { both: 'columns: { custom: [s_whatsapp] }' },
  peerExtra: {
    a: '    send_columns: [s_name, s_website, s_secret, i_gdpr_tc, s_zip, user_description, s_whatsapp]',
    b: '    columns: [s_name, s_phone_land, s_secret, i_gdpr_tc, s_zip, user_description]',
  },
};

/** On {@link listStage}. */
export const listCases: readonly Case[] = [
  {
    name: 'a column that is not sent, and one that is not accepted, stay where they are',
    async play({ a, b, person, sync }) {
      const email = await person({ website: 'https://a.example' });
      await a.set(email, 's_phone_land', 'not sent');
      await a.set(email, 's_website', 'not accepted');
      await a.set(email, 's_whatsapp', 'not accepted');
      await a.set(email, 's_name', 'Both list it');
      await sync();
      expect(await b.row(email)).toMatchObject({
        s_name: 'Both list it',
        s_phone_land: null,
        s_website: null,
        s_whatsapp: null,
      });
    },
  },
  {
    name: 'a secret and a consent travel where they are listed by name',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.sql(`UPDATE {user} SET s_secret = 'shared', i_gdpr_tc = 3 WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_secret: 'shared', i_gdpr_tc: 3 });
    },
  },
  {
    name: 'a secret and a consent do not travel by default',
    async play({ a, b, person, sync }) {
      const email = await person({}, b);
      const { s_secret } = await a.row(email);
      await b.sql(`UPDATE {user} SET s_secret = 'private', i_gdpr_tc = 4, s_whatsapp = '4' WHERE s_email = ?`, [email]);
      await sync();
      expect(await a.row(email)).toMatchObject({ s_secret, i_gdpr_tc: null, s_whatsapp: '4' });
    },
  },
  {
    name: 'a column nobody lists does not travel, in no direction',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.set(email, 's_unlisted', 'a');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_unlisted: null });
      await b.set(email, 's_unlisted', 'b');
      await sync();
      expect(await a.row(email)).toMatchObject({ s_unlisted: 'a' });
    },
  },
  {
    name: 'one column of a group in a list stands for the group',
    async play({ a, b, person, sync }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      await a.sql(`UPDATE {user} SET s_address = 'Calle 2', s_zip = '28002' WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_address: 'Calle 2', s_zip: '28002', s_city: 'Madrid' });
    },
  },
  {
    name: 'an account whose password is not listed gets one that fits nobody, and a secret of its own',
    async play({ a, b, person }) {
      const email = await person();
      const [here, there] = [await a.row(email), await b.row(email)];
      expect(there['s_password']).not.toBe(here['s_password']);
      expect(there['s_password']).not.toMatch(/^(?:\$2|[0-9a-f]{40}$)/);
      expect(String(there['s_secret'])).not.toBe('');
    },
  },
  {
    name: 'an ignored value does not hold back an earlier one of the receiver',
    async play({ a, b, person, sync, later }) {
      const email = await person();
      await b.set(email, 's_website', 'https://b.example');
      await later();
      await a.set(email, 's_website', 'https://a.example');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_website: 'https://b.example' });
      await later();
      await b.set(email, 's_website', 'https://b2.example');
      await sync();
      expect(await a.row(email)).toMatchObject({ s_website: 'https://b2.example' });
    },
  },
  {
    name: 'ids, counters, page views, login failures and password resets never travel to a new account either',
    async play({ a, b, address, sync }) {
      const email = address();
      await a.host.person.register({ email, name: 'Ana', validation: false, ip: '10.1.1.1' });
      await a.sql('UPDATE {user} SET i_items = 5, i_comments = 6 WHERE s_email = ?', [email]);
      await a.host.person.requestPasswordReset(email);
      await sync();
      const [here, there] = [await a.row(email), await b.row(email)];
      expect(there).toMatchObject({ i_items: 0, i_comments: 0, s_pass_code: null, s_pass_date: null, s_pass_ip: null });
      expect(there['s_access_ip']).not.toBe(here['s_access_ip']);
      expect(there['dt_access_date']).not.toBe(here['dt_access_date']);
    },
  },
];

/** Everything: on a stage where both sides say `all`. */
export const allCases: readonly Case[] = [
  {
    name: '"all" sends the picture, but neither secrets nor consents',
    async play({ a, b, person, sync }) {
      const email = await person();
      const { s_secret } = await b.row(email);
      await a.sql(`UPDATE {user} SET s_profile_img = 'me.jpg', s_secret = 'mine', i_gdpr_tc = 1 WHERE s_email = ?`, [
        email,
      ]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_profile_img: 'me.jpg', s_secret, i_gdpr_tc: null });
    },
  },
];
