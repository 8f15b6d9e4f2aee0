import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeEdits, type Edits } from '../../src/config/edits.ts';
import { ENV, fixture } from './config-fixtures.ts';

let folder: string;
let file: string;
let edits: Edits;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-edits-'));
  file = join(folder, 'config.yaml');
  writeFileSync(file, fixture('minimal.yaml'));
  edits = makeEdits(file, ENV);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const batch = (size: number): string => `${fixture('minimal.yaml')}stream: { batch_size: ${size} }\n`;

test('the first look returns the config, further ones nothing', async () => {
  expect((await edits.read(false))?.config.site.name).toBe('cars');
  expect(await edits.read(false)).toBeUndefined();
  expect(await edits.read(true)).toBeUndefined();
});

test('an edit counts once two looks saw the same', async () => {
  await edits.read(false);
  writeFileSync(file, batch(7));
  expect(await edits.read(false)).toBeUndefined();
  writeFileSync(file, batch(77));
  expect(await edits.read(false)).toBeUndefined();
  expect((await edits.read(false))?.config.stream.batchSize).toBe(77);
  expect(await edits.read(false)).toBeUndefined();
});

test('an edit counts at once where that is asked for', async () => {
  await edits.read(false);
  writeFileSync(file, batch(7));
  expect((await edits.read(true))?.config.stream.batchSize).toBe(7);
});

test('a bad edit is told until it is mended', async () => {
  await edits.read(false);
  writeFileSync(file, batch(0));
  expect(await edits.read(false)).toBeUndefined();
  await expect(edits.read(false)).rejects.toThrow(/stream\.batch_size/);
  await expect(edits.read(false)).rejects.toThrow(/stream\.batch_size/);
  writeFileSync(file, fixture('minimal.yaml'));
  expect(await edits.read(false)).toBeUndefined();
  expect((await edits.read(false))?.config.stream.batchSize).toBe(500);
});

test('a file that goes away for a moment, as when an editor replaces it, is no edit', async () => {
  await edits.read(false);
  rmSync(file);
  expect(await edits.read(false)).toBeUndefined();
  writeFileSync(file, fixture('minimal.yaml'));
  expect(await edits.read(false)).toBeUndefined();
  expect(await edits.read(false)).toBeUndefined();
  rmSync(file);
  expect(await edits.read(false)).toBeUndefined();
  await expect(edits.read(false)).rejects.toThrow(/no such file/);
});

test('a change of a file that holds a secret is an edit', async () => {
  const secret = join(folder, 'key');
  writeFileSync(secret, 'the-first-key-of-cars-0123456789\n');
  const text = fixture('minimal.yaml').replace(/api_key: \$\{CARS_API_KEY\}/, 'api_key_file: key');
  expect(text).toMatch(/api_key_file/);
  writeFileSync(file, text);
  const first = await edits.read(false);
  expect(first?.config.site.apiKey).toBe('the-first-key-of-cars-0123456789');
  // The first look did not know of the secret's file: read again, now that it is watched.
  expect(await edits.read(false)).toBeUndefined();
  expect((await edits.read(false))?.config).toEqual(first?.config);
  expect(await edits.read(false)).toBeUndefined();
  writeFileSync(secret, 'the-second-key-of-cars-012345678\n');
  expect(await edits.read(false)).toBeUndefined();
  expect((await edits.read(false))?.config.site.apiKey).toBe('the-second-key-of-cars-012345678');
});
