/** A peer answers with bombs, without end, with something else: what is read of it has an end, and nothing of it is believed. */
import { createServer, type ServerResponse } from 'node:http';
import { brotliCompressSync, createGzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePeerClient, type PeerClient } from '../../../src/peer/client.ts';
import { makePluginClient } from '../../../src/plugin/client.ts';
import { keyCredentials } from '../../support/key-credentials.ts';
import { listenOnLoopback, type Listening } from '../../support/loopback.ts';

const MIB = 1024 * 1024;
let script: (response: ServerResponse) => void = (response) => response.end();
let server: Listening;
let peer: PeerClient;

beforeAll(async () => {
  server = await listenOnLoopback(
    createServer((request, response) => {
      request.resume();
      script(response);
    }),
  );
  peer = makePeerClient({
    url: server.url,
    credentials: keyCredentials('our-key-0123456789-abcdef'),
    site: 'cars',
    totalTimeoutMs: 5_000,
  });
});
afterAll(async () => {
  await peer.close();
  await server.close();
});

const call = { trace: 'trace-0123', stillOurs: async () => undefined };
const calls: Readonly<Record<string, () => Promise<unknown>>> = {
  hello: () => peer.hello(call),
  feed: () => peer.feed({ after: 0, limit: 1000, times: 'utc' }, call),
  stream: () => peer.stream([], call),
  plugin: async () => {
    const client = makePluginClient({
      url: server.url,
      apiKey: 'our-key-0123456789-abcdef',
      totalTimeoutMs: 5_000,
    });
    try {
      await client.call('userFeedRequest', [['ascLastUserId', '0']]);
    } finally {
      await client.close();
    }
  },
};
const whole =
  (body: Buffer | string, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body);
/** The same part until nobody reads any more. */
const endless =
  (part: Buffer, headers: Record<string, string> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    const more = (): void => {
      while (!response.destroyed && response.write(part));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
const bomb = brotliCompressSync(Buffer.concat([Buffer.from('{"status":"OK","x":"'), Buffer.alloc(754 * MIB, 'x')]));
const objects = `{"status":"OK","users":[${'{},'.repeat(4 * MIB)}{}]}`;

test.each([
  ['47 KB of brotli that are 754 MiB', whole(bomb, { 'content-encoding': 'br' }), Object.keys(calls)],
  [
    'gzip of gzip',
    whole(gzipSync(gzipSync(Buffer.alloc(256 * MIB))), { 'content-encoding': 'gzip' }),
    Object.keys(calls),
  ],
  ['gzip, twice said', whole(gzipSync(gzipSync('{}')), { 'content-encoding': 'gzip, gzip' }), Object.keys(calls)],
  [
    'a coding nobody asked for',
    whole(zstdCompressSync(Buffer.alloc(64 * MIB)), { 'content-encoding': 'zstd' }),
    Object.keys(calls),
  ],
  ['text without end', endless(Buffer.alloc(65_536, '{"x":')), Object.keys(calls)],
  [
    'gzip of nothing without end',
    endless(Buffer.concat(Array<Buffer>(2_000).fill(gzipSync(''))), { 'content-encoding': 'gzip' }),
    ['hello'],
  ],
  ['millions of empty objects', whole(objects), Object.keys(calls)],
  ['another type', whole('<html>', { 'content-type': 'text/html' }), Object.keys(calls)],
] as const)('%s', async (_what, answer, names) => {
  for (const name of names) {
    script = answer;
    const before = process.memoryUsage().rss;
    await expect(calls[name]?.(), name).rejects.toMatchObject({ code: 'PEER_BAD_ANSWER' });
    expect([name, process.memoryUsage().rss - before < 96 * MIB]).toEqual([name, true]);
  }
});

test.each([301, 302, 307, 308])('a redirect with %i is not followed', async (status) => {
  let asked = 0;
  script = (response) => {
    asked += 1;
    response.writeHead(status, { location: server.url }).end();
  };
  for (const [name, ask] of Object.entries(calls)) await expect(ask(), name).rejects.toThrow('redirect');
  expect(asked).toBe(4);
});

test('an answer that comes too slowly is given up', async () => {
  const patient = makePeerClient({
    url: server.url,
    credentials: keyCredentials('our-key-0123456789-abcdef'),
    site: 'cars',
    totalTimeoutMs: 300,
  });
  script = (response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync('{}').subarray(0, 12));
  await expect(patient.hello(call)).rejects.toMatchObject({ code: 'PEER_TIMEOUT' });
  await patient.close();
});

test('a page of 4 MB is an honest one', async () => {
  const gzip = createGzip();
  const message = 'x'.repeat(4_000_000);
  const page = {
    status: 'OK',
    message,
    users: [],
    total: 0,
    remaining: 0,
    retrieved: 0,
    limit: 1,
    after: 0,
    next: 0,
    done: true,
  };
  script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    gzip.pipe(response);
    gzip.end(JSON.stringify(page));
  };
  const found = await peer.feed({ after: 0, limit: 1, times: 'utc' }, call);
  expect(found.message.length).toBe(message.length);
});
