/** What may stand in the tables of an old site: rows that Osclass would not write today, and that nobody may lose. */

/** What is to be said of it, and the statements that put it there. Checks of modes and foreign keys are off. */
export type BadRow = readonly [string, ...string[]];

const user = (email: string, columns: Readonly<Record<string, string>> = {}): string => {
  const all = {
    dt_reg_date: 'NOW()',
    s_name: `'Bad'`,
    s_username: `'${email.slice(0, 40)}'`,
    s_password: `LEFT(SHA2('x', 256), 40)`,
    ...columns,
  };
  return `INSERT INTO {user} (${Object.keys(all).join(', ')}, s_email, b_active)
    VALUES (${Object.values(all).join(', ')}, '${email}', 1)`;
};
const idOf = (email: string): string => `(SELECT pk_i_id FROM {user} WHERE s_email = '${email}')`;

/** All of them, each with users of its own. */
export const BAD_ROWS: readonly BadRow[] = [
  ['a day of registration that is zero', user('zero-reg@example.com', { dt_reg_date: `'0000-00-00 00:00:00'` })],
  ['a day of the last edit that is zero', user('zero-mod@example.com', { dt_mod_date: `'0000-00-00 00:00:00'` })],
  ['a day without month', user('half@example.com', { dt_mod_date: `'2020-00-00 00:00:00'` })],
  [
    'the thirtieth of February',
    `SET SESSION sql_mode = 'ALLOW_INVALID_DATES'`,
    user('feb@example.com', { dt_mod_date: `'2020-02-30 00:00:00'` }),
  ],
  ['a day in the year 9999', user('late@example.com', { dt_mod_date: `'9999-12-31 23:59:59'` })],
  ['a day in the year 1', user('early@example.com', { dt_reg_date: `'0001-01-01 00:00:00'` })],
  ['no name', user('noname@example.com', { s_name: `''`, s_username: `''` })],
  ['no address', user('')],
  ['an address that is none', user('nobody')],
  ['blanks around the address', user(' blanks@example.com ')],
  ['an address with accents, in capitals', user('JOSÉ@EXAMPLE.COM')],
  ['quotes in the address', user(`o\\'hara"x@example.com`)],
  ['a wild card as address', user('%')],
  ['no password', user('nopass@example.com', { s_password: `''` })],
  [
    'a password of an old version',
    user('sha1@example.com', { s_password: `'da39a3ee5e6b4b0d3255bfef95601890afd80709'` }),
  ],
  [
    'control characters',
    user('control@example.com', { s_name: `CONCAT('a', CHAR(0), 'b', CHAR(1), CHAR(10), CHAR(27), '[31m')` }),
  ],
  ['an emoji that became question marks', user('emoji@example.com', { s_name: `'😀 smile'` })],
  ['SQL', user('sql@example.com', { s_name: `'\\'; DROP TABLE oc_t_user; -- '` })],
  ['HTML', user('html@example.com', { s_name: `'<script>alert(1)</script>&amp;'` })],
  ['a status beyond yes and no', user('status@example.com', { b_enabled: '7' })],
  ['coordinates of no place', user('place@example.com', { d_coord_lat: '9999.999999', d_coord_long: '-9999.999999' })],
  ['as many listings as can be counted', user('items@example.com', { i_items: '4294967295' })],
  ['a country nobody knows', user('country@example.com', { fk_c_country_code: `'ZZ'` })],
  ['a region nobody knows', user('region@example.com', { fk_i_region_id: '4000000000' })],
  [
    'one user name twice',
    user('same1@example.com', { s_username: `'same'` }),
    user('same2@example.com', { s_username: `'same'` }),
  ],
  ["another user's id as user name", user('digits@example.com', { s_username: `'1'` })],
  ['an id beyond four thousand million', user('largest@example.com', { pk_i_id: '4000000000' })],
  ['a description of nobody', `INSERT INTO {user_description} VALUES (77777, 'en_US', 'Orphan')`],
  [
    'a description in a language nobody has',
    user('lang@example.com'),
    `INSERT INTO {user_description} SELECT ${idOf('lang@example.com')}, 'xx_XX', 'Hm'`,
  ],
  [
    'the largest description',
    user('large@example.com'),
    `INSERT INTO {user_description} SELECT ${idOf('large@example.com')}, 'en_US', REPEAT('x', 65535)`,
  ],
  [
    'bytes of UTF-8 in a column of Latin-1',
    'ALTER TABLE {user} MODIFY s_website VARCHAR(100) CHARACTER SET latin1 NULL',
    user('latin@example.com', { s_website: `_latin1 x'C3A9FF80'` }),
  ],
  [
    'two addresses that differ by case only',
    'ALTER TABLE {user} MODIFY s_email VARCHAR(100) CHARACTER SET utf8 COLLATE utf8_bin NOT NULL',
    user('twice@example.com'),
    user('TWICE@example.com', { s_username: `'twice2'` }),
  ],
  [
    'an address that is NULL',
    'ALTER TABLE {user} MODIFY s_email VARCHAR(100) CHARACTER SET utf8 COLLATE utf8_bin NULL',
    user('null@example.com'),
    `UPDATE {user} SET s_email = NULL WHERE s_email = 'null@example.com'`,
  ],
];
