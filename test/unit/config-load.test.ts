import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { ENV, fixture, readSecret } from './config-fixtures.ts';
import { DEFAULT_GUARD } from '../support/guard.ts';

const MINIMAL = fixture('minimal.yaml');

function load(text: string, env: Readonly<Record<string, string>> = ENV): Config {
  return parseConfig(text, 'config.yaml', env, readSecret).config;
}

async function problemsOf(file: string): Promise<string> {
  const error: unknown = await loadConfig(file, ENV).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error('expected a ConfigError', { cause: error });
  expect(error.exitCode).toBe(2);
  return error.format();
}

describe('the minimal config', () => {
  test('gets a default for everything else', () => {
    expect(load(MINIMAL)).toEqual({
      site: {
        name: 'cars',
        url: 'https://cars.example.com/',
        apiKey: ENV['CARS_API_KEY'],
        signingKey: null,
        timezone: null,
        priority: 100,
        serverIdentity: 'watched',
      },
      database: {
        host: '127.0.0.1',
        port: 3306,
        user: 'account_sync',
        password: ENV['DB_PASSWORD'],
        name: 'osclass',
        socketPath: null,
        tablePrefix: 'oc_',
        ssl: false,
      },
      http: {
        host: '127.0.0.1',
        port: 8470,
        basePath: '/',
        publicPath: '/',
        adminToken: null,
        adminTokens: [],
        openMetrics: false,
        maxBodyBytes: 16 * 1024 * 1024,
        trustProxy: false,
        allowInsecurePeers: false,
      },
      capture: { mode: 'triggers', scanEveryMs: 60_000 },
      columns: { custom: [] },
      relatedTables: [],
      feed: { limit: 1000 },
      stream: { schedule: '* * * * * *', batchSize: 500 },
      locations: 'resolve',
      removal: { itemsOfBlocked: 'keep', tombstoneDays: 90 },
      guard: DEFAULT_GUARD,
      quotas: { callsAtOnce: 10, recordsPerMinute: 300_000, parkedRows: 10_000, parkedBytes: 64 * 1024 ** 2 },
      logs: { level: 'info', retentionMs: 90 * 86_400_000, maxRows: 1_000_000 },
      peers: [
        {
          name: 'homes',
          url: 'https://homes.example.com/account-sync/',
          apiKey: ENV['HOMES_API_KEY'],
          publicKeys: [],
          sendKey: ENV['CARS_API_KEY'],
          apiKeys: [ENV['HOMES_API_KEY']],
          protocol: 'native',
          columns: 'default',
          sendColumns: 'default',
          receive: true,
          send: true,
          relay: false,
          emailTrust: 'auto',
          removalMode: 'delete',
          sanitize: 'none',
          timezone: null,
          feedWithinMs: null,
        },
      ],
    });
  });

  test('a peer has the removal mode of the site unless it has its own', () => {
    const modes = (text: string): string[] => load(text).peers.map(({ removalMode }) => removalMode);
    expect(modes(`${MINIMAL}removal: { mode: ignore }\n`)).toEqual(['ignore']);
    expect(modes(`${MINIMAL}    removal_mode: disable\nremoval: { mode: ignore }\n`)).toEqual(['disable']);
  });

  test('needs no peers', () => {
    expect(load(MINIMAL.slice(0, MINIMAL.indexOf('peers:'))).peers).toEqual([]);
  });

  test('may be indented, quoted and written in braces as one likes', () => {
    const text = `{"site": {"name": cars, url: 'https://cars.example.com', api_key: "\${CARS_API_KEY}"},
      database: {host: 127.0.0.1, user: account_sync, password: "\${DB_PASSWORD}", name: osclass},
      peers: [{name: homes, url: 'HTTPS://homes.example.com:443/account-sync', api_key: "\${HOMES_API_KEY}"}]}`;
    expect(load(text)).toEqual(load(MINIMAL));
    expect(load(`\ufeff${MINIMAL.replaceAll('\n', '\r\n')}`)).toEqual(load(MINIMAL));
  });

  test('does not share defaults between two readings', () => {
    const [one, other] = [load(MINIMAL), load(MINIMAL)];
    expect(one.columns.custom).not.toBe(other.columns.custom);
  });
});

test('every key arrives under its name and in its unit', () => {
  const text = `${MINIMAL.replace('name: cars', 'name: cars\n  timezone: Europe/Berlin\n  priority: 0').replace(
    'name: osclass',
    'name: osclass\n  port: 3307\n  socket_path: /run/db.sock\n  table_prefix: ""\n  ssl: { ca_file: /run/secrets/ca }',
  )}    columns: all
    send_columns: [s_name, i_gdpr_tc, user_description]
    receive: false
    send: false
    relay: true
http:
  host: "::1"
  port: 0
  base_path: /account-sync
  admin_token: a-token-of-its-own-hunter2
  open_metrics: true
  max_body: 64KiB
  trust_proxy: true
  allow_insecure_peers: true
columns: { custom: [s_whatsapp] }
feed: { limit: 5 }
stream: { schedule: "*/5 * * * * mon-fri", batch_size: 7 }
locations: text_only
removal: { tombstone_days: 1 }
guard: { removals: 0, percent: 2.5, window: 10m }
logs: { level: debug, retention: 500ms, max_rows: 10 }
`;
  const config = load(text);
  expect(config).toMatchObject({
    site: { timezone: 'Europe/Berlin', priority: 0 },
    database: { port: 3307, socketPath: '/run/db.sock', tablePrefix: '', ssl: { rejectUnauthorized: true } },
    http: {
      host: '::1',
      port: 0,
      basePath: '/account-sync/',
      adminToken: 'a-token-of-its-own-hunter2',
      adminTokens: [],
      openMetrics: true,
      maxBodyBytes: 65_536,
      trustProxy: true,
      allowInsecurePeers: true,
    },
    columns: { custom: ['s_whatsapp'] },
    feed: { limit: 5 },
    stream: { schedule: '*/5 * * * * mon-fri', batchSize: 7 },
    locations: 'text_only',
    removal: { tombstoneDays: 1 },
    guard: { ...DEFAULT_GUARD, removals: 0, percent: 2.5, windowMs: 600_000 },
    logs: { level: 'debug', retentionMs: 500, maxRows: 10 },
    peers: [
      {
        columns: 'all',
        sendColumns: ['s_name', 'i_gdpr_tc', 'user_description'],
        receive: false,
        send: false,
        relay: true,
      },
    ],
  });
  expect(config.database.ssl).toHaveProperty('ca', readSecret('/run/secrets/ca').trimEnd());
});

test.each([
  ['true', true],
  ['on', true],
  ['false', false],
  ['off', false],
])('ssl may be %s', (word, meaning) => {
  expect(load(MINIMAL.replace('name: osclass', `name: osclass\n  ssl: ${word}`)).database.ssl).toBe(meaning);
});

describe('the environment', () => {
  test('is put in anywhere in a text, once, and $${ stays a plain ${', () => {
    const text = MINIMAL.replace('${DB_PASSWORD}', () => '"<${DB_PASSWORD}|${A}|$${A}|$A>"');
    expect(load(text, { ...ENV, A: '${DB_PASSWORD}' }).database.password).toBe('<hunter2|${DB_PASSWORD}|${A}|$A>');
  });

  test('gives numbers and booleans where they are expected, and text where that is', () => {
    const env = { ...ENV, DB_PASSWORD: '12345', PORT: '8471', OPEN: 'true' };
    const config = load(
      `${MINIMAL}http: { port: "8472" }\n`.replace('{ port: "8472" }', '\n  port: ${PORT}\n  open_metrics: ${OPEN}'),
      env,
    );
    expect(config.http).toMatchObject({ port: 8471, openMetrics: true });
    expect(config.database.password).toBe('12345');
  });

  test('may hold an empty value', () => {
    expect(load(MINIMAL, { ...ENV, DB_PASSWORD: '' }).database.password).toBe('');
  });

  test('is not searched beyond its own variables', () => {
    expect(() => load(MINIMAL.replace('${DB_PASSWORD}', '${toString}'))).toThrow('${toString} is not set');
  });
});

describe('secrets in files', () => {
  const text = MINIMAL.replace('api_key: ${CARS_API_KEY}', 'api_key_file: /run/secrets/key').replace(
    'api_key: ${HOMES_API_KEY}',
    'api_key_file: [/run/secrets/other, /run/secrets/third]',
  );
  const third = 'third-key-hunter2-0123456789';
  const read = (path: string): string => (path === '/run/secrets/third' ? third : readSecret(path));

  test('lose the newline at the end, and are listed to be watched', () => {
    const loaded = parseConfig(text, 'config.yaml', ENV, read);
    expect(loaded.config.site.apiKey).toBe('file-key-hunter2-0123456789');
    expect(loaded.config.peers[0]).toMatchObject({
      apiKey: 'other-key-hunter2-0123456789',
      apiKeys: ['other-key-hunter2-0123456789', third],
    });
    expect(loaded.secretFiles).toEqual(['/run/secrets/key', '/run/secrets/other', '/run/secrets/third']);
  });

  test('keep all but one newline, and are not searched for variables', () => {
    const withFile = MINIMAL.replace('password: ${DB_PASSWORD}', 'password_file: /p');
    const { config } = parseConfig(withFile, 'config.yaml', ENV, () => ' ${DB_PASSWORD}\n\n');
    expect(config.database.password).toBe(' ${DB_PASSWORD}\n');
  });

  test('are looked for beside the config file where the path is relative', () => {
    const withFile = MINIMAL.replace('password: ${DB_PASSWORD}', 'password_file: secrets/${NAME}');
    const seen: string[] = [];
    parseConfig(withFile, '/etc/account-sync/config.yaml', { ...ENV, NAME: 'db' }, (path) => {
      seen.push(path);
      return 'x';
    });
    expect(seen).toEqual(['/etc/account-sync/secrets/db']);
  });
});

test('a peer may have several keys while it changes its own', () => {
  const keys = '["${HOMES_API_KEY}", the-next-key-of-homes-hunter2]';
  expect(load(MINIMAL.replace('${HOMES_API_KEY}', keys)).peers[0]?.apiKeys).toEqual([
    ENV['HOMES_API_KEY'],
    'the-next-key-of-homes-hunter2',
  ]);
});

test.each(['http://localhost:8471', 'http://127.0.0.1/x', 'http://127.9.9.9', 'http://[::1]:80/'])(
  'plain http to %s stays on this machine and is allowed',
  (url) => {
    expect(load(MINIMAL.replace('https://homes.example.com/account-sync/', url)).peers).toHaveLength(1);
  },
);

test.each(['http://127.0.0.1.example.com', 'http://homes.localhost', 'http://10.0.0.1', 'http://[::2]'])(
  'plain http to %s needs http.allow_insecure_peers',
  (url) => {
    const text = MINIMAL.replace('https://homes.example.com/account-sync/', url);
    expect(() => load(text)).toThrow('expected https://');
    expect(load(`${text}http: { allow_insecure_peers: true }\n`).peers).toHaveLength(1);
  },
);

describe('loadConfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('reads the file and the secrets beside it', async () => {
    const file = join(folder, 'config.yaml');
    writeFileSync(file, MINIMAL.replace('password: ${DB_PASSWORD}', 'password_file: password'));
    writeFileSync(join(folder, 'password'), 'pässword\n');
    const loaded = await loadConfig(file, ENV);
    expect(loaded.config.database.password).toBe('pässword');
    expect(loaded.file).toBe(file);
  });

  test('says what to do where there is no file', async () => {
    expect(await problemsOf('no/such.yaml')).toBe(
      'no/such.yaml: cannot be read: no such file; write one with "account-sync init" or name another with --config',
    );
    expect(await problemsOf(folder)).toContain(`${folder}: cannot be read: it is a directory`);
  });

  test('refuses what is not UTF-8', async () => {
    const file = join(folder, 'latin1.yaml');
    writeFileSync(file, Buffer.from('# caf\xe9\n', 'latin1'));
    expect(await problemsOf(file)).toContain('cannot be read: it is not UTF-8 text');
  });

  test('names the file as it was given', async () => {
    const file = join(folder, '.', 'broken.yaml');
    writeFileSync(file, 'site: {}\n');
    expect(await problemsOf(file)).toContain(`${file}:1:7 site.name: missing`);
  });
});
