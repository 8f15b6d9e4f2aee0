/** `peers[].removal_mode`: what the removals of one peer do here, whatever those of the others do. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scanAll, settleByHand } from '../support/by-hand.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let jobs: WorldSite;
beforeAll(async () => {
  world = await makeWorld(['cars', 'homes', 'jobs'], {
    manual: true,
    extra: { homes: 'removal: { mode: ignore }\nguard: { percent: 100 }', cars: 'guard: { percent: 100 }' },
    peerExtra: { 'homes.cars': '    removal_mode: disable\n', 'cars.homes': '    removal_mode: delete\n' },
  });
  [cars, homes, jobs] = [world.site('cars'), world.site('homes'), world.site('jobs')];
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());

async function everywhere(email: string): Promise<void> {
  await cars.host.person.register({ email, name: 'Ana', validation: false });
  await settleByHand(world);
}

it('overrides removal.mode for that peer, and for no other', async () => {
  await everywhere('ana@example.com');
  await everywhere('bob@example.com');
  await cars.host.person.deleteAccount('ana@example.com');
  await jobs.host.person.deleteAccount('bob@example.com');
  await settleByHand(world);
  expect(await homes.host.user('ana@example.com')).toMatchObject({ b_enabled: 0, s_name: 'Ana' });
  expect(await homes.host.user('bob@example.com')).toMatchObject({ b_enabled: 1, s_name: 'Ana' });
  for (const one of [cars, jobs]) {
    expect(await one.host.user('ana@example.com')).toBeUndefined();
    expect(await one.host.user('bob@example.com')).toBeUndefined();
  }
});

it('deletes for one peer where the rule of the site is another', async () => {
  await everywhere('carla@example.com');
  const { site } = await homes.open();
  const peers = site.config.peers.map((peer) => ({ ...peer, removalMode: 'delete' as const }));
  await site.reconfigure({ ...site.config, peers });
  await jobs.host.person.deleteAccount('carla@example.com');
  await settleByHand(world);
  expect(await homes.host.user('carla@example.com')).toBeUndefined();
});
