/** One peer begins many large bodies and finishes none: what they take has an end, and another peer is still heard. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { makeAuthenticator } from '../../../src/peer/authentication.ts';
import { httpApp, keyDigest, listening } from '../../support/http-app.ts';

const MIB = 1024 * 1024;
const { identify } = makeAuthenticator({
  peers: ['homes', 'jobs'].map((name) => ({
    name,
    protocol: 'native',
    apiKeys: [`${name}-key-aaaaaaaaaaaaaaaaaaa`],
    publicKeys: [],
  })),
  admins: [],
  keyDigest,
});
const headOf = (name: string) =>
  `POST /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${name}-key-aaaaaaaaaaaaaaaaaaa\r\nContent-Type: application/json\r\n`;

async function statusOf(socket: Socket): Promise<string> {
  const [told] = (await once(socket, 'data')) as [Buffer];
  return told.toString().slice(9, 12);
}

test('what is beyond the total is refused for now, of that peer alone, until it lets go', async () => {
  const answered = { status: 'OK' as const, results: [] };
  const { app } = httpApp({ identify, maxBodyBytes: () => 4 * MIB, acceptStream: async () => answered });
  const origin = await listening(app);
  const port = Number(new URL(origin).port);
  const body = gzipSync(`{"site":"homes","records":[],"x":"${'x'.repeat(3 * MIB)}`);
  const begin = (): Socket => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(`${headOf('homes')}Content-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n`);
    socket.write(body.subarray(0, -20));
    return socket;
  };
  const first = begin();
  const others = Array.from({ length: 20 }, begin);
  const statuses = await Promise.all(
    [first, ...others].map(async (socket) =>
      Promise.race([statusOf(socket), new Promise((resolve) => setTimeout(resolve, 3_000, 'held'))]),
    ),
  );
  expect(statuses.filter((status) => status === '503').length).toBe(20);
  expect(statuses.filter((status) => status === 'held').length).toBe(1);

  const jobs = await fetch(`${origin}/v1/stream`, {
    method: 'POST',
    headers: { authorization: 'Bearer jobs-key-aaaaaaaaaaaaaaaaaaa', 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'jobs', records: [] }),
  });
  expect(jobs.status).toBe(200);

  for (const socket of [first, ...others]) socket.destroy();
  const again = async (): Promise<number> => {
    const { status } = await fetch(`${origin}/v1/stream`, {
      method: 'POST',
      headers: { authorization: 'Bearer homes-key-aaaaaaaaaaaaaaaaaaa', 'content-type': 'application/json' },
      body: JSON.stringify({ site: 'homes', records: [], x: 'x'.repeat(3 * MIB) }),
    });
    return status;
  };
  await expect.poll(again, { timeout: 15_000 }).toBe(422);
});
