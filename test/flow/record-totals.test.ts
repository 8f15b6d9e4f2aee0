/** How many records were received from each peer, and sent to it: in the API, in `status`, for both protocols. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { siteOf } from '../support/by-hand.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';
import type { WorldSite } from '../support/world.ts';

interface Totals {
  received: unknown;
  sent: unknown;
}

describe('records received and sent', () => {
  let mesh: PluginMesh;
  beforeAll(async () => {
    mesh = await makePluginMesh();
  }, 60_000);
  afterAll(() => mesh.close());

  const totals = async (one: WorldSite, peer: string): Promise<Totals> => {
    const { body } = await one.admin('GET', `/v1/peers/${peer}`);
    return { received: body['received_total'], sent: body['sent_total'] };
  };

  it('are counted at both ends of a stream, once for each record', async () => {
    const { cars, homes } = mesh;
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    await cars.host.person.register({ email: 'ben@example.com', name: 'Ben', validation: false });
    await mesh.work(cars);
    expect(await totals(cars, 'homes')).toEqual({ received: 0, sent: 2 });
    expect(await totals(homes, 'cars')).toEqual({ received: 2, sent: 0 });
    await cars.host.person.deleteAccount('ben@example.com');
    await mesh.work(cars);
    expect([await totals(cars, 'homes'), await totals(homes, 'cars')]).toEqual([
      { received: 0, sent: 3 },
      { received: 3, sent: 0 },
    ]);
  });

  it('so are those of a feed, at the side that asks and the side that gives', async () => {
    const { cars, homes } = mesh;
    await (await siteOf(homes)).feed('cars', { restart: true, once: false, dryRun: true, overwrite: false });
    expect(await totals(homes, 'cars')).toEqual({ received: 3, sent: 0 });
    await (await siteOf(homes)).feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
    expect(await totals(homes, 'cars')).toEqual({ received: 4, sent: 0 });
    // The trial was given a page too.
    expect(await totals(cars, 'homes')).toEqual({ received: 0, sent: 5 });
  });

  it('and those of a plugin peer, but not what it was spared', async () => {
    const { cars, jobs } = mesh;
    const before = await totals(cars, 'jobs');
    await mesh.hourPasses();
    await jobs.person.editProfile('ana@example.com', { name: 'Ana B' });
    await jobs.runCron();
    await mesh.refeed(cars);
    expect(await totals(cars, 'jobs')).toEqual({ received: Number(before.received) + 2, sent: before.sent });
    await jobs.feed('cars');
    await cars.host.person.editProfile('ana@example.com', { phoneMobile: '42' });
    await mesh.work(cars);
    await mesh.work(cars);
    expect(await totals(cars, 'jobs')).toMatchObject({ sent: Number(before.sent) + 2 });
    await jobs.person.deleteAccount('ana@example.com');
    await jobs.runCron();
    expect(await totals(cars, 'jobs')).toMatchObject({ received: Number(before.received) + 3 });
  });
});
