import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { PluginCall } from '../../src/server/deps.ts';
import { httpApp } from '../support/http-app.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const ok = { status: 'OK', message: 'done', data: [] };

test('a form reaches the plugin protocol as it was sent', async () => {
  const calls: PluginCall[] = [];
  const { app } = httpApp({
    servePlugin: async (call) => {
      calls.push(call);
      return { httpStatus: 200, body: ok };
    },
  });
  const payload = Buffer.from('ascSync=1&ascData%5Bs_name%5D=Jos%C3%A9+%FF');
  const answer = await app.inject({ method: 'POST', url: '/index.php?ascSync=1?x', headers: form, payload });
  expect([answer.statusCode, answer.json()]).toEqual([200, ok]);
  await app.inject({
    method: 'POST',
    url: '/',
    headers: { ...form, 'content-encoding': 'gzip' },
    payload: gzipSync(payload),
  });
  expect(calls.map(({ query, body, ip }) => [query, Buffer.from(body).equals(payload), ip])).toEqual([
    ['ascSync=1?x', true, '127.0.0.1'],
    ['', true, '127.0.0.1'],
  ]);
});

test('refused keys count as failed authentications and leave a record, and data is a list even then', async () => {
  const { app, logged } = httpApp({
    servePlugin: async () => ({
      httpStatus: 403,
      body: { status: 'ERR', message: 'API Key is invalid - no account found', data: [] },
      refusedKey: { type: 'FEED', keyDigest: 'a1b2c3d4' },
    }),
  });
  const statuses: number[] = [];
  for (let n = 0; n < 22; n += 1) {
    const answer = await app.inject({ method: 'POST', url: '/', headers: form, payload: 'a=1' });
    statuses.push(answer.statusCode);
    expect(answer.json()).toMatchObject({ status: 'ERR', data: [] });
  }
  expect(statuses).toEqual([...Array<number>(20).fill(403), 429, 429]);
  expect(logged[0]).toMatchObject({ type: 'FEED', peer: null, key: 'a1b2c3d4', ip: '127.0.0.1', status: '403' });
  expect((await app.inject({ url: '/v1/hello' })).statusCode).toBe(429);
});

test.each([
  ['another content type', { 'content-type': 'application/json' }, '{}', 415],
  ['a body that is too large', form, 'x'.repeat(100_001), 413],
  ['no gzip though it says so', { ...form, 'content-encoding': 'gzip' }, 'a=1', 400],
] as const)('%s is refused with a list as data', async (_what, headers, payload, status) => {
  const { app } = httpApp({ servePlugin: async () => ({ httpStatus: 200, body: ok }) });
  const answer = await app.inject({ method: 'POST', url: '/', headers, payload });
  expect([answer.statusCode, answer.json()]).toMatchObject([status, { status: 'ERR', data: [] }]);
});

test('a failure inside is told without details', async () => {
  const { app } = httpApp({ servePlugin: async () => Promise.reject(new Error('private')) });
  const answer = await app.inject({ method: 'POST', url: '/', headers: form, payload: 'a=1' });
  expect([answer.statusCode, answer.json()]).toMatchObject([500, { status: 'ERR', data: [] }]);
  expect(answer.payload).not.toContain('private');
});
