import { describe, expect, test } from 'vitest';
import { readConfigPhp } from '../../src/osclass/config-php.ts';

const OSCLASS = `<?php

/**
 * The base MySQL settings of Osclass
 */
define('MULTISITE', 0);

/** MySQL database name for Osclass */
define('DB_NAME', 'osclass');

/** MySQL database username */
define('DB_USER', 'osc');

/** MySQL database password */
define('DB_PASSWORD', 'it\\'s "$ecret" \\\\ #1 // /* ?>');

/** MySQL hostname */
define('DB_HOST', 'localhost');

/** Database Table prefix */
define('DB_TABLE_PREFIX', 'osc_');

define('REL_WEB_URL', '/');

define('WEB_PATH', 'https://www.cars.example.com/');
`;

const minimal = (more = '', host = "'localhost'"): string =>
  `<?php define('DB_NAME','n'); define('DB_USER','u'); define('DB_PASSWORD',''); define('DB_HOST',${host}); ${more}`;

/** The config of a file that has all it needs. */
const configOf = (text: string) => {
  const read = readConfigPhp(text);
  if ('missing' in read) throw new Error(`missing: ${read.missing.join(', ')}`);
  return read.config;
};

test('the file that Osclass writes is read', () => {
  expect(configOf(OSCLASS)).toEqual({
    host: 'localhost',
    port: null,
    socketPath: null,
    user: 'osc',
    password: 'it\'s "$ecret" \\ #1 // /* ?>',
    name: 'osclass',
    tablePrefix: 'osc_',
    url: 'https://www.cars.example.com/',
  });
});

describe('people write', () => {
  test.each([
    ['any spacing', 'define  (\n\t"DB_TABLE_PREFIX"\n,\n"p_"\n)  ;', 'p_'],
    ['any case', "DeFiNe('DB_TABLE_PREFIX', 'p_');", 'p_'],
    ['the global namespace', "\\define('DB_TABLE_PREFIX', 'p_');", 'p_'],
    ['const', "const DB_TABLE_PREFIX = 'p_';", 'p_'],
    ['double quotes with escapes', 'define("DB_TABLE_PREFIX", "p\\x5f\\$");', 'p_$'],
    ['texts joined', "define('A', 'p'); define('DB_TABLE_PREFIX', A . '_' . 7);", 'p_7'],
    ['a definition only where there is none', "if (!defined('X')) { define('DB_TABLE_PREFIX', 'p_'); }", 'p_'],
    ['an old one in a # comment', "# define('DB_TABLE_PREFIX', 'old_');\ndefine('DB_TABLE_PREFIX', 'p_');", 'p_'],
    ['an old one in a // comment', "// define('DB_TABLE_PREFIX', 'old_');\ndefine('DB_TABLE_PREFIX', 'p_');", 'p_'],
    [
      'an old one in a block comment',
      "/* define('DB_TABLE_PREFIX', 'old_'); */ define('DB_TABLE_PREFIX', 'p_');",
      'p_',
    ],
    ['a comment between', "define(/* the prefix */ 'DB_TABLE_PREFIX', // here\n 'p_');", 'p_'],
    ['one in a text', "define('A', \"define('DB_TABLE_PREFIX', 'old_');\"); define('DB_TABLE_PREFIX', 'p_');", 'p_'],
    ['two: the first counts', "define('DB_TABLE_PREFIX', 'p_'); define('DB_TABLE_PREFIX', 'second_');", 'p_'],
    ['one in a function', "function f() { define('DB_TABLE_PREFIX', 'f_'); } define('DB_TABLE_PREFIX', 'p_');", 'p_'],
    ['what is no literal', "define('DB_TABLE_PREFIX', getenv('PREFIX'));", 'oc_'],
    ['a broken line further down', "define('DB_TABLE_PREFIX', 'p_'); define('X', ;", 'p_'],
    ['nothing of it', '', 'oc_'],
  ])('%s', (_what, more, prefix) => {
    expect(configOf(minimal(more)).tablePrefix).toBe(prefix);
  });
});

test.each([
  ['db.example.com', { host: 'db.example.com', port: null, socketPath: null }],
  ['db.example.com:3307', { host: 'db.example.com', port: 3307, socketPath: null }],
  ['localhost:/run/mysqld.sock', { host: 'localhost', port: null, socketPath: '/run/mysqld.sock' }],
  [':/run/mysqld.sock', { host: 'localhost', port: null, socketPath: '/run/mysqld.sock' }],
  ['[::1]:3307', { host: '::1', port: 3307, socketPath: null }],
  ['', { host: 'localhost', port: null, socketPath: null }],
])('the host %j', (host, expected) => {
  expect(configOf(minimal('', `'${host}'`))).toMatchObject(expected);
});

test.each([
  ['an empty file', '', ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME']],
  ['no PHP', 'define("DB_NAME", "x");', ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME']],
  [
    'a password from the environment',
    minimal().replace("'DB_PASSWORD',''", "'DB_PASSWORD', $_ENV['P']"),
    ['DB_PASSWORD'],
  ],
  ['binary rubbish', '<?php \u0000\u0001 \' " ((', ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME']],
])('what is missing is named: %s', (_what, text, missing) => {
  expect(readConfigPhp(text)).toEqual({ missing });
});
