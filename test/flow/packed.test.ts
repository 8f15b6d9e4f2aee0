/** The program as `npm pack` and `npm install -g` give it: in an empty folder, without a network, and nothing beside it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configOf, makeCli, type Cli, type Running } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { imageEnv, imageFlags } from '../support/image.ts';
import { makeWorld, type World } from '../support/world.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

let folder: string;
let world: World;
let cli: Cli;

const npm = (cwd: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
  return stdout;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-packed-'));
  npm(ROOT, 'pack', '--silent', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
  npm(
    folder,
    'install',
    '--global',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--prefix',
    join(folder, 'global'),
    tarball,
  );
  world = await makeWorld(['cars', 'homes'], { idle: true });
  const program = join(folder, 'global', 'bin', 'account-sync');
  cli = makeCli(configOf(world.site('cars'), [world.site('homes')]), [program]);
}, 120_000);

afterAll(async () => {
  cli?.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function whileRunning(work: (running: Running) => Promise<void>): Promise<void> {
  const running = cli.start('run');
  try {
    await eventually(async () => expect((await cli.run('health')).code).toBe(0), { timeoutMs: 60_000 });
    await work(running);
  } finally {
    running.kill('SIGTERM');
  }
  expect(await running.ended).toMatchObject({ code: 0 });
}

test('its account-sync installs, runs, feeds and uninstalls', { timeout: 120_000 }, async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(await cli.run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  await homes.host.seed.users({ seed: 'packed', count: 3, allActive: true });
  await homes.start();
  expect(await cli.run('install')).toMatchObject({ code: 0 });
  await whileRunning(async () => {
    expect(await cli.run('feed', 'homes')).toMatchObject({ code: 0 });
    expect(await cars.db.query('SELECT s_name FROM oc_t_user')).toHaveLength(3);
  });
  expect(await cli.run('uninstall')).toMatchObject({ code: 0 });
});

test.runIf(existsSync('/proc/self/environ'))(
  'it runs with the memory settings of the image',
  { timeout: 60_000 },
  async () => {
    await whileRunning(async ({ pid }) => {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      expect(words).toEqual(expect.arrayContaining(imageFlags()));
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const wanted = Object.entries(imageEnv()).map(([name, value]) => `${name}=${value}`);
      expect(wanted.length).toBeGreaterThan(0);
      expect(variables).toEqual(expect.arrayContaining(wanted));
    });
  },
);

test('it brings the licences of what is inside', () => {
  const text = readFileSync(join(folder, 'global/lib/node_modules/osclass-account-sync/dist/LICENCES.txt'), 'utf8');
  for (const name of ['fastify', 'kysely', 'mysql2', 'undici']) expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
});
