import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_COLUMNS, makeSelection, makeSendSelection, NEVER_TRAVELS } from '../../src/model/policy.ts';
import {
  descriptionRegister,
  hashValues,
  HASH_HEX,
  isEmpty,
  localeOf,
  registerOfColumn,
  type Value,
  type Values,
} from '../../src/model/register.ts';

const values: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => ({ hex: Buffer.from(bytes).toString('hex') })),
);
const registers: fc.Arbitrary<Values> = fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), values, {
  maxKeys: 5,
});

test('columns that belong together are one register, every other column is its own', () => {
  expect(['b_enabled', 'b_active'].map(registerOfColumn)).toEqual(['status', 'status']);
  expect(['fk_c_country_code', 's_city', 's_zip', 'd_coord_lat', 's_region_native'].map(registerOfColumn)).toEqual(
    Array.from({ length: 5 }, () => 'address'),
  );
  expect(registerOfColumn('s_password')).toBe('password');
  expect(['s_name', 's_email', 's_anything'].map(registerOfColumn)).toEqual(['s_name', 's_email', 's_anything']);
});

test('naming one column of a group selects the group', () => {
  const selects = makeSelection(['s_city', 'b_active'], []);
  expect(['address', 'status'].every(selects)).toBe(true);
  expect(['s_name', 'password', descriptionRegister('es_ES')].some(selects)).toBe(false);
});

test('the e-mail is sent whatever is listed, and accepted where it is listed', () => {
  for (const list of ['default', 'all', ['s_email']] as const) expect(makeSelection(list, [])('s_email')).toBe(true);
  for (const list of [[], ['s_name']]) {
    expect(makeSelection(list, [])('s_email')).toBe(false);
    expect(makeSendSelection(list, [])('s_email')).toBe(true);
  }
});

test('default and all stand for the columns, the custom ones and the descriptions; all adds the picture', () => {
  for (const list of ['default', 'all'] as const) {
    const selects = makeSelection(list, ['s_whatsapp']);
    expect([...DEFAULT_COLUMNS.map(registerOfColumn), 's_whatsapp', descriptionRegister('de_DE')].every(selects)).toBe(
      true,
    );
    expect(selects('s_profile_img')).toBe(list === 'all');
    expect(selects('s_other')).toBe(false);
  }
});

test('secrets and consents are exchanged only when listed by name', () => {
  for (const name of ['s_secret', 'i_gdpr_privacy', 'i_gdpr_marketing']) {
    expect(makeSelection('default', [])(name)).toBe(false);
    expect(makeSelection('all', [])(name)).toBe(false);
    expect(makeSelection([name], [])(name)).toBe(true);
  }
});

test('what never travels is not selected, even when it is listed', () => {
  const selects = makeSelection([...NEVER_TRAVELS, 's_name'], NEVER_TRAVELS);
  expect(NEVER_TRAVELS.filter((column) => selects(registerOfColumn(column)))).toEqual([]);
  expect(NEVER_TRAVELS).toEqual(
    expect.arrayContaining(['pk_i_id', 'i_items', 'i_comments', 'dt_access_date', 's_access_ip', 's_pass_code']),
  );
  expect(DEFAULT_COLUMNS.filter((column) => NEVER_TRAVELS.includes(column))).toEqual([]);
});

test('descriptions are listed together and merged apart', () => {
  const selects = makeSelection(['user_description'], []);
  expect(selects(descriptionRegister('es_ES'))).toBe(true);
  expect(localeOf(descriptionRegister('es_ES'))).toBe('es_ES');
  expect(localeOf('user_description')).toBeUndefined();
  expect(localeOf('s_name')).toBeUndefined();
});

test('a hash tells values apart, but not the order of columns, nor NULL from nothing', () => {
  fc.assert(
    fc.property(registers, registers, (a, b) => {
      const reversed = Object.fromEntries(Object.entries(a).toReversed());
      expect(hashValues(reversed)).toBe(hashValues(a));
      expect(hashValues(a)).toMatch(new RegExp(`^[0-9a-f]{${HASH_HEX}}$`));
      const filled = (one: Values): string =>
        JSON.stringify(
          Object.keys(one)
            .toSorted()
            .filter((column) => one[column] !== null)
            .map((column) => [column, one[column]]),
        );
      expect(hashValues(a) === hashValues(b)).toBe(filled(a) === filled(b));
      expect(isEmpty(a)).toBe(hashValues(a) === hashValues({}));
    }),
  );
});

test('no values are mistaken for others that look alike when written one after the other', () => {
  expect(hashValues({ a: 'x', b: 'y' })).not.toBe(hashValues({ a: 'xb\u0000T1:y' }));
  expect(hashValues({ a: '' })).not.toBe(hashValues({ a: null }));
  expect(hashValues({ a: '00' })).not.toBe(hashValues({ a: { hex: '00' } }));
  expect(hashValues({ a: 'é' })).not.toBe(hashValues({ a: 'e\u0301' }));
});
