/** Bodies that never end, in chunks, in single bytes, of nobody and of a peer: none is held whole, and all are cut. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createGzip, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { asPeer, httpApp, listening, PLUGIN_KEY } from '../../support/http-app.ts';

const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';
const KEY = `Authorization: ${asPeer.authorization}\r\nContent-Type: application/json\r\n`;
const served = { servePlugin: async () => Promise.reject(new Error('reached')) };

function chunk(bytes: Buffer | string): Buffer {
  return Buffer.concat([
    Buffer.from(`${Buffer.byteLength(bytes).toString(16)}\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ]);
}

/** Sends the head, and then the same chunk until something is answered; gives the status and how much was sent. */
async function floodOf(port: string, head: string, part: Buffer): Promise<{ status: string; sent: number }> {
  const socket: Socket = connect(Number(port), '127.0.0.1');
  const state = { told: '', isOpen: true };
  const over = new Promise<void>((resolve) => {
    const end = (): void => {
      state.isOpen = false;
      resolve();
    };
    socket.on('error', () => undefined).on('close', end);
    socket.on('data', (data: Buffer) => {
      state.told += data.toString('latin1');
      end();
    });
  });
  socket.write(`POST ${head}Host: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
  let sent = 0;
  while (state.isOpen && sent < 200_000_000) {
    sent += part.length;
    if (!socket.write(part)) {
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), over]);
    }
    await new Promise(setImmediate);
  }
  socket.destroy();
  return { status: state.told.slice(9, 12), sent };
}

const MIB = 1024 * 1024;
const zeros = createGzip();
zeros.write(Buffer.alloc(4 * MIB));
zeros.flush();

test.each([
  ['of nobody, on a native route', '/v1/stream HTTP/1.1\r\n', chunk('x'.repeat(65_536)), '401', MIB],
  ['of nobody, at the door of the plugin', `/ HTTP/1.1\r\n${FORM}`, chunk('x=y&'.repeat(16_384)), '404', MIB],
  ['of nobody who says to be the plugin', `/ HTTP/1.1\r\n${FORM}`, chunk('ascSync=1&'.repeat(6_000)), '401', MIB],
  ['of nobody, byte by byte', `/ HTTP/1.1\r\n${FORM}`, Buffer.concat(Array(1000).fill(chunk('x'))), '413', 8 * MIB],
  ['of a plugin', `/ HTTP/1.1\r\n${FORM}`, chunk(`&ascApiKey=${PLUGIN_KEY}&x=${'x'.repeat(65_000)}`), '413', 4 * MIB],
  ['of a peer', `/v1/stream HTTP/1.1\r\n${KEY}`, chunk('x'.repeat(65_536)), '413', 4 * MIB],
  [
    'of a peer, compressed',
    `/v1/stream HTTP/1.1\r\n${KEY}Content-Encoding: gzip\r\n`,
    chunk(gzipSync(Buffer.alloc(MIB))),
    '413',
    4 * MIB,
  ],
  [
    'of a peer, gzip of nothing',
    `/v1/stream HTTP/1.1\r\n${KEY}Content-Encoding: gzip\r\n`,
    chunk(Buffer.concat(Array(2000).fill(gzipSync('')))),
    '413',
    4 * MIB,
  ],
] as const)('a body without end, %s, is refused early', async (_what, head, part, status, most) => {
  const { app } = httpApp(served);
  const { port } = new URL(await listening(app));
  const before = process.memoryUsage().arrayBuffers;
  const flood = await floodOf(port, head, part);
  // The answer may get lost in the flood, and the connection is closed.
  expect([status, '']).toContain(flood.status);
  expect(flood.sent).toBeLessThan(most);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MIB);
});

test('a form that stops in the middle is cut', async () => {
  const { app } = httpApp({ ...served, requestTimeoutMs: 300 });
  const { port } = new URL(await listening(app));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${FORM}Content-Length: 99\r\n\r\nascSync=1&ascApi`);
  const [told] = (await once(socket, 'data')) as [Buffer];
  expect(told.toString()).toMatch(/^HTTP\/1\.1 408 /);
  if (!socket.closed) await once(socket, 'close');
});
