import { readdirSync, readFileSync } from 'node:fs';
import Schema from 'typebox/schema';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import { renderExample } from '../../src/config/render-example.ts';
import { renderJsonSchema } from '../../src/config/render-json-schema.ts';
import { configSchema, type SchemaNode } from '../../src/config/schema.ts';
import { publicHalf, type SigningKey } from '../../src/model/signing-key.ts';
import { BROKEN, ENV, fixture, readSecret } from './config-fixtures.ts';

const KEY = Buffer.alloc(32, 1).toString('base64') as SigningKey;
const PUBLIC_KEY = publicHalf(Buffer.alloc(32, 2).toString('base64') as SigningKey);
/** What the example names as it stands, and with every key. */
const LIVE_ENV = { ...ENV, CARS_SIGNING_KEY: KEY, HOMES_PUBLIC_KEY: PUBLIC_KEY };
const EXAMPLE_ENV = {
  ...LIVE_ENV,
  ACCOUNT_SYNC_ADMIN_TOKEN: 'an-admin-token-of-its-own',
  KEY_FOR_HOMES: 'a-key-for-homes-and-nobody-else',
};

function projectFile(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

/** Keys that only peers of another protocol than the default take. */
const OF_PLUGINS = /^#(?:feed_schedule:|timezone: America)/;

/** Takes the "#" away from keys, but for those. */
function allKeys(example: string): string {
  const lines = example.split('\n').filter((line) => !OF_PLUGINS.test(line.trim()));
  return lines.map((line) => line.replace(/^( *)#(?=[a-z])/, '$1')).join('\n');
}

/** Every key of the description, with those of nested mappings and lists. */
function keysOf(schema: SchemaNode): string[] {
  const below = [...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])].flatMap(keysOf);
  return [...below, ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => [name, ...keysOf(child)])];
}

describe('config.example.yaml', () => {
  test('is what npm run render:config makes of the description', () => {
    expect(projectFile('config.example.yaml')).toBe(renderExample());
  });

  test('tells editors where its schema is', () => {
    expect(renderExample().split('\n')[0]).toBe('# yaml-language-server: $schema=./config.schema.json');
  });

  test('loads as it stands, to the same as the minimal config but for signatures', () => {
    const { config } = parseConfig(renderExample(), 'config.example.yaml', LIVE_ENV, readSecret);
    const minimal = parseConfig(fixture('minimal.yaml'), 'config.yaml', ENV, readSecret).config;
    expect(config).toEqual({
      ...minimal,
      site: { ...minimal.site, signingKey: KEY },
      peers: minimal.peers.map((peer) => ({ ...peer, apiKey: '', apiKeys: [], publicKeys: [PUBLIC_KEY] })),
    });
  });

  test('loads with every key uncommented, to the same but for keys that have no default', () => {
    const { config } = parseConfig(allKeys(renderExample()), 'config.example.yaml', EXAMPLE_ENV, readSecret);
    const minimal = parseConfig(fixture('minimal.yaml'), 'config.yaml', ENV, readSecret).config;
    expect(config).toEqual({
      ...minimal,
      site: { ...minimal.site, signingKey: KEY, timezone: 'Europe/Berlin' },
      peers: minimal.peers.map((peer) => ({
        ...peer,
        publicKeys: [PUBLIC_KEY],
        sendKey: EXAMPLE_ENV.KEY_FOR_HOMES,
        emailTrust: 'verified',
        removalMode: 'disable',
      })),
      database: { ...minimal.database, socketPath: '/run/mysqld/mysqld.sock' },
      http: { ...minimal.http, publicPath: '/account-sync/', adminToken: EXAMPLE_ENV.ACCOUNT_SYNC_ADMIN_TOKEN },
      guard: {
        ...minimal.guard,
        removals: 20,
        credentials: { number: 10, percent: 1 },
        revivals: { number: 20, percent: 5 },
        creations: { number: 500, percent: 20 },
      },
    });
  });

  test('names every key, and no line is too long to read', () => {
    const example = renderExample();
    for (const key of keysOf(configSchema)) expect(example).toMatch(new RegExp(`(?:^|[ #])${key}:`, 'm'));
    for (const line of example.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});

describe('config.schema.json', () => {
  const schema = renderJsonSchema();
  const fits = (text: string): boolean => Schema.Check(schema, parse(text) as unknown);

  test('is what npm run render:config makes of the description', () => {
    expect(JSON.parse(projectFile('config.schema.json'))).toEqual(schema);
  });

  test('takes the example, the minimal config and _file twins', () => {
    const minimal = fixture('minimal.yaml');
    expect(fits(renderExample())).toBe(true);
    expect(fits(allKeys(renderExample()))).toBe(true);
    expect(fits(minimal)).toBe(true);
    expect(fits(minimal.replaceAll('api_key:', 'api_key_file:'))).toBe(true);
    expect(fits(`${minimal}http:\n  port: \${PORT}\n`)).toBe(true);
  });

  test('refuses unknown keys, missing keys, a key beside its twin and values of the wrong form', () => {
    const bad = ['unknown-keys', 'site-only', 'api-key-missing', 'file-beside-key', 'durations', 'words', 'sizes'];
    const names = [...bad, 'numbers-out-of-range', 'site-name-bad', 'peers-is-a-mapping', 'api-key-short'];
    expect(names.filter((name) => fits(fixture(`broken/${name}.yaml`)))).toEqual([]);
    expect(readdirSync(BROKEN)).toEqual(expect.arrayContaining(names.map((name) => `${name}.yaml`)));
  });

  test('describes every key', () => {
    const nodes: SchemaNode[] = [configSchema];
    for (const node of nodes) {
      for (const [name, child] of Object.entries(node.properties ?? {})) {
        expect(`${name}: ${child.description}`).toMatch(/\.$/);
        nodes.push(child);
      }
      nodes.push(...(node.anyOf ?? []), ...(node.items === undefined ? [] : [node.items]));
    }
  });

  test('holds nothing that only our own checks understand', () => {
    expect(JSON.stringify(schema)).not.toMatch(/"(?:expected|secret|~\w+)":/);
  });
});
