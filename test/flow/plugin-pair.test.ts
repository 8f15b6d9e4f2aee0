/** One daemon and two sites with the PHP plugin that also know each other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { letTimePass, scanAll, siteOf } from '../support/by-hand.ts';
import { createHost } from '../support/osclass/host.ts';
import { makeRandom } from '../support/osclass/random.ts';
import { makePhpPlugin, type PhpAccount, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World } from '../support/world.ts';

const SEED = Number(process.env['PAIR_SEED'] ?? 20261121);
const NAMES = ['jobs', 'shop'] as const;

describe(`one daemon and two plugins (PAIR_SEED=${SEED})`, () => {
  let world: World;
  const plugins: PhpPlugin[] = [];
  const databases: TestDatabase[] = [];

  beforeAll(async () => {
    const accounts: PhpAccount[][] = [[], []];
    for (const [at, name] of NAMES.entries()) {
      const database = await createDatabase();
      databases.push(database);
      const host = await createHost(database, { name, locationOffset: 100 * (at + 1) });
      plugins.push(await makePhpPlugin(host, { apiKey: keyOf(name), accounts: accounts[at] as PhpAccount[] }));
    }
    const urlOf = (name: string): string => plugins[NAMES.findIndex((one) => one === name)]?.url ?? '';
    // All three are one owner's, and none validates addresses.
    const entry = '    protocol: plugin\n    email_trust: verified\n    relay: true\n';
    world = await makeWorld(['cars'], {
      manual: true,
      peers: { cars: NAMES },
      peerUrl: (_from, to) => urlOf(to),
      peerExtra: { 'cars.jobs': entry, 'cars.shop': entry },
    });
    for (const [at, list] of accounts.entries()) {
      const other = NAMES[1 - at] as string;
      list.push({ name: 'cars', url: world.site('cars').url, apiKey: keyOf('cars') });
      list.push({ name: other, url: urlOf(other), apiKey: keyOf(other) });
    }
    await scanAll(world);
  }, 60_000);
  afterAll(async () => {
    await world.close();
    for (const plugin of plugins) {
      await plugin.close();
      await plugin.host.close();
    }
    for (const database of databases) await database.drop();
  });

  const work = async (): Promise<number> => {
    const one = world.site('cars');
    const site = await siteOf(one);
    await letTimePass(one);
    await one.db.query('UPDATE oc_account_sync_seen SET changed_at = changed_at - INTERVAL 1 HOUR');
    let moved = (await site.drain()).done;
    for (const route of site.routes()) moved += (await site.deliver(route)).done;
    return moved;
  };
  /** Throws if it never ends. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 30; round++) {
      let moved = await work();
      for (const plugin of plugins) {
        moved += plugin.queue.users.size + plugin.queue.removals.size;
        await plugin.runCron();
      }
      if (moved === 0) return;
    }
    throw new Error('never silent');
  };
  const three = () => [world.site('cars').host, ...plugins.map((plugin) => plugin.host)];
  const rowsOf = (email: string): Promise<unknown[]> =>
    Promise.all(
      three().map(async (host) => {
        const { s_name, s_phone_mobile, b_enabled, b_active, s_password } = (await host.user(email)) ?? {};
        return { s_name, s_phone_mobile, b_enabled, b_active, s_password };
      }),
    );
  it('what one plugin tells comes to the other, also through the daemon alone', async () => {
    const [jobs] = plugins as [PhpPlugin, PhpPlugin];
    await jobs.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    await settle();
    await jobs.person.editProfile('ana@example.com', { name: 'Ana B', phoneMobile: '42' });
    await settle();
    const rows = await rowsOf('ana@example.com');
    expect(rows).toEqual([rows[0], rows[0], rows[0]]);
    expect(rows[0]).toMatchObject({ s_name: 'Ana B', s_phone_mobile: '42' });
  });

  it('a removal goes round once, and does not reach who registers again after it', async () => {
    const [jobs, shop] = plugins as [PhpPlugin, PhpPlugin];
    await jobs.person.deleteAccount('ana@example.com');
    await jobs.runCron();
    await work();
    expect(await shop.host.user('ana@example.com')).toBeUndefined();
    await world.site('cars').host.person.register({ email: 'ana@example.com', name: 'Again', validation: false });
    await work();
    // The two send the removal back and forth, until neither has anybody to remove.
    const site = await siteOf(world.site('cars'));
    for (let hour = 0; hour < 3; hour++) {
      for (const plugin of plugins) await plugin.runCron();
      for (const route of site.routes()) await site.deliver(route);
    }
    expect([jobs, shop].map((plugin) => plugin.queue.removals.size)).toEqual([0, 0]);
    await settle();
    const rows = await rowsOf('ana@example.com');
    expect(rows).toEqual([rows[0], rows[0], rows[0]]);
    expect(rows[0]).toMatchObject({ s_name: 'Again' });
  });

  it.each(Array.from({ length: 12 }, (_, run) => run))('day %i ends equal', async (run) => {
    const random = makeRandom(`${SEED}/${run}`);
    const email = `pair${run}@example.com`;
    const sites = [world.site('cars').host, ...plugins];
    const told: string[] = [];
    await random.pick(sites).person.register({ email, name: 'New', validation: false });
    await settle();
    for (let step = 0; step < 25; step++) {
      const at = random.int(3);
      const site = sites[at] as PhpPlugin;
      const kind = random.int(6);
      told.push(`${at} ${kind}`);
      if (kind === 0) await site.person.editProfile(email, { name: `N${random.int(5)}` });
      if (kind === 1) await site.person.editProfile(email, { phoneMobile: String(random.int(5)) });
      if (kind === 2) await site.admin[random.pick(['block', 'unblock'] as const)](email);
      if (kind === 3) await work();
      if (kind === 4 && at > 0) await site.runCron();
      if (kind === 5 && at > 0) await site.feed('cars');
      if (kind === 5 && at === 0) await site.person.changePassword(email);
    }
    await settle();
    const rows = await rowsOf(email);
    expect(rows, told.join('; ')).toEqual([rows[0], rows[0], rows[0]]);
  });
});
