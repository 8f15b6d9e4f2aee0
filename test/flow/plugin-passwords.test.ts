/**
 * The plugin masks passwords in feeds, stores what came masked as if it were a hash, and streams that. Whatever the order:
 * who could log in at a daemon's site still can. The seed is printed; `PASSWORD_SEED` repeats it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { siteOf } from '../support/by-hand.ts';
import { makeRandom } from '../support/osclass/random.ts';
import { mask } from '../support/php-plugin/form.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';

const SEED = Number(process.env['PASSWORD_SEED'] ?? 20261121);
const ORDERS = 20;
const STEPS = 10;

describe(`${ORDERS} orders of feed and stream (PASSWORD_SEED=${SEED})`, () => {
  let mesh: PluginMesh;
  beforeAll(async () => {
    mesh = await makePluginMesh();
  }, 60_000);
  afterAll(() => mesh.close());

  it.each(Array.from({ length: ORDERS }, (_, n) => n))('order %i leaves the password alone', async (n) => {
    const random = makeRandom(`${SEED}/${n}`);
    const email = `p${n}@example.com`;
    const { cars, homes, jobs } = mesh;
    const id = await cars.host.person.register({ email, name: 'Pia', validation: false });
    const told: string[] = [];
    const hashAt = async (host: typeof cars.host): Promise<unknown> => (await host.user(email))?.s_password;
    let hash = await hashAt(cars.host);
    const feed = async (overwrite: boolean): Promise<void> => {
      await (await siteOf(cars)).feed('jobs', { restart: true, once: false, dryRun: false, overwrite });
    };
    const steps: Readonly<Record<string, () => Promise<unknown>>> = {
      'cars takes a feed': () => feed(false),
      'cars takes a feed, as from a master': () => feed(true),
      'cars takes a rolling re-feed': () => mesh.refeed(cars),
      'homes takes a feed': () => mesh.refeed(homes),
      'cars works': () => mesh.work(cars),
      'homes works': () => mesh.work(homes),
      'jobs takes a page of cars': () => jobs.feed('cars'),
      'jobs has stored a masked one': () =>
        jobs.host.write('UPDATE {user} SET s_password = ? WHERE s_email = ?', [mask(String(hash)), email]),
      'jobs has another masked one': () =>
        jobs.host.write(
          "UPDATE {user} SET s_password = CONCAT(LEFT(s_password, 9), 'x**********0123456789...') WHERE s_email = ?",
          [email],
        ),
      'jobs streams': async () => {
        if ((await jobs.host.user(email)) === undefined) return;
        await jobs.person.editProfile(email, { name: `Pia ${random.int(9)}` });
        await jobs.runCron();
      },
      'the password changes at cars': async () => {
        hash = await cars.host.person.changePassword(id);
      },
    };
    for (let step = 0; step < STEPS; step += 1) {
      const name = random.pick(Object.keys(steps));
      told.push(name);
      await steps[name]?.();
      expect(await hashAt(cars.host), told.join(', ')).toBe(hash);
    }
    await mesh.settle();
    expect([await hashAt(cars.host), await hashAt(homes.host)], told.join(', ')).toEqual([hash, hash]);
    // What it streams shows what it has stored, and then it is told.
    await steps['jobs streams']?.();
    await mesh.settle();
    expect(await hashAt(jobs.host), told.join(', ')).toBe(hash);
  });

  it('a user that is new here with a masked one is reported, and logs in once the plugin sends it whole', async () => {
    const { cars, jobs } = mesh;
    const email = 'new@example.com';
    await jobs.host.person.register({ email, name: 'New', validation: false });
    await mesh.refeed(cars);
    const before = String((await cars.host.user(email))?.s_password);
    expect(before).not.toContain('*');
    const { logs } = await (await siteOf(cars)).activity.query({ search: 'PASSWORD_MISSING', limit: 1000 });
    expect(logs.filter((entry) => entry.content['userId'] !== undefined)).not.toEqual([]);
    await jobs.person.editProfile(email, {});
    await jobs.runCron();
    const [here, there] = [await cars.host.user(email), await jobs.host.user(email)];
    expect(here?.s_password).toBe(there?.s_password);
  });
});
