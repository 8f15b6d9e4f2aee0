/** Thousands of requests in one packet, none of whose answers is read: so many are not begun. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { asPeer, httpApp, listening } from '../../support/http-app.ts';

test('of requests that come before the answers to those before, only a few are begun', async () => {
  let [begun, most] = [0, 0];
  const { app } = httpApp({
    hello: async () => {
      begun += 1;
      most = Math.max(most, begun);
      await new Promise((resolve) => setTimeout(resolve, 20));
      begun -= 1;
      throw new Error('enough');
    },
  });
  const origin = await listening(app);
  const socket = connect(Number(new URL(origin).port), '127.0.0.1').on('error', () => undefined);
  const one = `GET /v1/hello HTTP/1.1\r\nHost: x\r\nAuthorization: ${asPeer.authorization}\r\n\r\n`;
  socket.write(one.repeat(5_000));
  await new Promise((resolve) => socket.once('close', resolve));
  expect(most).toBeLessThanOrEqual(1_000);
  expect((await fetch(`${origin}/health/live`)).status).toBe(200);
});

test('a few in one packet are answered, each in its turn', async () => {
  const { app } = httpApp();
  const socket = connect(Number(new URL(await listening(app)).port), '127.0.0.1');
  socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5));
  let told = '';
  for await (const chunk of socket) {
    told += String(chunk);
    if (told.split('"status":"ok"').length === 6) break;
  }
  expect(told.match(/HTTP\/1\.1 200 /g)).toHaveLength(5);
});
