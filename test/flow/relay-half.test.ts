/** Three in a row: native homes, cars, and jobs with the PHP plugin. What relays, and what says so where it does not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { checkRelays } from '../../src/admin/check/relays.ts';
import { reportUser, type PeerReport } from '../../src/admin/user-report.ts';
import { letTimePass, scanAll, siteOf } from '../support/by-hand.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createHost } from '../support/osclass/host.ts';
import { makePhpPlugin, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World } from '../support/world.ts';

const RELAYS = [
  ['on the entry of the plugin peer alone', '', false],
  ['on both entries', '    relay: true\n', true],
] as const;

describe.each(RELAYS)('relay: true %s', { timeout: 60_000 }, (_where, ofHomes, isBoth) => {
  let world: World;
  let jobs: PhpPlugin;
  let database: TestDatabase;
  let cli: Cli;

  beforeAll(async () => {
    database = await createDatabase();
    const host = await createHost(database, { name: 'jobs', locationOffset: 900 });
    const accounts: { name: string; url: string; apiKey: string }[] = [];
    jobs = await makePhpPlugin(host, { apiKey: keyOf('jobs'), accounts });
    world = await makeWorld(['cars', 'homes'], {
      manual: true,
      peers: { cars: ['homes', 'jobs'], homes: ['cars'] },
      peerUrl: (_from, to, port) => (to === 'jobs' ? jobs.url : `http://127.0.0.1:${port}/`),
      peerExtra: { 'cars.jobs': '    protocol: plugin\n    relay: true\n', 'cars.homes': ofHomes },
    });
    accounts.push({ name: 'cars', url: world.site('cars').url, apiKey: keyOf('cars') });
    await scanAll(world);
    const homes = `{ name: homes, url: "${world.site('homes').url}", api_key: ${keyOf('homes')}${isBoth ? ', relay: true' : ''} }`;
    const plugin = `{ name: jobs, url: "${jobs.url}", api_key: ${keyOf('jobs')}, protocol: plugin, relay: true }`;
    cli = makeCli(configOf(world.site('cars'), []).replace('peers: []', `peers: [${homes}, ${plugin}]`));
  }, 60_000);
  afterAll(async () => {
    await world.close();
    await jobs.close();
    await jobs.host.close();
    await database.drop();
    cli.close();
  });

  const settle = async (): Promise<void> => {
    for (let moved = 1; moved > 0;) {
      moved = jobs.queue.users.size + jobs.queue.removals.size;
      await jobs.runCron();
      for (const one of world.sites) {
        const site = await siteOf(one);
        await letTimePass(one);
        moved += (await site.drain()).done;
        for (const route of site.routes()) moved += (await site.deliver(route)).done;
      }
    }
  };
  const explained = async (who: string): Promise<PeerReport> => {
    const { db, activity, status, snapshot, routes } = await siteOf(world.site('cars'));
    const { hosts } = snapshot();
    const report = await reportUser({ db, hosts, activity, status, routes: routes() }, who);
    return report?.peers.find(({ peer }) => peer === 'jobs') as PeerReport;
  };
  const advice = (): string[] =>
    checkRelays(world.site('cars').config).map(({ check, message, remedy }) => `${check}: ${message}. ${remedy}`);

  it('check says which entry lacks it, if one does', () => {
    expect(advice()).toEqual(
      isBoth
        ? []
        : [
            'relay: what homes sends is not passed on to jobs: new accounts and removals of it do not get there. ' +
              'Set relay: true in the entry of homes too, unless homes knows jobs itself.',
          ],
    );
  });

  it('what the plugin tells goes on either way', async () => {
    await jobs.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    await settle();
    expect(await world.site('homes').host.user('ana@example.com')).toMatchObject({ s_name: 'Ana' });
  });

  it('a new account behind us gets there, or explain says that it is not passed on', async () => {
    await world.site('homes').host.person.register({ email: 'ben@example.com', name: 'Ben', validation: false });
    await settle();
    expect((await jobs.host.user('ben@example.com'))?.s_name).toBe(isBoth ? 'Ben' : undefined);
    expect((await explained('ben@example.com')).not_passed_on).toEqual(isBoth ? [] : ['homes']);
  });

  it('the command says so in words', async () => {
    const { out } = await cli.run('explain', 'ben@example.com');
    expect(out.includes('what homes sends is not passed on to it')).toBe(!isBoth);
  });

  it('so does a removal', async () => {
    await world.site('homes').host.person.deleteAccount('ana@example.com');
    await settle();
    expect(await world.site('cars').host.user('ana@example.com')).toBeUndefined();
    expect((await jobs.host.user('ana@example.com'))?.s_name).toBe(isBoth ? undefined : 'Ana');
    expect((await explained('ana@example.com')).not_passed_on).toEqual(isBoth ? [] : ['homes']);
  });

  it('of an account of our own nothing is said', async () => {
    await world.site('cars').host.person.register({ email: 'eva@example.com', name: 'Eva', validation: false });
    await settle();
    expect((await jobs.host.user('eva@example.com'))?.s_name).toBe('Eva');
    expect(await explained('eva@example.com')).toMatchObject({ confirmed: true, not_passed_on: [] });
  });
});
