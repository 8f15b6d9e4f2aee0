/** docs/plugin-peers.md, "Moving one site at a time", in its order: a site with the PHP plugin gets a daemon while people edit everywhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.js';
import { parseConfig } from '../../src/config/load.ts';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import { silentLog } from '../../src/runtime/logger.ts';
import type { Site } from '../../src/site/site.ts';
import { letTimePass, nextSecond, siteOf } from '../support/by-hand.ts';
import { configOf } from '../support/cli.ts';
import { installPlugin, setActive } from '../support/installed-plugin.ts';
import type { Host } from '../support/osclass/host.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';
import { keyOf, tokenOf, type WorldSite } from '../support/world.ts';

const FEED = { restart: true, once: false, dryRun: false, overwrite: false };
const GUARD = 'guard: { removals: 100000, percent: 100 }';

let mesh: PluginMesh;
let daemon: Daemon | undefined;
beforeAll(async () => {
  mesh = await makePluginMesh();
}, 60_000);
afterAll(async () => {
  await daemon?.stop('over');
  await mesh?.close();
});

/** What the loops of the three do, until nothing moves. */
async function settle(sites: readonly Site[]): Promise<void> {
  for (let round = 0; round < 40; round++) {
    let moved = 0;
    for (const site of sites) {
      moved += (await site.drain()).done;
      for (const route of site.routes()) moved += (await site.deliver(route)).done;
      moved += (await site.retryParked()).outcomes.filter((outcome) => outcome.result === 'applied').length;
    }
    for (const one of mesh.world.sites) await letTimePass(one);
    if (moved === 0) return;
  }
  throw new Error('never silent');
}

async function restart(one: WorldSite, other: WorldSite, jobsUrl: string): Promise<void> {
  const text = configOf(one, [other, { name: 'jobs', url: jobsUrl }], { extra: GUARD });
  await one.stop();
  await one.start({ config: parseConfig(text, `${one.name}.yaml`, {}, () => '').config });
}

describe('Moving one site at a time', () => {
  it('no edit and no account is lost, and what the plugin left empty is filled', async () => {
    const { cars, homes, jobs } = mesh;
    const { host } = jobs;
    const register = (on: { person: Host['person'] }, name: string) =>
      on.person.register({ email: `${name}@example.com`, name, validation: false });
    await register(cars.host, 'ana');
    await register(homes.host, 'bob');
    await register(jobs, 'cid');
    await register(jobs, 'dan');
    await mesh.settle();
    for (const one of mesh.world.sites) await mesh.refeed(one);
    await mesh.settle();
    // As an earlier version, or settings that leave the columns out, made them.
    await host.write(
      "UPDATE {user} SET s_secret = NULL, s_username = '' WHERE s_email IN ('ana@example.com', 'bob@example.com')",
    );
    const names = await host.select('SELECT pk_i_id AS id, s_email FROM {user} ORDER BY pk_i_id');

    // 1. What it has queued is sent; the plugin is disabled.
    await jobs.person.editProfile('cid@example.com', { website: 'https://queued.example.com' });
    await jobs.runCron();
    await installPlugin(mesh.jobsDb, { settings: { apikey: keyOf('jobs') }, accounts: [] });
    await setActive(mesh.jobsDb, false);
    // A site whose plugin is off answers 200, and to the others that is no answer of the plugin.
    mesh.weather = (way) => (way === 'in' ? 'off' : 'fair');
    // An edit is later than what was there before by the seconds that Osclass keeps.
    await nextSecond(cars);
    // People of all three go on: there with nothing that listens, here sending to a plugin that is off.
    await host.person.editProfile('cid@example.com', { phoneMobile: '+34 1' });
    await register(host, 'eva');
    await cars.host.person.editProfile('ana@example.com', { website: 'https://meanwhile.example.com' });
    await mesh.work(cars);
    await register(homes.host, 'fay');
    await mesh.work(homes);
    const port = await freePort();
    const { name, port: server, host: address, user, password } = mesh.jobsDb;
    const text = `site: { name: jobs, url: "https://jobs.example.com/", api_key: ${keyOf('jobs')} }
database: { host: ${address}, port: ${server}, user: ${user}, password: ${JSON.stringify(password)}, name: ${name} }
http: { host: 127.0.0.1, port: ${port}, admin_token: ${tokenOf('jobs')} }
${GUARD}
peers:
  - { name: cars, url: "${cars.url}", api_key: ${keyOf('cars')} }
  - { name: homes, url: "${homes.url}", api_key: ${keyOf('homes')} }
`;
    daemon = await startDaemon({
      config: parseConfig(text, 'jobs.yaml', {}, () => '').config,
      log: silentLog,
      manual: true,
    });
    const { site } = await daemon.ready;
    while (await site.isScanPending()) await site.scanPage();
    // Between install and the new address on the other sites.
    await host.person.editProfile('dan@example.com', { address: 'Calle Mayor 1' });
    await cars.host.person.editProfile('dan@example.com', { company: true });
    await mesh.work(cars);

    // 2 and 4. The other sites get the address of the daemon, and it is a plugin no more.
    await restart(cars, homes, daemon.url);
    await restart(homes, cars, daemon.url);
    await host.person.changePassword('cid@example.com');
    const sites = [await siteOf(cars), await siteOf(homes), site];
    // 3. Feeds both ways.
    for (const peer of ['cars', 'homes'])
      expect(await site.feed(peer, FEED)).toMatchObject({ complete: true, parked: 0 });
    for (const one of sites.slice(0, 2))
      expect(await one.feed('jobs', FEED)).toMatchObject({ complete: true, parked: 0 });
    await settle(sites);

    const all = ['ana', 'bob', 'cid', 'dan', 'eva', 'fay'].map((one) => `${one}@example.com`);
    for (const one of [cars.host, homes.host, host]) {
      expect((await one.select('SELECT s_email FROM {user} ORDER BY s_email')).map((row) => row.s_email)).toEqual(all);
      expect(await one.user('cid@example.com')).toMatchObject({
        s_website: 'https://queued.example.com',
        s_phone_mobile: '+34 1',
      });
      expect(await one.user('ana@example.com')).toMatchObject({ s_website: 'https://meanwhile.example.com' });
      expect(await one.user('dan@example.com')).toMatchObject({ s_address: 'Calle Mayor 1', b_company: 1 });
      expect((await one.user('cid@example.com'))?.s_password).toBe((await host.user('cid@example.com'))?.s_password);
    }
    // Nobody was made again there, and what was empty is filled.
    const after = await host.select('SELECT pk_i_id AS id, s_email, s_secret, s_username FROM {user} ORDER BY pk_i_id');
    expect(after.map(({ id, s_email }) => ({ id, s_email }))).toEqual(expect.arrayContaining(names));
    for (const row of after) {
      expect(row.s_secret).toMatch(/^\S{8,}$/);
      expect(row.s_username).not.toBe('');
    }
    expect(after.find((row) => row.s_email === 'ana@example.com')).toMatchObject({
      s_secret: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
  }, 240_000);
});
