import { ownName } from '../../src/db/own-tables.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError, type Problem } from '../../src/config/problem.ts';
import { keysThatNeedRestart, restartRequired } from '../../src/config/restart.ts';
import { parseSize } from '../../src/config/size.ts';
import { ENV, fixture, readSecret } from './config-fixtures.ts';

function at(line: number | null, column: number | null, path: string): Problem {
  return { file: 'c.yaml', line, column, path, message: 'wrong' };
}

test.each([
  ['500ms', 500],
  ['5s', 5_000],
  ['10m', 600_000],
  ['6h', 21_600_000],
  ['30d', 2_592_000_000],
  ['0s', 0],
])('the duration %s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', 's', '-5s', '1.5h', '5 s', '5S', '1h30m', '5s ', '999999999999d'])(
  '"%s" is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test.each([
  ['12B', 12],
  ['64KiB', 65_536],
  ['8MiB', 8_388_608],
  ['2GiB', 2_147_483_648],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', '8', '8MB', '8mib', '8 MiB', '-8MiB', '1.5MiB', '999999999999GiB'])('"%s" is no size', (text) => {
  expect(parseSize(text)).toBeUndefined();
});

test('problems are sorted by place, and those of the file as a whole have none', () => {
  const error = new ConfigError([at(10, 1, 'd'), at(2, 9, 'c'), at(2, 3, 'b'), at(null, null, '')]);
  expect(error.format()).toBe('c.yaml: wrong\nc.yaml:2:3 b: wrong\nc.yaml:2:9 c: wrong\nc.yaml:10:1 d: wrong');
});

describe('an edit needs a restart', () => {
  const { config } = parseConfig(fixture('minimal.yaml'), 'config.yaml', ENV, readSecret);
  type Section = 'site' | 'database' | 'http' | 'stream' | 'logs' | 'capture';
  const edited = (edit: { [K in Section]?: Partial<Config[K]> }): Config => ({
    ...config,
    site: { ...config.site, ...edit.site },
    database: { ...config.database, ...edit.database },
    http: { ...config.http, ...edit.http },
    stream: { ...config.stream, ...edit.stream },
    logs: { ...config.logs, ...edit.logs },
    capture: { ...config.capture, ...edit.capture },
  });

  test('if it changes the name, the database, where we listen or how changes are captured', () => {
    const next = edited({
      site: { name: 'boats' },
      database: {
        host: 'db',
        port: 1,
        user: 'u',
        password: 'p',
        name: 'n',
        socketPath: '/s',
        tablePrefix: '',
        ssl: {},
      },
      http: { host: '::1', port: 1, basePath: '/x/' },
      capture: { mode: 'scan' },
    });
    expect(restartRequired(config, next)).toEqual([
      'site.name',
      'database.host',
      'database.port',
      'database.user',
      'database.password',
      'database.name',
      'database.socket_path',
      'database.table_prefix',
      'database.ssl',
      'http.host',
      'http.port',
      'http.base_path',
      'capture.mode',
    ]);
  });

  test('which is said of each of these keys, in docs/config.md and in the example', () => {
    for (const file of ['docs/config.md', 'config.example.yaml']) {
      const text = readFileSync(file, 'utf8');
      expect(keysThatNeedRestart().filter((key) => !text.includes(key))).toEqual([]);
    }
  });

  test('but not if it changes anything else, or nothing', () => {
    const next = edited({
      site: { url: 'https://other.example.com/', apiKey: 'x', timezone: 'UTC', priority: 1 },
      http: { adminToken: 'x', openMetrics: true, maxBodyBytes: 1, trustProxy: true, allowInsecurePeers: true },
      stream: { batchSize: 1 },
      logs: { level: 'debug' },
    });
    expect(restartRequired(config, { ...next, peers: [] })).toEqual([]);
    expect(restartRequired(config, structuredClone(config))).toEqual([]);
  });
});

describe('a prefix is as long as our names behind it allow', () => {
  const withPrefix = (length: number): string => {
    const text = fixture('minimal.yaml').replace(/^database:\n/m, `database:\n  table_prefix: ${'x'.repeat(length)}\n`);
    return parseConfig(text, 'config.yaml', ENV, readSecret).config.database.tablePrefix;
  };

  test('30 characters', () => {
    expect(ownName(withPrefix(30), 'unknown_place')).toHaveLength(30 + 'account_sync_unknown_place'.length);
  });

  test('and no more', () => expect(() => withPrefix(31)).toThrow(ConfigError));
});
