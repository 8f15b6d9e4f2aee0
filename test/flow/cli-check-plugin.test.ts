/** What `account-sync check` says of peers that run the PHP plugin, and of the plugin on our own site. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { freePort } from '../../scripts/free-port.js';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { installPlugin, setActive } from '../support/installed-plugin.ts';
import { createHost } from '../support/osclass/host.ts';
import { makePhpPlugin, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World } from '../support/world.ts';

let world: World;
let jobsDb: TestDatabase;
let jobs: PhpPlugin;
let cli: Cli;
let port: number;

interface Line {
  readonly check: string;
  readonly result: string;
  readonly message: string;
  readonly remedy?: string;
}

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true });
  await world.site('homes').start();
  port = await freePort();
  jobsDb = await createDatabase();
  const accounts = [{ name: 'cars', url: `http://127.0.0.1:${port}/`, apiKey: keyOf('cars') }];
  jobs = await makePhpPlugin(await createHost(jobsDb, { name: 'jobs' }), { apiKey: keyOf('jobs'), accounts });
  cli = makeCli('');
  configure(`{ name: jobs, url: "${jobs.url}", api_key: ${keyOf('jobs')}, protocol: plugin }`);
  await cli.run('install');
}, 60_000);
afterAll(async () => {
  cli.close();
  await jobs.close();
  await jobs.host.close();
  await jobsDb.drop();
  await world.close();
});

function configure(...peers: string[]): void {
  cli.configure(configOf(world.site('cars'), [], { port }).replace('peers: []', `peers: [${peers.join(', ')}]`));
}

const plugin = (more = ''): string =>
  `{ name: jobs, url: "${jobs.url}", api_key: ${keyOf('jobs')}, protocol: plugin${more} }`;

async function lines(about: string): Promise<Line[]> {
  const { out } = await cli.run('check', '--json');
  const { findings } = JSON.parse(out) as { findings: Line[] };
  return findings.filter(({ check }) => check === about);
}

describe('check, of a peer with the PHP plugin', { timeout: 180_000 }, () => {
  it('says that it answers, what it cannot do, and that its own key is not proven', async () => {
    configure(plugin());
    expect(await lines('peer jobs')).toEqual([
      {
        check: 'peer jobs',
        result: 'warn',
        message: expect.stringMatching(/never called us/),
        remedy: expect.any(String),
      },
      { check: 'peer jobs', result: 'ok', message: 'the PHP plugin answers and knows our key' },
      {
        check: 'peer jobs',
        result: 'warn',
        message: expect.stringMatching(/none of its addresses counts as proved here/),
        remedy: expect.stringMatching(/email_trust: verified .*gets that account here/),
      },
      {
        check: 'peer jobs',
        result: 'ok',
        message: expect.stringMatching(/^is sent only accounts of here that are proved/),
      },
      {
        check: 'peer jobs',
        result: 'warn',
        message: expect.stringMatching(/forgets what it could not send/),
        remedy: expect.stringMatching(/feed_schedule.*docs\/plugin-peers\.md/),
      },
    ]);
    expect((await cli.run('check')).code).toBe(0);
  });

  it('advises what is missing only where it is', async () => {
    configure(
      plugin(', feed_schedule: 24h'),
      `{ name: homes, url: "${world.site('homes').url}", api_key: ${keyOf('homes')} }`,
    );
    expect((await lines('peer jobs')).at(-1)?.remedy).toMatch(/^For this peer set relay: true/);
    configure(plugin(', feed_schedule: 24h, relay: true'));
    expect((await lines('peer jobs')).at(-1)?.remedy).toMatch(/^See "Peers that run the PHP plugin"/);
  });

  it('changes nothing there', async () => {
    await jobs.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    const before = await jobs.host.users();
    await lines('peer jobs');
    expect(await jobs.host.users()).toEqual(before);
  });

  it('tells a key that the plugin refuses', async () => {
    configure(plugin());
    cli.configure(
      configOf(world.site('cars'), [], { port })
        .replace('peers: []', `peers: [${plugin()}]`)
        .replace(keyOf('cars'), 'another-key-of-ours-0123456789'),
    );
    expect((await lines('peer jobs')).filter(({ result }) => result === 'fail')).toEqual([
      {
        check: 'peer jobs',
        result: 'fail',
        message: expect.stringMatching(/refuses our key: API Key is invalid/),
        remedy: expect.stringMatching(/site\.api_key/),
      },
    ]);
    expect((await cli.run('check')).code).toBe(3);
  });

  it('tells a daemon that is said to be a plugin, and a plugin that is said to be a daemon', async () => {
    configure(`{ name: homes, url: "${world.site('homes').url}", api_key: ${keyOf('homes')}, protocol: plugin }`);
    expect((await lines('peer homes')).filter(({ result }) => result === 'fail')).toMatchObject([
      { message: 'is an account-sync, not the PHP plugin' },
    ]);
    configure(`{ name: jobs, url: "${jobs.url}", api_key: ${keyOf('jobs')} }`);
    expect(await lines('peer jobs')).toMatchObject([
      { result: 'fail', message: 'runs the PHP plugin, not account-sync', remedy: 'Give it "protocol: plugin".' },
    ]);
  });

  it('knows the key of the other way round once it was used, or that another one was', async () => {
    configure(plugin().replace(keyOf('jobs'), 'not-the-key-of-jobs-0123456789'));
    const daemon = cli.start('run');
    await eventually(async () => expect((await cli.run('health')).code).toBe(0), { timeoutMs: 30_000 });
    await jobs.person.editProfile('ana@example.com', { name: 'Ana B' });
    await jobs.runCron();
    expect((await lines('peer jobs'))[0]).toMatchObject({
      result: 'warn',
      message: expect.stringMatching(/never called us.*1 call came with an unknown one, last from 127\.0\.0\.1/),
    });
    daemon.kill('SIGTERM');
    await daemon.ended;

    configure(plugin());
    const again = cli.start('run');
    await eventually(async () => expect((await cli.run('health')).code).toBe(0), { timeoutMs: 30_000 });
    await jobs.person.editProfile('ana@example.com', { name: 'Ana C' });
    await jobs.runCron();
    expect((await lines('peer jobs'))[0]).toMatchObject({
      result: 'ok',
      message: expect.stringMatching(/calls us with the key that is in the config; last 20/),
    });
    again.kill('SIGTERM');
    await again.ended;
  });
});

describe('check, where the plugin is on our own site', { timeout: 180_000 }, () => {
  it('warns of two engines, and says how to switch one off', async () => {
    configure(plugin());
    expect(await lines('PHP plugin')).toEqual([]);
    await installPlugin(world.site('cars').db, { settings: { users_to_stream: '1,2,3' } });
    expect(await lines('PHP plugin')).toEqual([
      {
        check: 'PHP plugin',
        result: 'warn',
        message: expect.stringMatching(/active on this site: two engines/),
        remedy: expect.stringMatching(/cars\.example\.com\/oc-content.*3 users and 0 removals.*disable it/),
      },
    ]);
    await setActive(world.site('cars').db, false);
    expect(await lines('PHP plugin')).toMatchObject([
      { result: 'warn', message: expect.stringMatching(/never sent 3 users/) },
    ]);
    await world.site('cars').host.write("UPDATE {preference} SET s_value = '' WHERE s_name = 'users_to_stream'");
    expect(await lines('PHP plugin')).toMatchObject([{ result: 'ok' }]);
    expect((await cli.run('check')).code).toBe(0);
  });
});
