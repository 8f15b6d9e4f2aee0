/** Values that one site can hold and the other cannot. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Stage, StageOptions } from './stage.ts';

const CUSTOM = [
  'c_text',
  'c_number',
  'c_decimal',
  'c_required',
  'c_generated',
  'c_only',
  'c_enum',
  'c_set',
  'c_bit',
  'c_json',
  'c_bytes',
  'c_time',
  'c_day',
  'c_checked',
  'c_latin',
  'c_kind',
  'c_unsigned',
];

/** `alpha` is roomy, `beta` is narrow. */
export const narrowStage: StageOptions = {
  extra: { both: `columns: { custom: [${CUSTOM.join(', ')}] }` },
  columns: {
    a: [
      'c_text varchar(200) CHARACTER SET utf8mb4 NULL',
      'c_number int NULL',
      'c_decimal decimal(20,10) NULL',
      `c_required varchar(20) NULL DEFAULT 'ours'`,
      'c_generated varchar(20) NULL',
      'c_only varchar(20) NULL',
      `c_enum enum('One','Two','Three') NULL`,
      `c_set set('One','Two','Three') NULL`,
      'c_bit bit(16) NULL',
      'c_json varchar(50) NULL',
      'c_bytes varbinary(50) NULL',
      'c_time varchar(20) NULL',
      'c_day varchar(20) NULL',
      'c_checked int NULL',
      'c_latin varchar(20) CHARACTER SET utf8mb4 NULL',
      'c_kind varbinary(20) NULL',
      'c_unsigned int NULL',
    ],
    b: [
      'c_text varchar(10) CHARACTER SET utf8 NULL',
      'c_number tinyint NULL',
      'c_decimal decimal(6,2) NULL',
      `c_required varchar(20) NOT NULL DEFAULT 'theirs'`,
      `c_generated varchar(20) AS (LEFT(s_name, 3))`,
      `c_enum enum('One','Two') NULL`,
      `c_set set('One','Two') NULL`,
      'c_bit bit(4) NULL',
      'c_json json NULL',
      'c_bytes varbinary(4) NULL',
      'c_time time NULL',
      'c_day date NULL',
      'c_checked int NULL CHECK (c_checked < 10)',
      'c_latin varchar(20) CHARACTER SET latin1 NULL',
      'c_kind varchar(20) NULL',
      'c_unsigned int unsigned NULL',
    ],
  },
};

/** Parked with the rest of the user stored; a value that fits goes through and nothing waits any more. */
const unstorable = (what: string, column: string, value: unknown, fitting: unknown, shown = fitting): Case => ({
  name: `${what}: parked and reported, the rest stored, and a value that fits goes through`,
  async play({ a, b, person, sync }) {
    const email = await person();
    const before = (await b.row(email))[column];
    await a.sql('UPDATE {user} SET ?? = ?, s_phone_land = ? WHERE s_email = ?', [column, value, 'stored', email]);
    await sync();
    const there = await b.row(email);
    expect({ phone: there['s_phone_land'], value: there[column] }).toEqual({ phone: 'stored', value: before });
    expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
    const notes = (await b.said()).flatMap((said) => said.notes ?? []);
    expect(notes).toContainEqual(expect.objectContaining({ code: 'VALUE_UNSTORABLE', register: column }));
    if (typeof value === 'string' && value.length > 4) expect(JSON.stringify(notes)).not.toContain(value);
    await a.set(email, column, fitting);
    await sync();
    expect((await b.row(email))[column]).toEqual(shown);
    expect(await b.parked()).toEqual([]);
  },
});

/** Waits until the table of `beta` is changed, and goes through by itself. */
const untilAltered = (what: string, column: string, value: unknown, alter: string, back: string): Case => ({
  name: `${what} goes through by itself once the column can hold it`,
  async play({ a, b, person, sync }) {
    const email = await person();
    await a.set(email, column, value);
    await sync();
    expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
    await b.sql(`ALTER TABLE {user} ${alter}`);
    await (await b.site()).refresh();
    await sync();
    expect((await b.row(email))[column]).toEqual(value);
    expect(await b.parked()).toEqual([]);
    await a.set(email, column, null);
    await sync();
    await b.sql(`ALTER TABLE {user} ${back}`);
    await (await b.site()).refresh();
    await sync();
    expect((await a.row(email))[column]).toBeNull();
  },
});

const stored = (what: string, column: string, value: unknown, shown: unknown, codes: readonly string[] = []): Case => ({
  name: what,
  async play({ a, b, person, sync }) {
    const email = await person();
    await a.set(email, column, value);
    await sync();
    expect((await b.row(email))[column]).toEqual(shown);
    expect(await b.codes()).toEqual(codes);
    // What is stored in another form does not come back as an edit.
    await b.set(email, 's_phone_land', '9');
    await sync();
    expect((await a.row(email))[column]).toEqual(value);
  },
});

const EMOJI = 'Ana 😀 Banana';

/** On {@link narrowStage}, with a `beta` of 3-byte text. */
export const valueCases: readonly Case[] = [
  unstorable('an emoji where text has three bytes', 's_name', EMOJI, 'Ana'),
  unstorable('a text that is too long', 'c_text', 'more than ten letters', 'ten'),
  unstorable('an emoji in a column of a plugin', 'c_text', 'a 😀', 'a'),
  unstorable('a number that is too large', 'c_number', 128, 127),
  unstorable('a negative number where none fits', 'c_unsigned', -1, 1),
  unstorable(
    'a decimal with too many digits before the point',
    'c_decimal',
    '12345.1000000000',
    '1234.5000000000',
    '1234.50',
  ),
  unstorable('a word an enumeration does not have', 'c_enum', 'Three', 'Two'),
  unstorable('a word a set does not have', 'c_set', 'One,Three', 'One,Two'),
  unstorable(
    'too many bits',
    'c_bit',
    Buffer.from('0100', 'hex'),
    Buffer.from('000f', 'hex'),
    Buffer.from('0f', 'hex'),
  ),
  unstorable('text that is no JSON', 'c_json', '{"a": ', '[1]'),
  unstorable('too many bytes', 'c_bytes', Buffer.from('0102030405', 'hex'), Buffer.from('01', 'hex')),
  unstorable('a time that is none', 'c_time', '900:61:61', '10:00:00'),
  unstorable('a date that is none', 'c_day', '2024-02-30', '2024-02-29'),
  unstorable('a number that a check of the site refuses', 'c_checked', 10, 9),
  unstorable('letters the character set lacks', 'c_latin', 'Ελλάδα', 'Grecia'),
  unstorable('bytes where text is', 'c_kind', Buffer.from('00ff', 'hex'), null),
  {
    name: 'NULL where a value must be is parked, and the value there is kept',
    async play({ a, b, person, sync }) {
      const email = await person();
      expect(await b.row(email)).toMatchObject({ c_required: 'ours' });
      await a.sql(`UPDATE {user} SET c_required = NULL, s_phone_land = 'stored' WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ c_required: 'ours', s_phone_land: 'stored' });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
    },
  },
  {
    name: 'a column that only the sender has is parked and reported; without a value there is nothing to say',
    async play({ a, b, person, sync }) {
      const email = await person();
      expect(await b.codes()).toEqual([]);
      await a.sql(`UPDATE {user} SET c_only = 'alone', s_phone_land = 'stored' WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ s_phone_land: 'stored' });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      await b.sql('ALTER TABLE {user} ADD COLUMN c_only varchar(20) NULL');
      await (await b.site()).refresh();
      await sync();
      expect(await b.row(email)).toMatchObject({ c_only: 'alone' });
      expect(await b.parked()).toEqual([]);
      await b.sql('ALTER TABLE {user} DROP COLUMN c_only');
      await (await b.site()).refresh();
      await sync();
      expect(await a.row(email)).toMatchObject({ c_only: 'alone' });
    },
  },
  {
    name: 'a column that the receiver generates is not written',
    async play({ a, b, person, sync }) {
      const email = await person({ name: 'Anabel' });
      await a.sql(`UPDATE {user} SET c_generated = 'x', s_phone_land = 'stored' WHERE s_email = ?`, [email]);
      await sync();
      expect(await b.row(email)).toMatchObject({ c_generated: 'Ana', s_phone_land: 'stored' });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
    },
  },
  untilAltered(
    'a text that is too long',
    'c_text',
    'much longer 😀',
    'MODIFY c_text varchar(100) CHARACTER SET utf8mb4 NULL',
    'MODIFY c_text varchar(10) CHARACTER SET utf8 NULL',
  ),
  untilAltered(
    'a word of an enumeration',
    'c_enum',
    'Three',
    `MODIFY c_enum enum('One','Two','Three') NULL`,
    `MODIFY c_enum enum('One','Two') NULL`,
  ),
  untilAltered('a large number', 'c_number', 4711, 'MODIFY c_number int NULL', 'MODIFY c_number tinyint NULL'),
  stored('a decimal keeps what the narrower scale can hold, and it is said', 'c_decimal', '12.3456789012', '12.35', [
    'VALUE_ALTERED',
  ]),
  stored('zeros at the end of a decimal are no difference', 'c_decimal', '12.5000000000', '12.50'),
  stored('bits fill up with zeros', 'c_bit', Buffer.from('0003', 'hex'), Buffer.from('03', 'hex')),
  stored('JSON is text that means the same', 'c_json', '[1, 2]', '[1, 2]'),
  stored('text becomes a time', 'c_time', '10:11:12', '10:11:12'),
  stored('accents fit into latin1', 'c_latin', 'Ñandú', 'Ñandú'),
  {
    name: 'an emoji in a description is parked, the account and the other description stored',
    async play({ a, b, address, sync }) {
      const email = address();
      await a.host.person.register({ email, name: 'Ana', validation: false });
      const id = await a.host.idOf(email);
      await a.sql(`INSERT INTO {user_description} VALUES (?, 'en_US', 'Hi 😀'), (?, 'es_ES', 'Hola')`, [id, id]);
      await sync();
      expect([await b.info(email, 'en_US'), await b.info(email, 'es_ES')]).toEqual([undefined, 'Hola']);
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      await a.sql(`UPDATE {user_description} SET s_info = 'Hi' WHERE fk_i_user_id = ?`, [id]);
      await sync();
      expect([await b.info(email, 'en_US'), await b.info(email, 'es_ES')]).toEqual(['Hi', 'Hi']);
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'a new account with a name that cannot be stored comes into being without it',
    async play({ a, b, address, sync }) {
      const email = address();
      await a.host.person.register({ email, name: EMOJI, phoneLand: '1', validation: false });
      await sync();
      expect(await b.row(email)).toMatchObject({ s_phone_land: '1', b_active: 1 });
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      // Nothing of that comes back to where the name is whole.
      await b.set(email, 's_phone_land', '2');
      await sync();
      expect(await a.row(email)).toMatchObject({ s_name: EMOJI, s_phone_land: '2' });
      await a.set(email, 's_name', 'Ana');
      await sync();
      expect(await b.row(email)).toMatchObject({ s_name: 'Ana' });
    },
  },
  {
    name: 'an edit there replaces what could not be stored',
    async play({ a, b, person, sync, later }) {
      const email = await person();
      await a.set(email, 'c_text', 'more than ten letters');
      await sync();
      await later();
      await b.set(email, 'c_text', 'theirs');
      await sync();
      expect([(await a.row(email))['c_text'], (await b.row(email))['c_text']]).toEqual(['theirs', 'theirs']);
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'one user that cannot be stored holds up no other of the same delivery',
    async play({ a, b, person, sync }) {
      const [bad, good] = [await person(), await person()];
      await a.set(bad, 'c_checked', 99);
      await a.set(good, 'c_checked', 3);
      await sync();
      expect([(await b.row(bad))['c_checked'], (await b.row(good))['c_checked']]).toEqual([null, 3]);
    },
  },
  {
    name: 'native names of places are kept where the peer has no column for them, and go with the place',
    async play({ a, b, person, sync }: Stage) {
      const email = await person({ country: 'ES', region: 'Cataluña', city: 'Girona' });
      expect(await a.row(email)).toMatchObject({ s_country_native: 'España', s_region_native: 'Catalunya' });
      await b.set(email, 's_zip', '17001');
      await sync();
      expect(await a.row(email)).toMatchObject({ s_zip: '17001', s_region_native: 'Catalunya' });
      await b.host.person.editProfile(email, { region: 'Madrid', city: 'Madrid' });
      await sync();
      expect(await a.row(email)).toMatchObject({ s_country_native: 'España', s_region_native: null });
    },
  },
  {
    name: 'coordinates of ten decimals come through a site of six unharmed',
    async play({ a, b, person, sync }) {
      const email = await person({ latitude: '37.3890924123', longitude: '-5.9844589000' });
      expect(await b.row(email)).toMatchObject({ d_coord_lat: '37.389092', d_coord_long: '-5.984459' });
      await b.host.person.editProfile(email, { name: 'Edited', latitude: '37.389092' });
      await b.host.person.changePassword(email);
      await sync();
      expect(await a.row(email)).toMatchObject({
        s_name: 'Edited',
        d_coord_lat: '37.3890924123',
        d_coord_long: '-5.9844589000',
      });
    },
  },
  {
    name: 'a value that a trigger of the site refuses costs that register only, and goes through without the trigger',
    async play({ a, b, person, sync, same }) {
      const email = await person();
      await b.sql(`CREATE TRIGGER refuses BEFORE UPDATE ON {user} FOR EACH ROW
        BEGIN IF NEW.s_website = 'refused' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not here'; END IF; END`);
      await a.sql("UPDATE {user} SET s_website = 'refused', s_phone_land = 'stored' WHERE s_email = ?", [email]);
      await sync();
      expect((await b.row(email))['s_phone_land']).toBe('stored');
      expect((await b.row(email))['s_website']).not.toBe('refused');
      expect(await b.parked()).toEqual(['VALUE_UNSTORABLE']);
      await b.sql('DROP TRIGGER refuses');
      await b.sql("UPDATE oc_account_sync_parked SET tried_at = '1970-01-01'");
      await sync();
      await same(email);
      expect(await b.parked()).toEqual([]);
    },
  },
];
