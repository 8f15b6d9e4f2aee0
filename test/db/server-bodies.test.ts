import { connect } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { asPeer, httpApp, listening } from '../support/http-app.ts';

const url = '/v1/stream';
const json = { ...asPeer, 'content-type': 'application/json' };
const gzip = { ...json, 'content-encoding': 'gzip' };
const empty = { site: 'homes', records: [] };
const accepting = () => httpApp({ acceptStream: async () => ({ status: 'OK', results: [] }) });

test('a body is read plain and as gzip', async () => {
  const { app } = accepting();
  const text = JSON.stringify(empty);
  expect((await app.inject({ method: 'POST', url, headers: json, payload: text })).statusCode).toBe(200);
  expect((await app.inject({ method: 'POST', url, headers: gzip, payload: gzipSync(text) })).statusCode).toBe(200);
  const loud = { ...json, 'content-encoding': 'GZIP', 'content-type': 'Application/JSON; charset=utf-8' };
  expect((await app.inject({ method: 'POST', url, headers: loud, payload: gzipSync(text) })).statusCode).toBe(200);
});

test.each([
  ['broken JSON', json, '{"site":', 400, 'BODY_UNREADABLE'],
  ['an empty body', json, '', 400, 'BODY_UNREADABLE'],
  ['invalid UTF-8', json, Buffer.from([0x22, 0xff, 0x22]), 400, 'BODY_UNREADABLE'],
  ['a forbidden name', json, '{"__proto__":{"a":1}}', 400, 'BODY_UNREADABLE'],
  ['very deep JSON', json, '['.repeat(40_000), 400, 'BODY_UNREADABLE'],
  ['deep JSON that ends', json, '['.repeat(40_000) + ']'.repeat(40_000), 422, 'REQUEST_INVALID'],
  ['no gzip though it says so', gzip, JSON.stringify(empty), 400, 'BODY_UNREADABLE'],
  ['gzip that ends early', gzip, gzipSync(JSON.stringify(empty)).subarray(0, 15), 400, 'BODY_UNREADABLE'],
  ['gzip of invalid UTF-8', gzip, gzipSync(Buffer.from([0x22, 0xff, 0x22])), 400, 'BODY_UNREADABLE'],
  ['an unknown encoding', { ...json, 'content-encoding': 'br' }, '{}', 415, 'MEDIA_TYPE'],
  ['two encodings', { ...json, 'content-encoding': 'gzip, gzip' }, '{}', 415, 'MEDIA_TYPE'],
  ['a wrong type', { ...asPeer, 'content-type': 'text/plain' }, '{}', 415, 'MEDIA_TYPE'],
  ['a form', { ...asPeer, 'content-type': 'application/x-www-form-urlencoded' }, 'a=1', 415, 'MEDIA_TYPE'],
  ['no type', { ...asPeer, 'content-type': '' }, '{}', 415, 'MEDIA_TYPE'],
  ['a body that is too large', json, `"${'x'.repeat(100_000)}"`, 413, 'BODY_TOO_LARGE'],
  ['no body at all', asPeer, undefined, 422, 'REQUEST_INVALID'],
  ['another shape', json, '[]', 422, 'REQUEST_INVALID'],
] as const)('%s is refused and reaches nobody', async (_what, headers, payload, status, code) => {
  const { app } = httpApp();
  const answer = await app.inject({ method: 'POST', url, headers, ...(payload === undefined ? {} : { payload }) });
  expect([answer.statusCode, answer.json()]).toEqual([
    status,
    { status: 'ERR', code, message: expect.any(String) as string },
  ]);
});

test('a small body that inflates to a large one is refused without being inflated', async () => {
  const { app } = httpApp();
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  expect(bomb.byteLength).toBeLessThan(100_000);
  const before = process.memoryUsage().arrayBuffers;
  const answer = await app.inject({ method: 'POST', url, headers: gzip, payload: bomb });
  expect([answer.statusCode, answer.json()]).toMatchObject([413, { code: 'BODY_TOO_LARGE' }]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
});

test('over a real connection the refusal of a large body arrives, and the server goes on', async () => {
  const { app } = accepting();
  const origin = await listening(app);
  const large = await fetch(origin + url, { method: 'POST', headers: json, body: 'x'.repeat(3_000_000) });
  expect([large.status, await large.json()]).toMatchObject([413, { code: 'BODY_TOO_LARGE' }]);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  for (let n = 0; n < 3; n += 1) {
    const answer = await fetch(origin + url, { method: 'POST', headers: gzip, body: bomb });
    expect([answer.status, await answer.json()]).toMatchObject([413, { code: 'BODY_TOO_LARGE' }]);
  }
  const good = await fetch(origin + url, { method: 'POST', headers: json, body: JSON.stringify(empty) });
  expect(good.status).toBe(200);
});

test('a body that comes too slowly ends in 408, and nobody else waits', async () => {
  const { app } = httpApp({ requestTimeoutMs: 300, health: async () => Promise.reject(new Error('unused')) });
  const { port } = new URL(await listening(app));
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const ended = new Promise((resolve) => socket.on('close', resolve));
  const { authorization } = asPeer;
  socket.write(
    `POST ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{`,
  );
  const other = await fetch(`http://127.0.0.1:${port}/health/live`);
  expect(other.status).toBe(200);
  await ended;
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ status: 'ERR' });
});

test('what is not HTTP is told so', async () => {
  const { app } = httpApp();
  const { port } = new URL(await listening(app));
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const ended = new Promise((resolve) => socket.on('close', resolve));
  socket.write('hello?\r\n\r\n');
  await ended;
  expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"status":"ERR"/);
});

test('large answers are compressed for those who can read it', async () => {
  const message = 'x'.repeat(5_000);
  const results = [{ result: 'retry' as const, message }];
  const { app } = httpApp({ acceptStream: async () => ({ status: 'OK', results }) });
  const headers = { ...json, 'accept-encoding': 'gzip' };
  const packed = await app.inject({ method: 'POST', url, headers, payload: JSON.stringify(empty) });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(JSON.parse(gunzipSync(packed.rawPayload).toString())).toEqual({ status: 'OK', results });
  const plain = await app.inject({ method: 'POST', url, headers: json, payload: JSON.stringify(empty) });
  expect([plain.headers['content-encoding'], plain.json()]).toEqual([undefined, { status: 'OK', results }]);
});
