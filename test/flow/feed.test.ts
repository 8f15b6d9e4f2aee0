import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drainAll } from '../support/by-hand.ts';
import { beginFeeding, countOf, feed, feedingWorld, idsOf } from '../support/feeding.ts';
import { compareHosts } from '../support/osclass/host.ts';
import { personPool } from '../support/osclass/people.ts';
import type { World, WorldSite } from '../support/world.ts';

describe('a feed', () => {
  let world: World;
  beforeAll(async () => {
    world = await feedingWorld(5);
  }, 60_000);
  afterAll(() => world.close());

  const differences = (...sites: WorldSite[]): ReturnType<typeof compareHosts> =>
    compareHosts(sites.map((site) => site.host));

  it('tells how far it is in the words of the plugin, and ends with 100 %', async () => {
    const { cars, homes } = await beginFeeding(world, 21);
    const ids = await idsOf(cars);
    const messages: string[] = [];
    const sums = await feed(homes, 'cars', { onPage: ({ message }) => messages.push(message) });
    const from = (index: number): number => ids[index - 1] ?? 0;
    expect(messages).toEqual([
      `Progress: 23.81% (Total stats - Retrieved: 5, Remaining: 16, Total: 21 / Last request stats - Retrieved : 5, Limit: 5, From user ID: 0)`,
      `Progress: 47.62% (Total stats - Retrieved: 10, Remaining: 11, Total: 21 / Last request stats - Retrieved : 5, Limit: 5, From user ID: ${from(5)})`,
      `Progress: 71.43% (Total stats - Retrieved: 15, Remaining: 6, Total: 21 / Last request stats - Retrieved : 5, Limit: 5, From user ID: ${from(10)})`,
      `Progress: 95.24% (Total stats - Retrieved: 20, Remaining: 1, Total: 21 / Last request stats - Retrieved : 5, Limit: 5, From user ID: ${from(15)})`,
      `Progress: 100.00% (Total stats - Retrieved: 21, Remaining: 0, Total: 21 / Last request stats - Retrieved : 1, Limit: 5, From user ID: ${from(20)})`,
    ]);
    expect(sums).toMatchObject({ pages: 5, users: 21, inserted: 21, updated: 0, parked: 0, complete: true });
    expect(await differences(cars, homes)).toEqual([]);
  });

  it('asks for no empty page when the last one is full', async () => {
    const { homes } = await beginFeeding(world, 10);
    const sums = await feed(homes, 'cars');
    expect(sums).toMatchObject({ pages: 2, users: 10, complete: true });
    expect(sums.message).toContain('Progress: 100.00% (Total stats - Retrieved: 10, Remaining: 0, Total: 10 /');
    expect(sums.message).toContain('Retrieved : 5, Limit: 5');
  });

  it('of a site without users is complete at once, and counts again when there are some', async () => {
    const { cars, homes } = await beginFeeding(world, 0);
    const empty = await feed(homes, 'cars');
    expect(empty).toMatchObject({ pages: 1, users: 0, complete: true });
    expect(empty.message).toContain('Progress: 100.00% (Total stats - Retrieved: 0, Remaining: 0, Total: 0 /');
    for (let n = 0; n < 8; n++) {
      await cars.host.person.register({ email: `new${n}@example.com`, name: 'New', validation: false });
    }
    await drainAll(cars);
    const first = await feed(homes, 'cars', { once: true });
    expect(first.message).toContain('Progress: 62.50% (Total stats - Retrieved: 5, Remaining: 3, Total: 8 /');
  });

  it('leaves out who is blocked or not validated, in the users and in the totals', async () => {
    const { cars, homes } = await beginFeeding(world, 4);
    const blocked = await cars.host.person.register({ email: 'blocked@example.com', name: 'B', validation: false });
    await cars.host.admin.block(blocked);
    await cars.host.person.register({ email: 'waiting@example.com', name: 'W' });
    const sums = await feed(homes, 'cars');
    expect(sums.message).toContain('Total: 4 /');
    const fed = [...(await homes.host.users()).users.keys()];
    expect(fed).toHaveLength(4);
    expect(fed).not.toContain('blocked@example.com');
  });

  it('on both sides makes two sites equal that have people in common', async () => {
    const people = personPool('shared', 24);
    const { cars, homes } = await beginFeeding(world, { cars: people.slice(0, 16), homes: people.slice(8) });
    await feed(homes, 'cars');
    expect(await countOf(homes)).toBe(24);
    await feed(cars, 'homes');
    expect(await differences(cars, homes)).toEqual([]);
    const again = await feed(homes, 'cars', { restart: true });
    expect(again).toMatchObject({ inserted: 0, updated: 0, unchanged: 24, parked: 0 });
  });

  it.each([0, 1, 2, 3, 4])('stopped after %i pages goes on from there', async (pages) => {
    const { cars, homes } = await beginFeeding(world, 21);
    const ids = await idsOf(cars);
    const abort = new AbortController();
    if (pages === 0) abort.abort();
    let seen = 0;
    const stopped = feed(homes, 'cars', {
      signal: abort.signal,
      onPage: () => {
        seen += 1;
        if (seen === pages) abort.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
    expect(await countOf(homes)).toBe(pages * 5);
    const messages: string[] = [];
    const sums = await feed(homes, 'cars', { onPage: ({ message }) => messages.push(message) });
    expect(messages[0]).toContain(`From user ID: ${ids[pages * 5 - 1] ?? 0})`);
    expect(sums).toMatchObject({ inserted: 21 - pages * 5, unchanged: 0, complete: true });
    expect(await differences(cars, homes)).toEqual([]);
  });

  it('with restart begins at the first user again', async () => {
    const { homes } = await beginFeeding(world, 12);
    await feed(homes, 'cars');
    expect(await feed(homes, 'cars')).toMatchObject({ users: 0, complete: true });
    const messages: string[] = [];
    const sums = await feed(homes, 'cars', { restart: true, onPage: ({ message }) => messages.push(message) });
    expect(messages[0]).toContain('From user ID: 0)');
    expect(sums).toMatchObject({ users: 12, inserted: 0, updated: 0, unchanged: 12 });
  });

  it('once is one page', async () => {
    const { cars, homes } = await beginFeeding(world, 12);
    expect(await feed(homes, 'cars', { once: true })).toMatchObject({ pages: 1, users: 5, complete: false });
    expect(await feed(homes, 'cars', { once: true })).toMatchObject({ pages: 1, users: 5, complete: false });
    expect(await feed(homes, 'cars', { once: true })).toMatchObject({ pages: 1, users: 2, complete: true });
    expect(await differences(cars, homes)).toEqual([]);
  });

  it('is started, watched and stopped over HTTP', async () => {
    const { homes } = await beginFeeding(world, 21);
    const started = await homes.admin('POST', '/v1/peers/cars/feed', { once: true });
    expect(started.status).toBe(202);
    await expect.poll(async () => (await homes.admin('GET', '/v1/peers/cars/feed')).body['running']).toBe(false);
    const { body } = await homes.admin('GET', '/v1/peers/cars/feed');
    expect(body).toMatchObject({ retrieved: 5, remaining: 16, total: 21, error: null });
    expect(body['message']).toMatch(/^Progress: 23\.81% \(Total stats - Retrieved: 5, /);
    await homes.admin('POST', '/v1/peers/cars/feed', {});
    expect((await homes.admin('DELETE', '/v1/peers/cars/feed')).body).toMatchObject({ running: false });
    expect((await homes.admin('POST', '/v1/peers/nobody/feed', {})).status).toBe(404);
  });
});
