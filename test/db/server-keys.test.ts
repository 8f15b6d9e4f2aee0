import { expect, test } from 'vitest';
import { makeAuthenticator } from '../../src/peer/authentication.ts';
import { isTrustedProxy } from '../../src/server/trusted-proxies.ts';
import { asAdmin, asPeer, httpApp, keyDigest, listening } from '../support/http-app.ts';

const wrong = { authorization: 'Bearer nobody-knows-this-key' };
const forwarded = (value: string) => ({ url: '/v1/hello', headers: { 'x-forwarded-for': value } });
const noLogs = async () => ({ logs: [], next: null });

test.each(['/v1/hello', '/v1/feed', '/v1/logs', '/v1/peers', '/v1/pending', '/v1/parked', '/metrics'])(
  '%s wants a key that is known',
  async (url) => {
    const { app } = httpApp();
    expect((await app.inject({ url })).json()).toEqual({
      status: 'ERR',
      code: 'API_KEY_MISSING',
      message: 'API Key is missing',
    });
    const refused = await app.inject({ url, headers: wrong });
    expect([refused.statusCode, refused.json()]).toEqual([
      403,
      { status: 'ERR', code: 'API_KEY_INVALID', message: 'API Key is invalid - no account found' },
    ]);
  },
);

test('a key on a route that it is not for is refused, and is no failed authentication', async () => {
  const { app, logged } = httpApp();
  const answers = [
    await app.inject({ url: '/v1/hello', headers: asAdmin }),
    await app.inject({ method: 'POST', url: '/v1/stream', headers: asAdmin, payload: {} }),
    await app.inject({ url: '/v1/logs', headers: asPeer }),
    await app.inject({ method: 'POST', url: '/v1/stream/run', headers: asPeer }),
    await app.inject({ url: '/metrics', headers: asPeer }),
  ];
  expect(answers.map((answer) => [answer.statusCode, answer.json<{ code: string }>().code])).toEqual(
    answers.map(() => [403, 'FORBIDDEN']),
  );
  expect(logged).toEqual([]);
});

test('without an admin token in the config, admin routes are closed to everybody', async () => {
  const { identify, hasAdmin } = makeAuthenticator({ peers: [], admins: [], keyDigest });
  const { app } = httpApp({ identify, adminConfigured: hasAdmin });
  for (const headers of [{}, asAdmin]) {
    const answer = await app.inject({ url: '/v1/logs', headers });
    expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
  }
});

test('a failed authentication leaves a log record that tells who, where from and with which key', async () => {
  const { app, logged } = httpApp();
  await app.inject({ method: 'POST', url: '/v1/stream?x=secret', headers: wrong });
  await app.inject({ url: '/v1/feed?after=1' });
  expect(logged).toEqual([
    {
      type: 'FEED',
      peer: null,
      key: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
      ip: '127.0.0.1',
      status: '403',
      response: 'API Key is invalid - no account found',
      content: { code: 'API_KEY_INVALID', method: 'POST', path: '/v1/stream' },
      trace: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    },
    expect.objectContaining({ type: 'STREAM', peer: null, key: null, status: '401', response: 'API Key is missing' }),
  ]);
});

test('after twenty failures a minute an address is refused, with the right key too, until the minute is over', async () => {
  let now = 0;
  const { app, logged } = httpApp({ queryLogs: noLogs, monotonicMs: () => now });
  const statuses: number[] = [];
  for (let n = 0; n < 25; n += 1) statuses.push((await app.inject({ url: '/v1/logs', headers: wrong })).statusCode);
  expect(statuses).toEqual([...Array<number>(20).fill(403), ...Array<number>(5).fill(429)]);
  const refused = await app.inject({ url: '/v1/hello' });
  expect([refused.statusCode, refused.json()]).toMatchObject([429, { status: 'ERR', code: 'RATE_LIMITED' }]);
  const wait = Number(refused.headers['retry-after']);
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(60);
  for (let n = 0; n < 30; n += 1) {
    expect((await app.inject({ url: '/v1/logs', headers: asAdmin })).statusCode).toBe(429);
  }
  const elsewhere = await app.inject({ url: '/v1/logs', headers: wrong, remoteAddress: '192.0.2.7' });
  expect(elsewhere.statusCode).toBe(403);
  // Of the flood only its first call is told, so that the log stays readable.
  expect(logged.map(({ status }) => status)).toEqual([...Array<string>(20).fill('403'), '429', '403']);
  now = 60_000;
  expect((await app.inject({ url: '/v1/logs', headers: asAdmin })).statusCode).toBe(200);
});

test('an address that authenticated within the hour before is not refused, but for what fails', async () => {
  let now = 0;
  const { app } = httpApp({ queryLogs: noLogs, monotonicMs: () => now });
  const statusWith = async (headers: object) =>
    (await app.inject({ url: '/v1/logs', headers: { ...headers } })).statusCode;
  expect(await statusWith(asAdmin)).toBe(200);
  now = 3_599_000;
  for (let n = 0; n < 25; n += 1) expect(await statusWith(wrong)).toBe(n < 20 ? 403 : 429);
  expect(await statusWith(asAdmin)).toBe(200);
  now += 3_600_000;
  for (let n = 0; n < 20; n += 1) await statusWith(wrong);
  expect(await statusWith(asAdmin)).toBe(429);
});

test('all addresses of one IPv6 network count as one', async () => {
  const { app } = httpApp();
  const statuses: number[] = [];
  for (let n = 1; n <= 21; n += 1) {
    statuses.push((await app.inject({ url: '/v1/hello', remoteAddress: `2001:db8::${n.toString(16)}` })).statusCode);
  }
  expect(statuses.at(-1)).toBe(429);
  expect((await app.inject({ url: '/v1/hello', remoteAddress: '2001:db8:0:1::1' })).statusCode).toBe(401);
});

test('X-Forwarded-For counts only from a proxy that is trusted, and then what the nearest wrote', async () => {
  const plain = httpApp();
  await plain.app.inject(forwarded('192.0.2.1'));
  const behind = httpApp({ trustProxy: (address, hop) => isTrustedProxy(['127.0.0.1', '::1'], address, hop) });
  await behind.app.inject(forwarded('192.0.2.1'));
  await behind.app.inject(forwarded('198.51.100.9, 192.0.2.2'));
  await behind.app.inject(forwarded('::ffff:192.0.2.3'));
  await behind.app.inject(forwarded('"><script>'));
  expect(plain.logged.map(({ ip }) => ip)).toEqual(['127.0.0.1']);
  expect(behind.logged.map(({ ip }) => ip)).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3', '127.0.0.1']);
});

test('a log that cannot be written does not keep a refusal from being sent', async () => {
  const { app } = httpApp({ appendLog: async () => Promise.reject(new Error('no database')) });
  expect((await app.inject({ url: '/v1/hello' })).statusCode).toBe(401);
  const hanging = httpApp({ appendLog: async () => new Promise(() => undefined) });
  expect((await hanging.app.inject({ url: '/v1/hello' })).statusCode).toBe(401);
});

test('a body is not read for a caller without a key', async () => {
  const { app } = httpApp();
  const origin = await listening(app);
  const answer = await fetch(`${origin}/v1/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: 'not gzip',
  });
  expect(answer.status).toBe(401);
});

test('metrics can be opened while it runs', async () => {
  let open = false;
  const { app } = httpApp({ openMetrics: () => open, metrics: async () => 'up 1\n' });
  expect((await app.inject({ url: '/metrics' })).statusCode).toBe(401);
  expect((await app.inject({ url: '/metrics', headers: asAdmin })).payload).toBe('up 1\n');
  open = true;
  const answer = await app.inject({ url: '/metrics' });
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
});
