import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtProgram, configOf, makeCli, type Cli, type Running } from '../support/cli.ts';
import { findProgram } from '../../scripts/database/command.js';
import { freePort } from '../../scripts/free-port.js';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let cli: Cli;

beforeAll(async () => {
  world = await makeWorld(['cars'], { idle: true });
  cars = world.site('cars');
  cli = makeCli(configOf(cars, []));
});
afterAll(async () => {
  await world.close();
  cli.close();
});

const healthOf = async (): Promise<number> => (await fetch(new URL('health', cars.url))).status;

/** Started, listening, and the answer of /health being `status`. */
const runUntil = async (status: number): Promise<Running> => {
  const daemon = cli.start('run');
  await eventually(async () => expect(await healthOf()).toBe(status), { timeoutMs: 30_000 });
  return daemon;
};

describe('account-sync run', { timeout: 60_000 }, () => {
  it('listens and keeps trying while the database is away', async () => {
    cli.configure(configOf(cars, []).replace(/port: \d+, user/, `port: ${await freePort()}, user`));
    const daemon = await runUntil(503);
    expect(await cli.run('health')).toMatchObject({ code: 1 });
    daemon.kill('SIGTERM');
    const { code, out, err } = await daemon.ended;
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/"msg":"cannot start yet"/);
    cli.configure(configOf(cars, []));
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order on %s', async (signal) => {
    const daemon = await runUntil(200);
    const began = performance.now();
    daemon.kill(signal);
    expect((await daemon.ended).code).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('ends with the reason and the remedy when it cannot start at all', async () => {
    cli.configure(configOf(cars, []).replace('database: {', 'database: { table_prefix: xx_,'));
    const { code, err } = await cli.run('run');
    cli.configure(configOf(cars, []));
    expect(code).toBe(1);
    expect(err).toMatch(/^HOST_TABLE_MISSING: .*xx_t_user.*\n {2}→ Check `database\.name`/);
    expect(err).not.toMatch(/^ +at /m);
  });

  it('is seen by status, and after kill -9 needs no repair', async () => {
    const daemon = await runUntil(200);
    await eventually(async () => expect((await cli.run('status')).out).toMatch(/daemon {4}at work/), {
      timeoutMs: 20_000,
    });
    daemon.kill('SIGKILL');
    await daemon.ended;
    const again = await runUntil(200);
    expect(await cli.run('uninstall')).toMatchObject({ code: 1, err: expect.stringMatching(/is at work and would/) });
    again.kill('SIGTERM');
    await again.ended;
    expect((await cli.run('uninstall', '--force')).code).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('a config that is mounted alone', { timeout: 120_000 }, () => {
  it('is told of at the start, and once more when it was replaced where it came from', async ({ skip }) => {
    const mounted = join(cli.folder, 'mounted.yaml');
    writeFileSync(mounted, '');
    // As a container has it: in a name space of its own, the file of the host over that of the image.
    const inside = `mount --bind "$1" "$2" && exec "$3" "$4" run --config "$2"`;
    const source = join(cli.folder, 'config.yaml');
    const args = ['--mount', 'sh', '-c', inside, 'sh', source, mounted, process.execPath, builtProgram()];
    const unshare = findProgram('unshare');
    if (unshare === undefined || spawnSync(unshare, ['--mount', 'true']).status !== 0)
      skip('this account may not mount anything');
    const child = spawn(unshare ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (out += String(part)));
    try {
      await eventually(() => expect(out).toMatch(/mounted alone.*listening/s), { timeoutMs: 60_000 });
      expect(out).toMatch(/Mount its folder instead/);
      writeFileSync(`${source}.new`, `${configOf(cars, [])}logs: { level: debug }\n`);
      renameSync(`${source}.new`, source);
      await eventually(() => expect(out).toMatch(/edit of the config refused/), { timeoutMs: 30_000 });
      expect(out).toMatch(/restart the container, and mount the folder/);
      await eventually(
        async () => expect((await cli.run('status')).out).toMatch(/an edit was refused[^]*mounted alone/),
        {
          timeoutMs: 40_000,
        },
      );
    } finally {
      child.kill('SIGTERM');
      await once(child, 'close');
      cli.configure(configOf(cars, []));
    }
  });
});

describe('account-sync run on every address', { timeout: 60_000 }, () => {
  it('says so, and not that it listens on one', async () => {
    cli.configure(configOf(cars, []).replace('http: { host: 127.0.0.1', 'http: { host: 0.0.0.0'));
    const daemon = await runUntil(200);
    expect(daemon.out()).toMatch(new RegExp(`"listening":"0\\.0\\.0\\.0:${new URL(cars.url).port}"`));
    expect(daemon.out()).not.toMatch(/127\.0\.0\.1:\d+.*"msg":"listening"/);
    daemon.kill('SIGTERM');
    await daemon.ended;
    cli.configure(configOf(cars, []));
  });
});

describe('account-sync logs', { timeout: 60_000 }, () => {
  it('follows, and is ended by Ctrl-C', async () => {
    await cli.run('install');
    const add = (response: string): Promise<unknown> =>
      cars.db.query(
        `INSERT INTO oc_account_sync_log (type, date, status, response, content, trace)
         VALUES ('FEED', UTC_TIMESTAMP(3), 'OK', ?, '{"code":"CONFLICT"}', 'trace-1')`,
        [response],
      );
    for (const response of ['first', 'second', 'third']) await add(response);
    const { out } = await cli.run('logs', '--limit', '2');
    expect(out.split('\n').map((line) => line.split(' ').at(-1))).toEqual(['second', 'third', '']);
    const follow = cli.start('logs', '--follow', '--json', '--search', 'ir');
    await eventually(() => expect(follow.out()).toMatch(/third/), { timeoutMs: 20_000 });
    await add('sixth');
    await add('thirteenth');
    await eventually(() => expect(follow.out()).toMatch(/thirteenth/));
    follow.kill('SIGINT');
    const ended = await follow.ended;
    expect(ended.code).toBe(0);
    const records = ended.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { response: string }).response);
    expect(records).toEqual(['first', 'third', 'thirteenth']);
  });

  it('is content when its reader goes away', async () => {
    const { out } = await cli.run('logs', '--status', 'ok', '--type', 'FEED', '--limit', '1');
    expect(out).toMatch(/FEED {5}\? +OK {3}CONFLICT {2}thirteenth\n$/);
    expect(await cli.run('logs', '--search', 'nothing like it')).toMatchObject({
      code: 0,
      out: '',
      err: 'No log record matches.\n',
    });
  });
});

describe('an edit of the config while it runs', { timeout: 60_000 }, () => {
  it('is refused with its place if it needs a restart, and taken over on SIGHUP if not', async () => {
    const daemon = await runUntil(200);
    cli.configure(configOf(cars, [], { port: await freePort() }).replace('name: cars,', 'name: cars, priority: 7,'));
    daemon.kill('SIGHUP');
    await eventually(() => expect(daemon.out()).toMatch(/"problems":\["[^"]*config\.yaml:3:\d+ http\.port: .*restart/));
    const edit = { problems: expect.stringMatching(/http\.port: a change of this/) as string };
    await eventually(async () =>
      expect(JSON.parse((await cli.run('status', '--json')).out)).toMatchObject({ refused_edit: edit }),
    );
    const screen = (await cli.run('status')).out;
    expect(screen).toMatch(/an edit was refused \d+ s ago.*\n {12}.*config\.yaml:3:\d+ http\.port/);
    cli.configure(configOf(cars, []));
    daemon.kill('SIGHUP');
    await eventually(async () => expect((await cli.run('status', '--json')).out).toMatch(/"refused_edit": null/));
    cli.configure(`${configOf(cars, [])}logs: { level: debug }\n`);
    daemon.kill('SIGHUP');
    await eventually(() => expect(daemon.out()).toMatch(/"changed":\["logs"\].*taken over/));
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  });
});
