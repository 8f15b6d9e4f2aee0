import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeConfigWatcher, type ConfigWatcher } from '../../src/config/watch-file.ts';
import { isMountedAlone } from '../../src/config/mounted-alone.ts';
import { ENV, fixture } from './config-fixtures.ts';

let folder: string;
let file: string;
let edits: ConfigWatcher;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-edits-'));
  file = join(folder, 'config.yaml');
  writeFileSync(file, fixture('minimal.yaml'));
  edits = makeConfigWatcher(file, ENV);
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

test('a bad edit is reported until it is corrected', async () => {
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

describe.runIf(process.platform === 'linux')('a file that is mounted alone', () => {
  test('that was replaced where it came from is told, and not taken for one that nobody edited', async () => {
    // As a mount does, the name below /proc goes on leading to the file that it was.
    const open = openSync(file, 'r');
    const mounted = `/proc/self/fd/${open}`;
    try {
      const through = makeConfigWatcher(mounted, ENV);
      expect(await through.read(false)).toMatchObject({ config: { site: { name: 'cars' } } });
      expect(await through.read(false)).toBeUndefined();
      writeFileSync(`${file}.new`, fixture('minimal.yaml').replace('cars', 'boats'));
      renameSync(`${file}.new`, file);
      for (const atOnce of [false, true]) {
        await expect(through.read(atOnce)).rejects.toThrow(
          /mounted alone; restart the container, and mount the folder/,
        );
      }
    } finally {
      closeSync(open);
    }
  });

  test('is known by the mounts of the process', () => {
    const spaced = join(folder, 'my config.yaml');
    writeFileSync(spaced, '');
    const line = (path: string): string =>
      `640 628 254:1 /srv/x ${path.replaceAll(' ', '\\040')} ro,relatime - ext4 /dev/vda1 rw\n`;
    expect(isMountedAlone(spaced, line('/config') + line(spaced))).toBe(true);
    expect(isMountedAlone(spaced, line(folder) + line('/'))).toBe(false);
    expect(isMountedAlone(join(folder, 'none.yaml'), line(spaced))).toBe(false);
    expect(isMountedAlone(spaced)).toBe(false);
  });
});
