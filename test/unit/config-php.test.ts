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
  if (!('config' in read)) throw new Error(JSON.stringify(read));
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
  ['p:db.example.com', { host: 'db.example.com', port: null, socketPath: null }],
  ['p:localhost', { host: 'localhost', port: null, socketPath: null }],
  ['P:db.example.com:3307', { host: 'db.example.com', port: 3307, socketPath: null }],
  ['p:localhost:/run/mysqld.sock', { host: 'localhost', port: null, socketPath: '/run/mysqld.sock' }],
  ['p::/run/mysqld.sock', { host: 'localhost', port: null, socketPath: '/run/mysqld.sock' }],
  ['localhost:3306:/run/mysqld.sock', { host: 'localhost', port: 3306, socketPath: '/run/mysqld.sock' }],
  ['unix:/run/mysqld.sock', { host: 'localhost', port: null, socketPath: '/run/mysqld.sock' }],
  ['/run/mysqld.sock', { host: 'localhost', port: null, socketPath: '/run/mysqld.sock' }],
  [' LOCALHOST ', { host: 'localhost', port: null, socketPath: null }],
  ['2001:db8::7', { host: '2001:db8::7', port: null, socketPath: null }],
  ['p:[2001:db8::7]:3307', { host: '2001:db8::7', port: 3307, socketPath: null }],
  ['192.0.2.7:3307', { host: '192.0.2.7', port: 3307, socketPath: null }],
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

describe('values that depend on what only PHP knows', () => {
  const LIVE =
    "define('DB_NAME','live'); define('DB_USER','l'); define('DB_PASSWORD','lp'); define('DB_HOST','localhost');";
  const TEST = "define('DB_NAME','test'); define('DB_USER','t'); define('DB_PASSWORD','tp'); define('DB_HOST','p:db');";
  const branchesOf = (text: string) => {
    const read = readConfigPhp(text);
    return 'branches' in read ? read.branches : read;
  };
  const sets = [
    { line: 3, values: { DB_NAME: 'live', DB_USER: 'l', DB_HOST: 'localhost' } },
    { line: 6, values: { DB_NAME: 'test', DB_USER: 't', DB_HOST: 'p:db' } },
  ];

  test.each([
    ['if and else', `<?php\nif ($_SERVER['SERVER_NAME'] === 'www') {\n${LIVE}\n} else\n{\n${TEST}\n}`],
    ['if and elseif', `<?php\nif ($a) {\n${LIVE}\n}\nelseif ($b) {\n${TEST}\n}`],
    ['if and else without braces', `<?php\nif ($a):\n${LIVE}\n\nelse:\n${TEST}\nendif;`],
    ['cases of a switch', `<?php\nswitch (gethostname()) { case 'a':\n${LIVE} break;\n\ndefault:\n${TEST} }`],
    ['one condition, and what holds otherwise', `<?php\nif (file_exists('x')) {\n${LIVE}\n}\n\n${TEST}`],
    ['two conditions', `<?php\nif ($a) {\n${LIVE}\n}\nif ($b) {\n${TEST}\n}`],
  ])('are not chosen from: %s', (_what, text) => {
    expect(branchesOf(text)).toEqual(sets);
    expect(JSON.stringify(branchesOf(text))).not.toMatch(/"[lt]p"/);
    for (const [line, name, password] of [
      [3, 'live', 'lp'],
      [6, 'test', 'tp'],
    ] as const) {
      expect(readConfigPhp(text, line)).toMatchObject({ config: { name, password } });
    }
  });

  test('that differ in one value only are told apart too, and a password is not shown', () => {
    const text = minimal("if ($a) { define('WEB_PATH', 'https://a.example.com/'); }\nelse { define('WEB_PATH', X); }");
    expect(branchesOf(text)).toEqual([
      { line: 1, values: { WEB_PATH: 'https://a.example.com/' } },
      { line: 2, values: { WEB_PATH: null } },
    ]);
    const secret = minimal().replace(
      "define('DB_PASSWORD','')",
      "if (1) { define('DB_PASSWORD','s1'); }\nelse { define('DB_PASSWORD','s2'); }",
    );
    expect(branchesOf(secret)).toEqual([
      { line: 1, values: {} },
      { line: 2, values: {} },
    ]);
  });

  test.each([
    [
      'the same value either way',
      "if ($a) { define('DB_TABLE_PREFIX', 'p_'); } else { define('DB_TABLE_PREFIX', 'p_'); }",
    ],
    [
      'a definition that comes too late',
      "define('DB_TABLE_PREFIX', 'p_'); if ($a) { define('DB_TABLE_PREFIX', 'q_'); }",
    ],
    ['a default', "if (!defined('DB_TABLE_PREFIX')) define('DB_TABLE_PREFIX', 'p_'); define('DB_TABLE_PREFIX', 'q_');"],
    ['a default, written shortly', "defined('DB_TABLE_PREFIX') || define('DB_TABLE_PREFIX', 'p_');"],
    ['a default, written with or', "defined('DB_TABLE_PREFIX') or define('DB_TABLE_PREFIX', 'p_');"],
  ])('are no choice: %s', (_what, more) => {
    expect(configOf(minimal(more)).tablePrefix).toBe('p_');
  });

  test('what is not literal, and what another file may define first, is said', () => {
    const said = (text: string) => {
      const read = readConfigPhp(text);
      return 'remarks' in read ? read.remarks.join('\n') : 'nothing';
    };
    expect(said(minimal())).toBe('');
    expect(said(minimal("define('DB_TABLE_PREFIX', getenv('P'));"))).toMatch(/DB_TABLE_PREFIX literally.*table_prefix/);
    expect(said(minimal("define('WEB_PATH', 'https://' . $_SERVER['HTTP_HOST']);"))).toMatch(/WEB_PATH.*site\.url/);
    expect(said(`<?php\n@include 'local.php';\n${minimal().slice(5)}`)).toMatch(/another file at line 2/);
    expect(said(minimal("\nrequire 'load.php';"))).toBe('');
  });
});
