/**
 * Accounts that one engine makes for another have what Osclass fills at every registration: a secret, which alone guards
 * "delete my account", and a user name, without which the profile address is that of the login page.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { siteOf } from '../support/by-hand.ts';
import { installPlugin } from '../support/installed-plugin.ts';
import { DEFAULT_COLUMNS } from '../support/php-plugin/store.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';
import type { Host } from '../support/osclass/host.ts';
import { makeWorld, type World } from '../support/world.ts';

const SECRET = /^[0-9a-f]{40}$/;

describe('an account that the daemon makes on a plugin site', () => {
  let mesh: PluginMesh;
  let email = '';
  let count = 0;
  beforeAll(async () => {
    mesh = await makePluginMesh();
  }, 60_000);
  afterAll(() => mesh.close());
  beforeEach(() => {
    email = `r${++count}@example.com`;
  });

  const secretAt = async (host: Host): Promise<unknown> => (await host.user(email))?.s_secret;
  const there = async () => (await mesh.jobs.host.user(email)) ?? {};

  it('has a secret of its own, which is not that of here, and keeps it', async () => {
    await mesh.cars.host.person.register({ email, name: 'Ana', validation: false });
    await mesh.work(mesh.cars);
    const secret = await secretAt(mesh.jobs.host);
    expect(secret).toMatch(SECRET);
    expect(secret).not.toBe(await secretAt(mesh.cars.host));
    await mesh.cars.host.person.editProfile(email, { name: 'Ana B' });
    await mesh.work(mesh.cars);
    expect(await secretAt(mesh.jobs.host)).toBe(secret);
    const kept = await mesh.cars.db.query<{ hashes: string }>('SELECT hashes FROM oc_account_sync_seen');
    expect(JSON.stringify(kept)).not.toContain(String(secret));
  });

  it('has one if the first answer was lost, or the plugin fetched it with a feed', async () => {
    await mesh.cars.host.person.register({ email, name: 'Ben', validation: false });
    mesh.weather = (way) => (way === 'in' ? 'refused' : 'fair');
    await mesh.work(mesh.cars);
    mesh.weather = () => 'fair';
    await mesh.hourPasses();
    await mesh.work(mesh.cars);
    expect(await secretAt(mesh.jobs.host)).toMatch(SECRET);
    email = `fed@example.com`;
    await mesh.cars.host.person.register({ email, name: 'Fed', validation: false });
    for (let more = 1; more > 0;) more = await mesh.jobs.feed('cars');
    expect(await secretAt(mesh.jobs.host)).toMatch(SECRET);
  });

  it('gets its id there as user name once the plugin said which that is', async () => {
    await mesh.cars.host.person.register({ email, name: 'Cid', validation: false });
    await mesh.work(mesh.cars);
    expect((await there()).s_username).toBe('');
    await mesh.hourPasses();
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    expect((await there()).s_username).toBe(String((await there()).pk_i_id));
    const row = (await mesh.cars.host.user(email)) ?? {};
    expect(row.s_username).toBe(String(row.pk_i_id));
  });

  it('has one if the page of a feed that had it was lost on its way, and came again', async () => {
    await mesh.cars.host.person.register({ email, name: 'Dan', validation: false });
    mesh.weather = (way) => (way === 'out' ? 'answer-lost' : 'fair');
    expect(await mesh.jobs.feed('cars')).toBe(0);
    mesh.weather = () => 'fair';
    for (let more = 1; more > 0;) more = await mesh.jobs.feed('cars');
    expect(await secretAt(mesh.jobs.host)).toMatch(SECRET);
  });

  it('gets both if it was deleted there, and a page of a feed made it again before the removal was sent', async () => {
    await mesh.cars.host.person.register({ email, name: 'Fay', validation: false });
    await mesh.work(mesh.cars);
    await mesh.hourPasses();
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    await mesh.jobs.person.deleteAccount(email);
    for (let more = 1; more > 0;) more = await mesh.jobs.feed('cars');
    expect(await secretAt(mesh.jobs.host)).toBeNull();
    await mesh.jobs.runCron();
    await mesh.hourPasses();
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    expect(await there()).toMatchObject({ s_name: 'Fay', s_secret: expect.stringMatching(SECRET) as string });
    await mesh.hourPasses();
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    expect((await there()).s_username).toBe(String((await there()).pk_i_id));
  });

  it('that an earlier version made without a secret gets one, and one that the plugin does not store is not sent for ever', async () => {
    await mesh.cars.host.person.register({ email, name: 'Eva', validation: false });
    await mesh.work(mesh.cars);
    await mesh.jobs.host.write('UPDATE {user} SET s_secret = NULL WHERE s_email = ?', [email]);
    await mesh.cars.db.query(
      `UPDATE oc_account_sync_seen SET hashes = REGEXP_REPLACE(hashes, ',"s_secret":"[^"]*"', '')`,
    );
    await mesh.hourPasses();
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    expect(await secretAt(mesh.jobs.host)).toMatch(SECRET);
    await mesh.hourPasses();
    // Here somebody takes the column out of the plugin's list.
    await mesh.jobs.host.write('UPDATE {user} SET s_secret = NULL WHERE s_email = ?', [email]);
    const list = DEFAULT_COLUMNS.filter((name) => name !== 's_secret');
    mesh.jobs.accounts.forEach((account) => Object.assign(account, { columns: list }));
    for (let round = 0; round < 3; round++) {
      await mesh.refeed(mesh.cars);
      await mesh.work(mesh.cars);
      await mesh.hourPasses();
    }
    const site = await siteOf(mesh.cars);
    expect(await site.plugin.unguarded('jobs')).toBe(1);
    await mesh.refeed(mesh.cars);
    expect((await site.deliver(site.route('jobs'))).done).toBe(0);
    mesh.jobs.accounts.forEach((account) => Object.assign(account, { columns: DEFAULT_COLUMNS }));
  });
});

describe('a site that moves from the plugin to a daemon', () => {
  let world: World;
  afterAll(() => world.close());

  it('gives the accounts that the plugin made what they lack, and changes nothing else', async () => {
    world = await makeWorld(['cars', 'homes'], { idle: true });
    for (const one of world.sites) {
      await one.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
      await one.host.write(
        `INSERT INTO {user} SET s_name = 'Ben', s_username = '', s_email = 'ben@example.com', s_password = LEFT(SHA2('x', 256), 40), b_active = 1,
         dt_reg_date = '0000-00-00 00:00:00', dt_mod_date = '2024-05-01 10:00:00'`,
      );
      await one.host.write(
        `INSERT INTO {user} SET s_name = 'Cid', s_username = 'cid', s_email = 'cid@example.com', s_password = LEFT(SHA2('x', 256), 40),
         s_secret = '', dt_reg_date = '2024-04-01 10:00:00'`,
      );
    }
    await installPlugin(world.site('cars').db);
    const before = await world.site('cars').host.user('ana@example.com');
    await world.site('cars').start({ manual: true });
    await world.site('homes').start({ manual: true });
    for (const one of world.sites) {
      const site = await siteOf(one);
      while (await site.isScanPending()) await site.scanPage();
    }
    const cars = world.site('cars');
    const [ben, cid] = [await cars.host.user('ben@example.com'), await cars.host.user('cid@example.com')];
    expect(ben).toMatchObject({ s_username: String(ben?.pk_i_id), dt_reg_date: '2024-05-01 10:00:00' });
    expect(ben?.s_secret).toMatch(SECRET);
    expect(cid).toMatchObject({ s_username: 'cid', dt_reg_date: '2024-04-01 10:00:00' });
    expect(cid?.s_secret).toMatch(SECRET);
    expect(cid?.s_secret).not.toBe(ben?.s_secret);
    expect(await cars.host.user('ana@example.com')).toEqual(before);
    expect(await cars.db.query('SELECT 1 FROM oc_account_sync_queue')).toEqual([]);
    const { logs } = await (await siteOf(cars)).activity.query({ search: 'what Osclass fills', limit: 10 });
    expect(logs).toMatchObject([{ type: 'PROCESS', content: { operation: 'repair', accounts: 2 } }]);
    // No trace of the plugin: nothing is touched.
    expect((await world.site('homes').host.user('ben@example.com'))?.s_secret).toBeNull();
  });
});
