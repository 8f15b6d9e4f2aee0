import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Call } from '../../src/server/deps.ts';
import { httpApp, listening, PLUGIN_KEY } from '../support/http-app.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const ok = { status: 'OK', message: 'done', data: [] };
const MIB = 1024 * 1024;
const keyed = `ascSync=1&ascApiKey=${PLUGIN_KEY}`;
const serving = () => ({ servePlugin: async () => ({ httpStatus: 200, body: ok }) });
const notServed = { servePlugin: async () => Promise.reject(new Error('reached')) };

test('a form reaches the plugin protocol as it was sent, with who sent it', async () => {
  const calls: [string, string, Call][] = [];
  const { app } = httpApp({
    servePlugin: async (peer, body, call) => {
      calls.push([peer, Buffer.from(body).toString('latin1'), call]);
      return { httpStatus: 200, body: ok };
    },
  });
  const payload = Buffer.from(`${keyed}&ascData%5Bs_name%5D=Jos%C3%A9+%FF`);
  const answer = await app.inject({ method: 'POST', url: '/index.php?ascSync=1?x', headers: form, payload });
  expect([answer.statusCode, answer.json()]).toEqual([200, ok]);
  await app.inject({ method: 'POST', url: '/', headers: form, payload: `ascSync=1&a=b&ascApiKey=${PLUGIN_KEY}` });
  const call = { ip: '127.0.0.1', keyDigest: 'deadbeef', trace: expect.any(String) as string };
  expect(calls).toEqual([
    ['plug', payload.toString('latin1'), call],
    ['plug', `ascSync=1&a=b&ascApiKey=${PLUGIN_KEY}`, call],
  ]);
});

test('refused keys count as failed authentications and leave a record, and data is a list even then', async () => {
  const { app, logged } = httpApp(notServed);
  const statuses: number[] = [];
  for (let n = 0; n < 22; n += 1) {
    const payload = 'ascSync=1&ascApiKey=nobody-knows-this-key';
    const answer = await app.inject({ method: 'POST', url: '/', headers: form, payload });
    statuses.push(answer.statusCode);
    expect(answer.json()).toMatchObject({ status: 'ERR', data: [] });
  }
  expect(statuses).toEqual([...Array<number>(20).fill(403), 429, 429]);
  expect(logged[0]).toMatchObject({ type: 'FEED', peer: null, key: 'a1b2c3d4', ip: '127.0.0.1', status: '403' });
  expect((await app.inject({ url: '/v1/hello' })).statusCode).toBe(429);
});

test('an address that failed too often is refused before its form is read, with the right key too', async () => {
  const { app } = httpApp(notServed);
  for (let n = 0; n < 20; n += 1) await app.inject({ url: '/v1/hello' });
  const answer = await app.inject({ method: 'POST', url: '/', headers: form, payload: keyed });
  expect([answer.statusCode, answer.json()]).toMatchObject([429, { status: 'ERR', data: [] }]);
});

test.each([
  ['another content type', { 'content-type': 'application/json' }, '{}', 415],
  ['no content type', {}, 'a=1', 415],
  ['a compressed form', { ...form, 'content-encoding': 'gzip' }, gzipSync(keyed), 415],
  ['a form that says to be too large', { ...form, 'content-length': String(MIB + 1) }, keyed, 413],
  ['a form that is too large', form, `${keyed}&x=${'x'.repeat(MIB)}`, 413],
  ['a form without a key', form, 'ascSync=1', 401],
  ['a key behind the first 64 KiB', form, `ascSync=1&x=${'x'.repeat(65_536)}&ascApiKey=${PLUGIN_KEY}`, 401],
  ['a key of another kind of peer', form, 'ascSync=1&ascApiKey=homes-key-aaaaaaaaaaaaaaa', 403],
  ['something else that comes to this address', form, 'a=1', 404],
] as const)('%s is refused with a list as data', async (_what, headers, payload, status) => {
  const { app } = httpApp(notServed);
  const answer = await app.inject({ method: 'POST', url: '/', headers, payload });
  expect([answer.statusCode, answer.json()]).toMatchObject([status, { status: 'ERR', data: [] }]);
});

test('a key in the address is none', async () => {
  const { app } = httpApp(notServed);
  const url = `/?${keyed}`;
  expect((await app.inject({ method: 'POST', url, headers: form, payload: 'ascSync=1' })).statusCode).toBe(401);
  for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS'] as const) {
    expect([method, (await app.inject({ method, url })).statusCode]).toEqual([method, 404]);
  }
});

test('where no peer runs the plugin there is nothing, and no form is read', async () => {
  let open = false;
  const pluginDoor = {
    isOpen: () => open,
    identify: () => ({ kind: 'peer', name: 'plug', protocol: 'plugin', keyDigest: '' }) as const,
  };
  const { app, logged } = httpApp({ ...serving(), pluginDoor });
  const { port } = new URL(await listening(app));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${form['content-type']}\r\nContent-Length: 99\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 /);
  expect(logged).toEqual([]);
  open = true;
  expect((await app.inject({ method: 'POST', url: '/', headers: form, payload: keyed })).statusCode).toBe(200);
});

test('a wrong key is refused while the form is still on its way, and a right one wherever the pieces are cut', async () => {
  const { app } = httpApp(serving());
  const { port } = new URL(await listening(app));
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${form['content-type']}\r\n`;
  const wrong = connect(Number(port), '127.0.0.1');
  wrong.write(`${head}Content-Length: 9999\r\n\r\nascSync=1&ascApiKey=wrong&ascAction=`);
  const [refused] = (await once(wrong, 'data')) as [Buffer];
  wrong.destroy();
  expect(refused.toString()).toMatch(/^HTTP\/1\.1 403 /);
  const right = connect(Number(port), '127.0.0.1').setNoDelay(true);
  right.write(`${head}Content-Length: ${keyed.length}\r\n\r\n`);
  for (const byte of keyed) {
    right.write(byte);
    await new Promise(setImmediate);
  }
  const [served] = (await once(right, 'data')) as [Buffer];
  right.destroy();
  expect(served.toString()).toMatch(/^HTTP\/1\.1 200 /);
});

test('a failure inside is told without details', async () => {
  const { app } = httpApp({ servePlugin: async () => Promise.reject(new Error('private')) });
  const answer = await app.inject({ method: 'POST', url: '/', headers: form, payload: keyed });
  expect([answer.statusCode, answer.json()]).toMatchObject([500, { status: 'ERR', data: [] }]);
  expect(answer.payload).not.toContain('private');
});
