/** Connections that are opened and left open, headers that come byte by byte: whoever has something to ask is heard. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { asPeer, httpApp, listening } from '../../support/http-app.ts';

const MOST = 20;

async function opened(port: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

test('who holds connections open loses them, and nobody else', async () => {
  let answer = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { app } = httpApp({
    mostConnections: MOST,
    hello: async () => {
      await held;
      throw new Error('enough');
    },
  });
  const origin = await listening(app);
  const { port } = new URL(origin);
  const served = fetch(`${origin}/v1/hello`, { headers: asPeer });
  const slow = await opened(port, 3 * MOST);
  for (const socket of slow) socket.write('GET /health/live HTTP/1.1\r\nX-Slow: ');
  const live = await fetch(`${origin}/health/live`);
  expect(live.status).toBe(200);
  await expect.poll(() => slow.filter((socket) => !socket.closed).length).toBeLessThan(MOST);
  answer();
  // A peer that waits for its answer, on the oldest connection of all, gets it.
  expect((await served).status).toBe(500);
  for (const socket of slow) socket.destroy();
});

test('headers that do not come in time end the connection', async () => {
  const { app } = httpApp({ requestTimeoutMs: 300 });
  const { port } = new URL(await listening(app));
  const [socket] = (await opened(port, 1)) as [Socket];
  socket.write('GET /health/live HTTP/1.1\r\nX-Slow: a');
  const [told] = (await once(socket, 'data')) as [Buffer];
  expect(told.toString()).toMatch(/^HTTP\/1\.1 408 /);
  if (!socket.closed) await once(socket, 'close');
});

test.each([
  ['one of 64 KiB', `X-Large: ${'x'.repeat(65_536)}\r\n`],
  ['two thousand', Array.from({ length: 2000 }, (_, n) => `X-${n}: ${n}\r\n`).join('')],
])('headers that are too large, %s, are refused', async (_what, headers) => {
  const { app } = httpApp();
  const { port } = new URL(await listening(app));
  const [socket] = (await opened(port, 1)) as [Socket];
  socket.write(`GET /health/live HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  const [told] = (await once(socket, 'data')) as [Buffer];
  expect(told.toString()).toMatch(/^HTTP\/1\.1 431 /);
  socket.destroy();
});
