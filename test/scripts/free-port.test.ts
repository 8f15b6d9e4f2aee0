import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/free-port.js';

test('a free port is below those of outgoing connections, and not the one that somebody listens on', async () => {
  const first = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(first + 1, '127.0.0.1', resolve);
  });
  try {
    const second = await freePort();
    expect(second).not.toBe(first + 1);
    for (const port of [first, second]) expect(port).toBeLessThan(32_768);
  } finally {
    server.close();
  }
});

test('ports that are asked for at the same time are different ones', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(new Set(ports).size).toBe(20);
});

test('ports asked for at the same time are free ones, though somebody listens on several of the next', async () => {
  const first = await freePort();
  const servers = await Promise.all(
    [1, 3, 4].map(async (step) => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(first + step, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  try {
    const ports = await Promise.all(Array.from({ length: 5 }, () => freePort()));
    expect(new Set(ports).size).toBe(5);
    for (const step of [1, 3, 4]) expect(ports).not.toContain(first + step);
  } finally {
    for (const server of servers) server.close();
  }
});
