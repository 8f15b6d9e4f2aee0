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
