/** The program as the image has it: what `npm run build` makes, in a folder where there is nothing else. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { builtProgram, configOf, makeCli, type Cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { imageFlags } from '../support/image.ts';
import { makeWorld, type World } from '../support/world.ts';

/** Leaves behind which parts of Node a program has loaded. */
const TELL_MODULES = `process.on('exit', () => {
  require('node:fs').writeFileSync(__dirname + '/modules', process.moduleLoadList.join('\\n'));
});`;

let folder: string;
let world: World;
let cli: Cli;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-modules-'));
  world = await makeWorld(['cars', 'homes'], { idle: true });
  const telling = join(folder, 'tell-modules.cjs');
  writeFileSync(telling, TELL_MODULES);
  cli = makeCli(configOf(world.site('cars'), [world.site('homes')]), [
    '--require',
    telling,
    ...imageFlags(),
    builtProgram(),
  ]);
});

afterEach(async () => {
  cli?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('it installs, runs, feeds from a peer, answers, and uninstalls', { timeout: 120_000 }, async () => {
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  await homes.host.seed.users({ seed: 'build', count: 3, allActive: true });
  await homes.start();
  expect(await cli.run('install')).toMatchObject({ code: 0 });
  const running = cli.start('run');
  try {
    await eventually(async () => expect((await cli.run('health')).code).toBe(0), { timeoutMs: 60_000 });
    expect(await cli.run('feed', 'homes')).toMatchObject({ code: 0 });
    expect(await cars.db.query('SELECT s_name FROM oc_t_user')).toHaveLength(3);
    const document = await fetch(new URL('openapi.json', cars.url));
    expect(await document.json()).toMatchObject({ openapi: '3.1.0' });
    expect((await cli.run('check')).out).toContain('homes');
  } finally {
    running.kill('SIGTERM');
  }
  expect(await running.ended).toMatchObject({ code: 0 });
  const loaded = readFileSync(join(folder, 'modules'), 'utf8').split('\n');
  expect(loaded).toContain('NativeModule http');
  // Each takes megabytes.
  expect(loaded).not.toContain('NativeModule http2');
  expect(loaded).not.toContain('NativeModule internal/deps/undici/undici');
  expect(await cli.run('uninstall')).toMatchObject({ code: 0 });
});

test('what it loads from files of its own, in rare cases only, is there', () => {
  const dist = dirname(builtProgram());
  const chunks = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const text = chunks.map((name) => readFileSync(join(dist, name), 'utf8')).join('');
  const names = Array.from(text.matchAll(/\(`\.\/([\w-]+\.json)`\)/g), ([, name = '']) => name);
  expect(names).toContain('shiftjis.json');
  for (const name of names) expect(existsSync(join(dist, name)), name).toBe(true);
});
