/** Peers whose certificate is of an authority of the operator's own: processes of their own, for Node reads its file at the start. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import type { Finding } from '../../src/admin/check/finding.ts';
import { configOf, makeCli } from '../support/cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startFront, type Front } from '../support/front.ts';
import { createHost } from '../support/osclass/host.ts';
import { makePhpPlugin, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';

const fileOf = (name: string): string => fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url));
const KNOWN = { NODE_EXTRA_CA_CERTS: fileOf('ca.pem') };
const UNKNOWN = { NODE_EXTRA_CA_CERTS: '' };

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let secure: Front;
let jobsDb: TestDatabase;
let jobs: PhpPlugin;
let secureJobs: Front;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await homes.start();
  const certificate = { key: readFileSync(fileOf('server.key')), cert: readFileSync(fileOf('good.pem')) };
  secure = await startFront(() => homes.url, {}, certificate);
  jobsDb = await createDatabase();
  const accounts = [{ name: 'cars', url: cars.url, apiKey: keyOf('cars') }];
  jobs = await makePhpPlugin(await createHost(jobsDb, { name: 'jobs' }), { apiKey: keyOf('jobs'), accounts });
  secureJobs = await startFront(() => jobs.url, {}, certificate);
}, 120_000);
afterAll(async () => {
  await Promise.all([secure?.close(), secureJobs?.close(), jobs?.close()]);
  await jobs?.host.close();
  await jobsDb?.drop();
  await world?.close();
});

/** What is run with a config that names peers by their TLS addresses. */
async function withCli<T>(
  more: Readonly<Record<string, string>>,
  work: (cli: ReturnType<typeof makeCli>) => Promise<T>,
): Promise<T> {
  const peers = [
    { name: 'homes', url: secure.url },
    { name: 'jobs', url: secureJobs.url },
  ];
  const port = await freePort();
  const text = configOf(cars, peers, { port }).replace(/(api_key: jobs-[^ ]+)/, '$1, protocol: plugin');
  const cli = makeCli(text, undefined, more);
  try {
    return await work(cli);
  } finally {
    cli.close();
  }
}

describe('a peer with a certificate of an authority of our own', { timeout: 180_000 }, () => {
  it.each(['homes', 'jobs'])(
    'is refused by check without NODE_EXTRA_CA_CERTS, which names it as the way out: %s',
    async (peer) => {
      const { findings } = await withCli(UNKNOWN, async (cli) => {
        return JSON.parse((await cli.run('check', '--json')).out) as { findings: Finding[] };
      });
      const failures = findings.filter((one) => one.check === `peer ${peer}` && one.result === 'fail');
      expect(failures).toMatchObject([
        {
          message: expect.stringMatching(/certificate is of no authority that this machine trusts/) as string,
          remedy: expect.stringMatching(/NODE_EXTRA_CA_CERTS=FILE/) as string,
        },
      ]);
    },
  );

  it.each(['homes', 'jobs'])('is called with it: %s', async (peer) => {
    const { findings } = await withCli(KNOWN, async (cli) => {
      return JSON.parse((await cli.run('check', '--json')).out) as { findings: Finding[] };
    });
    expect(findings.filter(({ message }) => /certificate/.test(message))).toEqual([]);
    expect(findings.find((one) => one.check === `peer ${peer}`)).toMatchObject({ result: 'ok' });
  });

  it('gets users of a daemon that was started with it, and none of one that was not, whose log names the way out', async () => {
    await withCli(UNKNOWN, async (cli) => {
      const daemon = cli.start('run');
      await eventually(() => expect(daemon.out()).toMatch(/scan of all users finished/), { timeoutMs: 60_000 });
      await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
      await eventually(() => expect(daemon.out() + daemon.err()).toMatch(/of no authority[^]*NODE_EXTRA_CA_CERTS/), {
        timeoutMs: 60_000,
      });
      daemon.kill('SIGTERM');
      await daemon.ended;
    });
    expect(await homes.host.user('ana@example.com')).toBeUndefined();
    await withCli(KNOWN, async (cli) => {
      const daemon = cli.start('run');
      await eventually(
        async () => {
          expect(await homes.host.user('ana@example.com')).toBeDefined();
          expect(await jobs.host.user('ana@example.com')).toBeDefined();
        },
        { timeoutMs: 60_000 },
      );
      daemon.kill('SIGTERM');
      await daemon.ended;
    });
  });
});
