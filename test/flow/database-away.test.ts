import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';

let proxy: TcpProxy;
let world: World;
let cars: WorldSite;
let homes: WorldSite;
beforeAll(async () => {
  proxy = await startTcpProxy(() => Number(new URL(process.env['TEST_DATABASE_URL'] ?? '').port || 3306));
  world = await makeWorld(['cars', 'homes'], {
    databasePort: (name, port) => (name === 'homes' ? proxy.port : port),
  });
  [cars, homes] = [world.site('cars'), world.site('homes')];
}, 60_000);
afterAll(async () => {
  proxy.become('open');
  await world.close();
  await proxy.close();
});

const health = async (): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(new URL('health', homes.url));
  return { status: response.status, body: await response.json() };
};
const callFeed = (): Promise<Response> =>
  fetch(new URL('v1/feed', homes.url), { headers: { authorization: `Bearer ${keyOf('cars')}` } });

it.each(['shut', 'stalled'] as const)(
  'while its database is %s a daemon says so, goes on trying, and loses nothing',
  async (state) => {
    const email = `${state}@example.com`;
    await cars.host.person.register({ email, name: 'Ana', validation: false });
    await world.settle();
    expect(await world.differences()).toEqual([]);

    proxy.become(state);
    await eventually(
      async () =>
        expect(await health()).toMatchObject({
          status: 503,
          body: { status: 'down', checks: { database: { status: 'down', message: 'DB_UNAVAILABLE' } } },
        }),
      { timeoutMs: 20_000 },
    );
    expect((await fetch(new URL('health/live', homes.url))).status).toBe(200);
    // Changes on both sides meanwhile: of another person, and of the same one.
    await homes.host.person.editProfile(email, { phoneLand: '+1' });
    await cars.host.person.changePassword(email);
    await cars.host.person.register({ email: `while-${email}`, name: 'Bob', validation: false });
    await eventually(async () => {
      const [peer] = (await cars.admin('GET', '/v1/peers')).body['peers'] as { pending: number }[];
      expect(peer?.pending).toBe(2);
    });

    proxy.become('open');
    await eventually(async () => expect(await health()).toMatchObject({ status: 200 }), { timeoutMs: 90_000 });
    await eventually(async () => expect(await world.differences()).toEqual([]), { timeoutMs: 90_000 });
    await world.settle();
    expect(await homes.host.user(`while-${email}`)).toMatchObject({ s_name: 'Bob' });
    expect(await cars.host.user(email)).toMatchObject({ s_phone_land: '+1' });
  },
  240_000,
);

it('a daemon that starts while its database is away answers from the start, and begins when it is there', async () => {
  await homes.stop();
  proxy.become('shut');
  const ready = homes.start();
  await eventually(async () => expect(await health()).toMatchObject({ status: 503, body: { status: 'down' } }));
  expect((await fetch(new URL('health/ready', homes.url))).status).toBe(503);
  const answer = await callFeed();
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).not.toBeNull();
  expect(await answer.json()).toMatchObject({ status: 'ERR', code: 'DB_UNAVAILABLE' });
  await cars.host.person.register({ email: 'started@example.com', name: 'Zoe', validation: false });
  proxy.become('open');
  await ready;
  await eventually(async () => expect(await world.differences()).toEqual([]), { timeoutMs: 60_000 });
  expect(await health()).toMatchObject({ status: 200 });
}, 120_000);
