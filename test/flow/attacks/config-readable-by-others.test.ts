/** Another account of the machine, such as that of PHP, looks for keys in files, or puts its own into them. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../scripts/free-port.js';
import { check } from '../../../src/cli/check.ts';
import type { Finding } from '../../../src/admin/check/finding.ts';
import { configOf, makeCli, type Cli } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { SILENT_TERMINAL } from '../../support/silent-terminal.ts';
import { keyOf, makeWorld, tokenOf, type World } from '../../support/world.ts';

let world: World;
let cli: Cli;
let plain: string;
let hidden: string;

const place = (name: string): string => join(cli.folder, 'etc', name);
const write = (name: string, text: string, mode: number): void => {
  writeFileSync(place(name), text);
  chmodSync(place(name), mode);
};

beforeAll(async () => {
  world = await makeWorld(['cars'], { idle: true });
  const cars = world.site('cars');
  cli = makeCli('');
  plain = configOf(cars, [], { port: await freePort() });
  hidden = plain
    .replace(`api_key: ${keyOf('cars')}`, 'api_key_file: key')
    .replace(`admin_token: ${tokenOf('cars')}`, 'admin_token_file: token')
    .replace(/password: "[^"]*"/, 'password: "${SECRET}"');
  mkdirSync(join(cli.folder, 'etc'));
}, 90_000);
beforeEach(() => {
  for (const folder of [cli.folder, join(cli.folder, 'etc')]) chmodSync(folder, 0o755);
  write('config.yaml', plain, 0o600);
  write('key', keyOf('cars'), 0o600);
  write('token', tokenOf('cars'), 0o600);
});
afterAll(async () => {
  cli?.close();
  await world?.close();
});

/** What check says of files. */
async function look(): Promise<Finding[]> {
  let out = '';
  const env = { SECRET: world.site('cars').db.password };
  await check(
    { config: place('config.yaml'), json: true },
    { ...SILENT_TERMINAL, env, out: (text) => void (out += text) },
  );
  return (JSON.parse(out) as { findings: Finding[] }).findings.filter((one) => one.check === 'files');
}
const readBy = (name: string, mode: string): object => ({
  result: 'warn',
  message: `${place(name)} can be read by every account of this machine (mode ${mode})`,
  remedy: `chmod o-rw ${place(name)}`,
});

describe('check', { timeout: 60_000 }, () => {
  it('says nothing of files that only their owner reads', async () => {
    expect(await look()).toEqual([]);
  });

  it('names a config with secrets that others may read, and nothing once its remedy was followed', async () => {
    chmodSync(place('config.yaml'), 0o644);
    expect(await look()).toMatchObject([readBy('config.yaml', '644')]);
    chmodSync(place('config.yaml'), 0o600);
    expect(await look()).toEqual([]);
  });

  it('lets others read a config without secrets, but not the files of its secrets', async () => {
    write('config.yaml', hidden, 0o644);
    expect(await look()).toEqual([]);
    chmodSync(place('token'), 0o640);
    chmodSync(place('key'), 0o604);
    expect(await look()).toMatchObject([readBy('key', '604')]);
  });

  it('names a config that others may write, with secrets in it or not', async () => {
    write('config.yaml', hidden, 0o646);
    expect(await look()).toMatchObject([
      { message: expect.stringContaining('can be written by every account') as string },
    ]);
  });

  it('names a folder in which others may put a config of theirs in its place', async () => {
    chmodSync(join(cli.folder, 'etc'), 0o777);
    const [found] = await look();
    expect(found?.message).toBe(
      `${place('config.yaml')} can be replaced by every account of this machine, which may write in its folder`,
    );
    expect(found?.remedy).toBe(`chmod o-w ${join(cli.folder, 'etc')}`);
  });

  it('says nothing of a file that others may read in a folder that they cannot enter', async () => {
    chmodSync(cli.folder, 0o700);
    chmodSync(place('config.yaml'), 0o644);
    expect(await look()).toEqual([]);
  });
});

it('the daemon says it in its log when it starts', { timeout: 120_000 }, async () => {
  chmodSync(place('config.yaml'), 0o644);
  const daemon = cli.start('--config', place('config.yaml'), 'run');
  await eventually(() => expect(daemon.out()).toMatch(/"a file of the config is open to others"/), {
    timeoutMs: 60_000,
  });
  daemon.kill('SIGKILL');
  await daemon.ended;
});
