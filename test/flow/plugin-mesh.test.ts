/**
 * Random days of two daemons and one site with the PHP plugin: people on all three, a network that fails, a plugin that
 * forgets. The seed is printed; `MESH_SEED` repeats it, `MESH_RUNS` sets how many, `MESH_FIRST` where to begin.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRandom, type Random } from '../support/osclass/random.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';
import type { Weather } from '../support/php-plugin/plugin.ts';

const RUNS = Number(process.env['MESH_RUNS'] ?? 15);
const FIRST = Number(process.env['MESH_FIRST'] ?? 0);
const SEED = Number(process.env['MESH_SEED'] ?? 20261121);
const STEPS = 50;
const BAD: readonly Weather[] = ['refused', 'answer-lost', 'maintenance'];
const TEXTS = ['Zoë & Co', 'A <b>bold</b> one', '1 < 2 > 1', 'caf&eacute;', 'smile 😀', '', 'plain', "O'Neil"];
const NUMBERS = ['+49 151', '+491511234567', '007', '1e5', ' 12', '+0049', '', '.5', '42'];

describe(`${RUNS} days of two daemons and a plugin (MESH_SEED=${SEED})`, () => {
  let mesh: PluginMesh;
  let random: Random = makeRandom(SEED);
  let trouble = 0;
  let told: string[] = [];

  beforeAll(async () => {
    mesh = await makePluginMesh();
  }, 60_000);
  afterAll(() => mesh.close());

  const act = async (prefix: string): Promise<void> => {
    const sites = [mesh.cars.host, mesh.homes.host, mesh.jobs];
    const site = random.pick(sites);
    const host = 'queue' in site ? site.host : site;
    const say = (what: string): void => {
      told.push(`${host.name}: ${what}`);
    };
    const mine = [...(await host.users()).users.keys()].filter((email) => email.startsWith(prefix));
    const user = mine.length > 0 ? random.pick(mine) : undefined;
    const kind = random.int(14);
    if (user === undefined || kind <= 1) {
      const email = `${prefix}${random.int(2)}@example.com`;
      if (mine.includes(email)) return;
      say(`register ${email}`);
      await site.person.register({ email, name: random.pick(TEXTS), validation: random.chance(0.5) });
    } else if (kind <= 5) {
      const changes = random.pick([
        { name: random.pick(TEXTS) },
        { phoneMobile: random.pick(NUMBERS) },
        { address: random.pick(TEXTS), zip: random.pick(NUMBERS) },
        { country: 'ES', region: 'Andalucía', city: random.pick(['Sevilla', 'Málaga']) },
        { info: { en_US: random.pick(TEXTS) } },
        { company: random.chance(0.5), website: `https://example.com/?a=${random.int(9)}&b=2` },
      ]);
      say(`edit ${user} ${JSON.stringify(changes)}`);
      await site.person.editProfile(user, changes);
    } else if (kind === 6) {
      say(`password ${user}`);
      await site.person.changePassword(user);
    } else if (kind === 7) {
      const action = random.pick(['block', 'unblock', 'activate', 'deactivate'] as const);
      say(`${action} ${user}`);
      await site.admin[action](user);
    } else if (kind === 8 && random.chance(0.5)) {
      say(`delete ${user}`);
      await site.person.deleteAccount(user);
    } else if (kind === 9) {
      told.push('an hour passes');
      await mesh.hourPasses();
      await mesh.jobs.runCron();
    } else if (kind === 10) {
      const one = random.pick(mesh.world.sites);
      told.push(`${one.name} takes a feed`);
      await mesh.refeed(one).catch(() => undefined);
    } else if (kind === 11) {
      const one = random.pick(mesh.world.sites);
      told.push(`jobs takes a page of ${one.name}`);
      await mesh.jobs.feed(one.name);
    } else {
      const one = random.pick(mesh.world.sites);
      told.push(`${one.name} works`);
      await mesh.work(one);
    }
  };

  /**
   * Two registrations of one address that nobody confirmed are not taken for one, nor is the plugin sent an account that nobody
   * confirmed: the owner opens the links that were mailed, on all sites.
   */
  const confirmWaiting = async (): Promise<void> => {
    for (const one of [mesh.cars, mesh.homes]) {
      const waiting = await one.db.query<{ id: number | string }>(
        `SELECT user_id AS id FROM oc_account_sync_parked WHERE code = 'EMAIL_UNPROVEN' AND user_id IS NOT NULL
         UNION SELECT ref FROM oc_account_sync_outbox WHERE code = 'EMAIL_UNPROVEN'`,
      );
      for (const { id } of waiting) {
        const email = String((await one.host.user(Number(id)))?.s_email);
        told.push(`${one.name}: the owner of ${email} opens the links`);
        await one.host.person.clickValidationLink(email);
        if ((await mesh.jobs.host.user(email)) !== undefined) await mesh.jobs.host.person.clickValidationLink(email);
      }
    }
    await mesh.settle();
    for (const one of mesh.world.sites) await mesh.refeed(one);
    await mesh.settle();
  };

  it.each(Array.from({ length: RUNS }, (_, run) => FIRST + run))('day %i', async (run) => {
    told = [];
    random = makeRandom(`${SEED}/${run}`);
    trouble = random.pick([0, 0, 0.2, 0.5]);
    mesh.weather = () => (random.chance(trouble) ? random.pick(BAD) : 'fair');
    const prefix = `d${run}u`;
    for (let step = 0; step < STEPS; step++) await act(prefix);

    trouble = 0;
    await mesh.settle();
    for (const one of mesh.world.sites) await mesh.refeed(one);
    await mesh.settle();
    await confirmWaiting();
    const ofDaemons = (await mesh.world.differences()).filter(({ email }) => email.startsWith(prefix));
    expect(ofDaemons, told.join('\n')).toEqual([]);

    // What the plugin forgot or never queues, it sends when the account is saved there again.
    for (const email of (await mesh.jobs.host.users()).users.keys()) {
      if (email.startsWith(prefix)) await mesh.jobs.person.editProfile(email, {});
    }
    await mesh.settle();
    const all = [...(await mesh.world.differences()), ...(await mesh.differences(mesh.cars))];
    expect(
      all.filter((one) => JSON.stringify(one).includes(prefix)),
      told.join('\n'),
    ).toEqual([]);
  });
});
