/**
 * Random days of two daemons and one site with the PHP plugin: people on all three, a network that fails, a plugin that
 * forgets. The seed is printed; `MESH_SEED` repeats it, `MESH_RUNS` sets how many, `MESH_FIRST` where to begin.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRandom, type Random } from '../support/osclass/random.ts';
import { heldOn } from '../support/held.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';
import type { Weather } from '../support/php-plugin/plugin.ts';
import { resetByMail } from '../support/validation.ts';

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
        // The plugin never says that a text was emptied.
        { info: { en_US: random.pick('queue' in site ? TEXTS.filter((text) => text !== '') : TEXTS) } },
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
   * What waits until somebody proves an address: its owner does so, once, on the one site where it waits; by the link of the
   * registration, or, where nobody waits for that, by setting a password by mail.
   */
  const proveWaiting = async (prefix: string): Promise<void> => {
    for (const one of mesh.world.sites) {
      const waiting = await one.db.query<{ email: string; active: number; enabled: number }>(
        `SELECT s_email AS email, b_active AS active, b_enabled AS enabled FROM oc_t_user WHERE s_email LIKE ? AND pk_i_id IN (
           SELECT user_id FROM oc_account_sync_parked WHERE code = 'EMAIL_UNPROVEN'
           UNION SELECT ref FROM oc_account_sync_outbox WHERE code = 'EMAIL_UNPROVEN' AND kind = 'u')`,
        [`${prefix}%`],
      );
      for (const { email, active, enabled } of waiting) {
        told.push(`${one.name}: the owner of ${email} proves the address`);
        // Osclass lets nobody who is blocked set a password.
        if (enabled === 0) await one.host.admin.unblock(email);
        if (active === 0) await one.host.person.clickValidationLink(email);
        else await resetByMail(one.host, email);
      }
      if (waiting.length > 0) await mesh.settle();
    }
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
    await proveWaiting(prefix);
    const held = (await Promise.all(mesh.world.sites.map(heldOn))).flat();
    const ofDaemons = (await mesh.world.differences()).filter(
      ({ email }) => email.startsWith(prefix) && !held.includes(email),
    );
    expect(ofDaemons, told.join('\n')).toEqual([]);

    // What the plugin forgot or never queues, it sends when the account is saved there again.
    for (const email of (await mesh.jobs.host.users()).users.keys()) {
      if (email.startsWith(prefix)) await mesh.jobs.person.editProfile(email, {});
    }
    await mesh.settle();
    const all = [...(await mesh.world.differences()), ...(await mesh.differences(mesh.cars))];
    expect(
      all.filter(
        (one) => JSON.stringify(one).includes(prefix) && !held.some((email) => JSON.stringify(one).includes(email)),
      ),
      told.join('\n'),
    ).toEqual([]);
  });
});
