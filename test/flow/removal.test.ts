/** Accounts that are deleted on one site: what goes with them on the others, and what else may happen to them meanwhile. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand } from '../support/by-hand.ts';
import type { Host } from '../support/osclass/host.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let jobs: WorldSite;
let next = 0;
let email: string;
beforeAll(async () => {
  const extra = Object.fromEntries(['cars', 'homes', 'jobs'].map((name) => [name, 'guard: { removals: 9999 }']));
  world = await makeWorld(['cars', 'homes', 'jobs'], { manual: true, extra });
  [cars, homes, jobs] = [world.site('cars'), world.site('homes'), world.site('jobs')];
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());
beforeEach(() => {
  email = `person${next++}@example.com`;
});

const register = (host: Host, name = 'Ana'): Promise<number> =>
  host.person.register({ email, name, validation: false, info: { en_US: 'Hello' } });
const isGone = async (): Promise<boolean[]> =>
  Promise.all(world.sites.map(async ({ host }) => (await host.user(email)) === undefined));

describe('a removal on a peer', () => {
  it('takes with it what Osclass takes, and leaves statistics that equal a recount', async () => {
    const { host } = homes;
    const bob = await host.person.register({ email: `bob-${email}`, name: 'Bob', validation: false });
    const place = { country: 'ES', region: 'Andalucía', city: 'Sevilla' };
    const before = await countRows(host);
    await register(cars.host);
    await settleByHand(world);
    const [stats] = await host.select('SELECT SUM(i_num_items) AS n FROM {category_stats}');
    const kept = await host.items.post(bob, { place });
    const mine = await host.items.post(email, { place, images: 2 });
    await host.items.post(email, { place, inactive: true });
    await host.items.post(email, { place, spam: true });
    await host.items.post(email, { place, expiration: '2015-06-01 12:00:00' });
    await host.items.setEnabled(await host.items.post(email, { place, category: 6 }), false);
    await host.items.comment(bob, mine);
    await host.items.comment(email, kept);
    await host.items.saveAlert(email);
    await host.person.requestEmailChange(email, `later-${email}`);

    await cars.host.person.deleteAccount(email);
    await settleByHand(world);
    expect(await isGone()).toEqual([true, true, true]);
    expect(await host.recount()).toEqual([]);
    // Bob's own item is all that is left of it, and what it counts for.
    await host.items.delete(kept);
    expect(await countRows(host)).toEqual(before);
    const [left] = await host.select('SELECT SUM(i_num_items) AS n FROM {category_stats}');
    expect(Number(left?.['n'])).toBe(Number(stats?.['n']));
    const { logs } = (await homes.admin('GET', '/v1/logs?search=FILES_LEFT')).body;
    expect(JSON.stringify(logs)).toMatch(/oc-content\/uploads\/\d+\/\d+\.jpg/);
  });

  it('beats an edit made at the same time elsewhere', async () => {
    await register(cars.host);
    await settleByHand(world);
    await cars.host.person.deleteAccount(email);
    await homes.host.person.editProfile(email, { name: 'Too late' });
    await drainAll(homes);
    await deliverAll(homes);
    await settleByHand(world);
    expect(await isGone()).toEqual([true, true, true]);
  });

  it('beats a later edit, whichever of the two travels first', async () => {
    for (const first of ['edit', 'removal']) {
      email = `${first}-${email}`;
      await register(cars.host);
      await settleByHand(world);
      await cars.host.person.deleteAccount(email);
      await homes.host.person.editProfile(email, { name: 'Later' });
      const order = first === 'edit' ? [homes, cars] : [cars, homes];
      for (const one of order) {
        await drainAll(one);
        await deliverAll(one, 'jobs');
      }
      await settleByHand(world);
      expect(await isGone()).toEqual([true, true, true]);
    }
  });

  it('is followed by a new account when the person registers again', async () => {
    await register(cars.host);
    await settleByHand(world);
    const old = await homes.host.idOf(email);
    await cars.host.person.deleteAccount(email);
    await settleByHand(world);
    expect(await isGone()).toEqual([true, true, true]);
    await register(homes.host, 'Ana again');
    await settleByHand(world);
    for (const { host } of world.sites) expect(await host.user(email)).toMatchObject({ s_name: 'Ana again' });
    expect(await homes.host.idOf(email)).not.toBe(old);
    expect(await world.differences()).toEqual([]);
    // The new account is one everywhere: an edit on any site reaches the others.
    await jobs.host.person.editProfile(email, { name: 'Ana at jobs' });
    await settleByHand(world);
    expect(await cars.host.user(email)).toMatchObject({ s_name: 'Ana at jobs' });
  });

  it('and a registration under the same address, drained together, leave the new account everywhere', async () => {
    await register(cars.host);
    await settleByHand(world);
    await cars.host.person.deleteAccount(email);
    await register(cars.host, 'Ana again');
    await settleByHand(world);
    for (const { host } of world.sites) expect(await host.user(email)).toMatchObject({ s_name: 'Ana again' });
    expect(await world.differences()).toEqual([]);
  });

  it('does not touch an account that was registered again elsewhere meanwhile', async () => {
    await register(cars.host);
    await settleByHand(world);
    await homes.host.person.deleteAccount(email);
    await drainAll(homes);
    await deliverAll(homes, 'cars');
    await register(cars.host, 'Ana again');
    await drainAll(cars);
    await deliverAll(cars, 'jobs');
    await settleByHand(world);
    for (const { host } of world.sites) expect(await host.user(email)).toMatchObject({ s_name: 'Ana again' });
    expect(await world.differences()).toEqual([]);
  });

  it('on two sites at once is one removal, and the sites are silent after it', async () => {
    await register(cars.host);
    await settleByHand(world);
    await cars.host.person.deleteAccount(email);
    await homes.host.person.deleteAccount(email);
    await settleByHand(world);
    expect(await isGone()).toEqual([true, true, true]);
  });

  it('of an account whose address changed meanwhile removes it under the new one', async () => {
    await register(cars.host);
    await settleByHand(world);
    await homes.host.person.changeEmail(email, `moved-${email}`);
    await drainAll(homes);
    await cars.host.person.deleteAccount(email);
    await settleByHand(world);
    expect(await isGone()).toEqual([true, true, true]);
    email = `moved-${email}`;
    expect(await isGone()).toEqual([true, true, true]);
  });
});

const COUNTED = [
  't_user',
  't_user_description',
  't_user_email_tmp',
  't_alerts',
  't_item',
  't_item_description',
  't_item_comment',
  't_item_location',
  't_item_resource',
  't_item_stats',
  't_item_meta',
];

async function countRows(host: Host): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of COUNTED) {
    const [row] = await host.select(`SELECT COUNT(*) AS n FROM {${table.slice(2)}}`);
    counts[table] = Number(row?.['n']);
  }
  return counts;
}
