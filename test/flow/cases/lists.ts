/** What never travels, and what travels only where both sites list it. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Stage, StageOptions } from './stage.ts';

const ACCEPTED = ['s_name', 's_phone_land', 's_secret', 'i_gdpr_tc', 's_zip', 'user_description'];

/** `alpha` names what it sends, `beta` names what it takes; the other way round all is as by default. */
export const listStage: StageOptions = {
  columns: { both: ['s_whatsapp varchar(20) NULL', 'i_gdpr_tc int NULL', 's_unlisted varchar(20) NULL'] },
  extra: { both: 'columns: { custom: [s_whatsapp] }' },
  peerExtra: {
    a: '    send_columns: [s_name, s_website, s_secret, i_gdpr_tc, s_zip, user_description, s_whatsapp]',
    b: `    columns: [${ACCEPTED.join(', ')}]`,
  },
};

/** Puts an edit of what `beta` accepts in force, as a reload of its config does. */
async function accept({ b }: Stage, columns: 'default' | readonly string[]): Promise<void> {
  const site = await b.site();
  const peers = site.config.peers.map((peer) => ({ ...peer, columns }));
  await site.reconfigure({ ...site.config, peers });
  await site.refresh();
}

/** On {@link listStage}: `beta` does not list `s_email`. */
const addressCases: readonly Case[] = [
  {
    name: 'a change of an address that is not listed is parked; the rest of the record is taken',
    async play({ a, b, address, person, sync }) {
      const email = await person();
      const other = address('moved');
      await a.host.person.changeEmail(email, other);
      await a.set(other, 's_name', 'Renamed');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_name: 'Renamed' });
      expect(await b.row(other)).toEqual({});
      expect(await b.parked()).toEqual(['NOT_ACCEPTED']);
      expect(await b.codes()).toContain('NOT_ACCEPTED');
      await a.set(other, 's_name', 'Again');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_name: 'Again' });
      expect(await b.parked()).toEqual(['NOT_ACCEPTED']);
    },
  },
  {
    name: 'listings, comments and alerts keep the address that the account keeps',
    async play({ a, b, address, person, sync }) {
      const email = await person();
      const item = await b.host.items.post(email);
      await a.host.person.changeEmail(email, address('moved'));
      await sync();
      const [row] = await b.sql('SELECT s_contact_email FROM {item} WHERE pk_i_id = ?', [item]);
      expect(row).toEqual({ s_contact_email: email });
    },
  },
  {
    name: 'an address that is changed back there waits for nobody any more',
    async play({ a, b, address, person, sync, later }) {
      const email = await person();
      const other = address('moved');
      await a.host.person.changeEmail(email, other);
      await sync();
      expect(await b.parked()).toEqual(['NOT_ACCEPTED']);
      await later();
      await a.host.person.changeEmail(other, email);
      await sync();
      expect(await b.parked()).toEqual([]);
      expect(await b.row(email)).toMatchObject({ s_name: 'Ana' });
    },
  },
  {
    name: 'an address that a person changes here as well waits for nobody any more',
    async play({ a, b, address, person, sync }) {
      const email = await person();
      const other = address('moved');
      await a.host.person.changeEmail(email, other);
      await sync();
      await b.host.person.changeEmail(email, other);
      await sync();
      expect(await b.parked()).toEqual([]);
      expect(await b.row(other)).toMatchObject({ s_name: 'Ana' });
    },
  },
  {
    name: 'another way to write the same address is no change of it',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.set(email, 's_email', email.toUpperCase());
      await a.set(email, 's_name', 'Renamed');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_email: email, s_name: 'Renamed' });
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'what waits goes through by itself once the address is listed, and is not tried before',
    async play(stage) {
      const { a, b, address, person, sync } = stage;
      const email = await person();
      const other = address('moved');
      await a.host.person.changeEmail(email, other);
      await sync();
      await b.sql(`UPDATE oc_account_sync_parked SET tried_at = '2000-01-01' WHERE code = 'NOT_ACCEPTED'`);
      expect((await (await b.site()).retryParked()).outcomes).toEqual([]);
      await accept(stage, 'default');
      await sync();
      await accept(stage, ACCEPTED);
      expect(await b.row(other)).toMatchObject({ s_name: 'Ana' });
      expect(await b.row(email)).toEqual({});
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'a value that waits beside such an address goes through as soon as it can be stored',
    async play({ a, b, address, person, sync }) {
      const email = await person();
      const other = address('moved');
      await b.sql('ALTER TABLE {user} MODIFY s_zip varchar(5) NULL');
      await (await b.site()).refresh();
      await a.host.person.changeEmail(email, other);
      await a.set(other, 's_zip', '28002-1234');
      await sync();
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      await b.sql('ALTER TABLE {user} MODIFY s_zip varchar(15) NULL');
      await (await b.site()).refresh();
      await sync();
      expect(await b.row(email)).toMatchObject({ s_zip: '28002-1234' });
      expect(await b.parked()).toEqual(['NOT_ACCEPTED']);
    },
  },
  {
    name: 'a feed that overwrites leaves an address that is not listed as well',
    async play({ a, b, address, person, sync }) {
      const email = await person();
      const other = address('moved');
      await a.host.person.changeEmail(email, other);
      await a.set(other, 's_name', 'Overwritten');
      await sync();
      const how = { restart: true, once: false, dryRun: false, overwrite: true };
      await (await b.site()).feed(a.name, how);
      expect(await b.row(email)).toMatchObject({ s_name: 'Overwritten' });
      expect(await b.row(other)).toEqual({});
    },
  },
  {
    name: 'who registers an address that was left there makes no second account here, and gets nothing of the first',
    async play({ a, b, address, person, sync, later }) {
      const email = await person();
      const other = address('moved');
      await a.host.person.changeEmail(email, other);
      await sync();
      await later();
      await a.host.person.register({ email, name: 'Newcomer', validation: false });
      await sync();
      expect(await b.row(email)).toMatchObject({ s_name: 'Ana' });
      expect(await b.sql('SELECT s_name FROM {user} WHERE s_email IN (?, ?)', [email, other])).toHaveLength(1);
      expect((await b.parked()).toSorted()).toEqual(['EMAIL_TAKEN', 'NOT_ACCEPTED']);
    },
  },
];

/** On {@link listStage}. */
export const listCases: readonly Case[] = [
  ...addressCases,
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
