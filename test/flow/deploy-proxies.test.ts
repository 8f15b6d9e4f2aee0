/** deploy/nginx.conf and deploy/Caddyfile in the real programs: strangers reach what peers need, and nothing else. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicHalf } from '../../src/model/signing-key.ts';
import { eventually } from '../support/eventually.ts';
import { startSampleProxy, type SampleProxy, type Where } from '../support/sample-proxies.ts';
import { signCall } from '../support/signed.ts';
import { keyOf, makeWorld, signingKeyOf, tokenOf, type World } from '../support/world.ts';

interface ApiDocument {
  readonly paths: Record<string, Record<string, { readonly tags: readonly string[] }>>;
}
interface Route {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
}

const BASE = '/account-sync';
/** Of an address that is let through, other ways to name one that is not; and names nobody knows yet. */
const DETOURS = [
  '/v1/peers/..%2fhello',
  '/v1/peers/%2e%2e%2fhello',
  '/v1/peers/x%2f..%2f..%2fhello',
  '/v1/parked/..%2fstream',
  '/v1/hello/../peers',
  '/v1/hello/..%2fpeers',
  '//v1//peers',
  '/./v1/peers',
  '/v1/%70eers',
  '/V1/peers',
  '/v1/peers/',
  '/v1/peers;/hello',
  '/v1/peers%3f/../hello',
  '/metrics%23/../health',
  '/v1/hello%00/../peers',
  '/health/../metrics',
  '/metrics?/health',
  '/v2/hello',
  '/v1/something-new',
  '/v1/feed/all',
  '/console',
  '/openapi.json',
];

let world: World;
let routes: readonly Route[];

beforeAll(async () => {
  const httpExtra = { cars: 'base_path: /account-sync/, trust_proxy: true' };
  // At cars, homes shows a key, jobs signs, and boats runs the PHP plugin.
  const peerExtra = {
    'cars.jobs': `    public_key: ${publicHalf(signingKeyOf('jobs'))}`,
    'cars.boats': '    protocol: plugin',
  };
  world = await makeWorld(['cars', 'homes', 'jobs', 'boats'], { idle: true, httpExtra, peerExtra });
  const cars = world.site('cars');
  await cars.start({ processMetrics: true });
  const document = await fetch(new URL('account-sync/openapi.json', cars.url));
  const { paths } = (await document.json()) as ApiDocument;
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { tags }]) => ({
      method: method.toUpperCase(),
      path: path.replace('{name}', 'homes').replace('{id}', '17'),
      tag: tags[0] ?? '',
    })),
  );
}, 90_000);
afterAll(async () => world.close());

const portOf = (): number => Number(new URL(world.site('cars').url).port);
const inFull = (path: string): string => (path.startsWith(BASE) ? path : `${BASE}${path}`);
const isForPeers = ({ path, tag }: Route): boolean =>
  tag === 'peers' || tag === 'plugin' || (tag === 'open' && path.includes('/health'));
const admin = { authorization: `Bearer ${tokenOf('cars')}` };

describe.each(['nginx', 'caddy'] as const)('%s with its sample', { timeout: 60_000 }, (name) => {
  let proxy: SampleProxy | string;
  beforeAll(async () => {
    proxy = await startSampleProxy(name, portOf());
  }, 300_000);
  afterAll(async () => {
    if (typeof proxy === 'object') await proxy.stop();
  });
  /** Skips, and says why, where the program cannot be had. */
  const running = (skip: (why: string) => never): SampleProxy => (typeof proxy === 'string' ? skip(proxy) : proxy);

  it('lets strangers reach the routes of peers, the door of the plugin and health, and no other', async ({ skip }) => {
    const { call } = running(skip);
    expect(routes.filter(isForPeers).length).toBeGreaterThan(7);
    expect(routes.filter((route) => !isForPeers(route)).length).toBeGreaterThan(10);
    for (const route of routes) {
      const { status, isOfDaemon } = await call('outside', route.method, inFull(route.path), { headers: admin });
      expect({ ...route, isOfDaemon, closed: status === 403 && !isOfDaemon }).toEqual({
        ...route,
        isOfDaemon: isForPeers(route),
        closed: !isForPeers(route),
      });
    }
  });

  it('lets this machine reach every route', async ({ skip }) => {
    const { call } = running(skip);
    for (const route of routes) {
      const { isOfDaemon } = await call('inside', route.method, inFull(route.path), { headers: admin });
      expect({ ...route, isOfDaemon }).toEqual({ ...route, isOfDaemon: true });
    }
    expect(await call('inside', 'GET', `${BASE}/metrics`, { headers: admin })).toMatchObject({ status: 200 });
  });

  it.for(DETOURS)('has no way round for strangers: %s', async (path, { skip }) => {
    const { call } = running(skip);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const { status, isOfDaemon, body } = await call('outside', method, `${BASE}${path}`, { headers: admin });
      // What the proxy takes for another way to write an open route comes to that one: without the key of a peer, or health.
      const isInner = isOfDaemon && ![401, 403, 404, 415, 422, 429].includes(status) && !body.includes('"checks"');
      expect([method, status, isInner]).toEqual([method, status, false]);
      expect(body).not.toMatch(/"peers":\[|account_sync_|openapi/);
    }
  });

  it('passes on what peers say, whole, and from whom it comes', async ({ skip }) => {
    const { call } = running(skip);
    const key = { authorization: `Bearer ${keyOf('homes')}` };
    expect(await call('outside', 'GET', `${BASE}/v1/hello`, { headers: key })).toMatchObject({ status: 200 });
    const page = await call('outside', 'GET', `${BASE}/v1/feed?after=0&limit=7`, { headers: key });
    expect(page).toMatchObject({ status: 200, body: expect.stringMatching(/"limit":7/) });
    const json = { ...key, 'content-type': 'application/json' };
    const batch = await call('outside', 'POST', `${BASE}/v1/stream`, { headers: json, body: '{"records":"none"}' });
    expect(batch).toMatchObject({ status: 422, isOfDaemon: true, body: expect.stringContaining('records') });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const door of ['/', '/index.php']) {
      const body = 'ascSync=1&ascAction=userFeedRequest&ascKey=nobody';
      const { status, isOfDaemon } = await call('outside', 'POST', `${BASE}${door}`, { headers: form, body });
      expect([door, isOfDaemon, [401, 403].includes(status)]).toEqual([door, true, true]);
    }

    const from: Where = 'outside';
    const wrong = { authorization: 'Bearer nobody-has-this-key-at-all', 'x-forwarded-for': '203.0.113.9' };
    expect(await call(from, 'GET', `${BASE}/v1/hello`, { headers: wrong })).toMatchObject({ status: 403 });
    const { body } = await call('inside', 'GET', `${BASE}/v1/logs?limit=100`, { headers: admin });
    const { logs } = JSON.parse(body) as { logs: { ip: string | null; status: string }[] };
    const refused = logs.filter(({ status }) => status === '403').map(({ ip }) => ip);
    expect(refused).toContain('127.0.0.2');
    expect(refused).not.toContain('203.0.113.9');
  });

  it('leaves what peers sign as it was', async ({ skip }) => {
    const { call } = running(skip);
    const by = { from: 'jobs', to: 'cars', key: signingKeyOf('jobs') };
    for (const wanted of [
      { ...by, target: `${BASE}/v1/hello` },
      { ...by, target: `${BASE}/v1/feed?after=0&limit=7&times=utc&rows=said` },
      { ...by, target: `${BASE}/v1/stream`, body: JSON.stringify({ site: 'jobs', records: [] }) },
    ]) {
      const { method, target, headers, body } = signCall(wanted);
      const more = typeof body === 'string' ? { headers, body } : { headers };
      expect(await call('outside', method, target, more)).toMatchObject({ status: 200, isOfDaemon: true });
    }
  });

  it('refuses a body beyond http.max_body', async ({ skip }) => {
    const { call } = running(skip);
    const headers = { authorization: `Bearer ${keyOf('homes')}`, 'content-type': 'application/json' };
    const body = ' '.repeat(16 * 2 ** 20 + 1);
    // Whoever refuses closes the connection while the body is still being written, and the answer may go with it.
    await eventually(async () =>
      expect(await call('outside', 'POST', `${BASE}/v1/stream`, { headers, body })).toMatchObject({ status: 413 }),
    );
  });
});

it('both samples name the same routes', () => {
  const listed = ['nginx.conf', 'Caddyfile'].map((name) => {
    const text = readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
    const [, list = ''] = /\^\/account-sync\/\(([^)]*)\)/.exec(text) ?? [];
    return list.split('|').filter(Boolean);
  });
  expect(listed[0]?.length).toBeGreaterThan(4);
  expect(listed[0]).toEqual(listed[1]);
});
