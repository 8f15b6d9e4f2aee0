import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf, parseSigningKey, publicHalf, type SigningKey } from '../../src/model/signing-key.ts';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World } from '../support/world.ts';

let world: World;
let cli: Cli;
let config: string;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true });
  await world.site('cars').host.seed.users({ seed: 'cars', count: 40, allActive: true });
  await world.site('homes').host.seed.users({ seed: 'homes', count: 30, allActive: true });
  const { site } = await world.site('homes').start();
  await eventually(async () => {
    if (await site.isScanPending()) throw new Error('the baseline of homes goes on');
  });
  config = configOf(world.site('cars'), [world.site('homes')]);
  cli = makeCli(config);
}, 60_000);
afterAll(async () => {
  await world.close();
  cli.close();
});

describe('the command line', { timeout: 60_000 }, () => {
  it('prints a new key each time', async () => {
    const [first, second] = [await cli.run('key'), await cli.run('key')];
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^[\w-]{32,}\n$/) });
    expect(first.out).not.toBe(second.out);
  });

  it('prints a pair to sign with: what the config takes, and a fingerprint', async () => {
    const { code, out } = await cli.run('key', '--pair');
    const [, key = '', shown = '', print] =
      /^signing_key: (\S+)\npublic_key: (\S+)\nfingerprint: (\S+)\n$/.exec(out) ?? [];
    const pair = parseSigningKey(key);
    expect([code, pair]).toEqual([0, key]);
    const half = publicHalf(pair as SigningKey);
    expect([shown, print]).toEqual([half, fingerprintOf(half)]);
    const json = JSON.parse((await cli.run('key', '--pair', '--json')).out) as Record<string, string>;
    expect(Object.keys(json)).toEqual(['signing_key', 'public_key', 'fingerprint']);
    expect(json['signing_key']).not.toBe(key);
  });

  it('helps, with examples', async () => {
    const { code, out } = await cli.run('--help');
    expect(code).toBe(0);
    expect(out).toMatch(/Examples:\n {2}account-sync init/);
    expect((await cli.run('feed', '--help')).out).toMatch(/--config <file>[^]*Examples:/);
    expect(await cli.run()).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage: account-sync') });
  });

  it.each([
    [['bogus'], /unknown command/],
    [['feed'], /missing required argument/],
    [['status', '--bogus'], /unknown option/],
    [['logs', '--type', 'X'], /Allowed choices are FEED, STREAM, PROCESS/],
    [['logs', '--limit', 'many'], /1 to 1000/],
    [['logs', '--status', '99'], /HTTP code, OK or ERR/],
    [['parked', 'retry'], /parked retry ID/],
    [['parked', 'drop', 'everything'], /with an ID of the list/],
    [['feed', 'nobody'], /No peer "nobody": the config has homes\./],
    [['stream', 'nobody'], /No peer "nobody"/],
    [['logs', '--peer', 'nobody'], /No peer "nobody"/],
    [['approve', 'nobody'], /No peer "nobody"/],
    [['status', '--config', '/nowhere/config.yaml'], /^\/nowhere\/config\.yaml: cannot be read/],
    [['--config', '/nowhere/config.yaml', 'status'], /^\/nowhere\/config\.yaml: cannot be read/],
  ])('ends with 2 for wrong usage: %j', async (args, message) => {
    const { code, out, err } = await cli.run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  it('ends with 2 and every place for a wrong config', async () => {
    const broken = join(cli.folder, 'broken.yaml');
    writeFileSync(broken, config.replace('name: cars,', 'name: Cars,').replace('peers:', 'peerz:'));
    const { code, err } = await cli.run('check', '--config', broken);
    expect(code).toBe(2);
    expect(err).toMatch(/broken\.yaml:1:15 site\.name: /);
    expect(err).toMatch(/broken\.yaml:\d:1 peerz: .*peers/);
    const json = await cli.run('check', '--json', '--config', broken);
    expect([json.code, JSON.parse(json.out)]).toMatchObject([2, { ok: false, findings: [{ result: 'fail' }, {}] }]);
  });

  it('says that it is not installed, and what to do', async () => {
    const { code, err } = await cli.run('status');
    expect([code, err]).toEqual([1, expect.stringMatching(/NOT_INSTALLED: .*\n {2}→ Run `account-sync install`/)]);
    expect(await cli.run('check')).toMatchObject({ code: 3, out: expect.stringMatching(/^fail {2}tables/m) });
  });

  it('shows all SQL and rights without changing anything', async () => {
    const { code, out } = await cli.run('install', '--dry-run');
    expect(code).toBe(0);
    expect(out).toMatch(/GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, TRIGGER ON/);
    expect(out.match(/CREATE TRIGGER/g)).toHaveLength(10);
    expect(await world.site('cars').db.query(`SHOW TABLES LIKE '%account_sync%'`)).toEqual([]);
  });

  it('installs, and says so when there is nothing to do', async () => {
    expect((await cli.run('install')).out).toBe('Installed: 40 users looked at.\n');
    expect((await cli.run('install')).out).toBe('Already installed; nothing to do.\n');
    const { code, out } = await cli.run('check', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { ok: true }]);
  });

  it('runs, answers, feeds, and stops in time; a second one finds the port taken', async () => {
    const daemon = cli.start('run');
    await eventually(async () => expect((await cli.run('health')).code).toBe(0), { timeoutMs: 30_000 });
    expect((await cli.run('check')).code).toBe(0);
    expect(await cli.run('run')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/another program listens there/),
    });

    const dry = await cli.run('feed', 'homes', '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toMatchObject({ dry_run: true, inserted: 30, complete: true });
    expect((await world.site('cars').host.users()).users.size).toBe(40);
    const fed = await cli.run('feed', 'homes');
    expect(fed.code).toBe(0);
    expect(fed.out.trimEnd().split('\n').at(-1)).toBe(
      'Progress: 100.00% (Total stats - Retrieved: 30, Remaining: 0, Total: 30 / ' +
        'Last request stats - Retrieved : 30, Limit: 1000, From user ID: 0)',
    );
    expect((await world.site('cars').host.users()).users.size).toBe(70);
    expect(await cli.run('uninstall')).toMatchObject({ code: 1, err: expect.stringMatching(/at work/) });

    await world.site('cars').host.person.register({ email: 'new@example.com', name: 'New' });
    expect((await cli.run('stream')).code).toBe(0);
    await eventually(async () =>
      expect((await world.site('homes').host.users()).users.has('new@example.com')).toBe(true),
    );
    const logs = JSON.parse((await cli.run('logs', '--type', 'STREAM', '--json')).out) as { logs: unknown[] };
    expect(logs.logs[0]).toMatchObject({ type: 'STREAM', peer: 'homes', status: '200' });
    const status = await cli.run('status', '--json');
    expect(JSON.parse(status.out)).toMatchObject({ site: 'cars', daemon: 'seen', queue: { depth: 0 }, parked: 0 });
    expect(status.code).toBe(0);

    daemon.kill('SIGTERM');
    const { code, out } = await daemon.ended;
    expect([code, out.trimEnd().split('\n').at(-1)]).toEqual([0, expect.stringMatching(/"outcome":"clean"/)]);
  }, 120_000);

  it('uninstalls, and says so when there is nothing to do', async () => {
    expect((await cli.run('uninstall')).out).toBe('Uninstalled: 9 triggers and all tables.\n');
    expect((await cli.run('uninstall')).out).toBe('Was not installed; nothing to do.\n');
    expect(await world.site('cars').db.query(`SHOW TABLES LIKE '%account_sync%'`)).toEqual([]);
    expect(await world.site('cars').db.query('SHOW TRIGGERS')).toEqual([]);
  });
});
