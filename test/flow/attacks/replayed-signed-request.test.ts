/** A signed request that somebody saw on its way is sent again: to the same daemon, to the other daemon of the site, to another site. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDaemon, type Daemon } from '../../../src/daemon/daemon.ts';
import { silentLog } from '../../../src/runtime/logger.ts';
import { expireNonces } from '../../../src/store/nonces.ts';
import { sendCall, signCall } from '../../support/signed.ts';
import { makeWorld, signingKeyOf, type World, type WorldSite } from '../../support/world.ts';

let world: World;
let cars: WorldSite;
let second: Daemon;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes', 'jobs'], { signatures: true, idle: true });
  cars = world.site('cars');
  await Promise.all([cars.start({ manual: true }), world.site('jobs').start({ manual: true })]);
  const { config } = cars;
  second = await startDaemon({
    config: { ...config, http: { ...config.http, port: 0 } },
    log: silentLog,
    manual: true,
  });
  await second.ready;
}, 90_000);
afterAll(async () => {
  await second?.stop('test');
  await world.close();
});

const hello = (to = 'cars') => signCall({ from: 'homes', to, key: signingKeyOf('homes'), target: '/v1/hello' });
const refused = { status: 401, body: { code: 'SIGNATURE_INVALID' } };

it('is taken once, by whichever daemon of the site it comes to first', async () => {
  const one = hello();
  expect(await sendCall(cars.url, one)).toMatchObject({ status: 200 });
  expect(await sendCall(cars.url, one)).toMatchObject(refused);
  expect(await sendCall(second.url, one)).toMatchObject(refused);
  const other = hello();
  expect(await sendCall(second.url, other)).toMatchObject({ status: 200 });
  expect(await sendCall(cars.url, other)).toMatchObject(refused);
  const { body } = await cars.admin('GET', '/v1/logs?status=401&limit=10');
  const reasons = body.logs?.map(({ content }) => (content as { reason: string }).reason);
  expect(reasons).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/nonce was used before/) as string));
});

it('is taken once where copies come at the same moment to both', async () => {
  const copied = hello();
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, n) => sendCall(n % 2 === 0 ? cars.url : second.url, copied)),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});

it('is not taken by another site that has the same key pinned', async () => {
  expect(await sendCall(world.site('jobs').url, hello('cars'))).toMatchObject(refused);
  expect(await sendCall(world.site('jobs').url, hello('jobs'))).toMatchObject({ status: 200 });
});

it('is not taken after a look at old nonces, which go only when no clock takes their signatures any more', async () => {
  const { site } = await cars.open();
  const count = async (): Promise<number> =>
    Number((await cars.db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_nonce'))[0]?.n);
  const seen = hello();
  expect(await sendCall(cars.url, seen)).toMatchObject({ status: 200 });
  const before = await count();
  await expireNonces(site.db, Date.now() + 120_000);
  expect(await count()).toBe(before);
  expect(await sendCall(cars.url, seen)).toMatchObject(refused);
  await expireNonces(site.db, Date.now() + 2 * 3_600_000);
  expect(await count()).toBe(0);
});
