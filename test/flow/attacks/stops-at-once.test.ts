/**
 * Everything that is known to stop a daemon or to fill its memory, one by one and all at once, against the program as the image
 * runs it: it says within a second that it lives, and stays below 256 MiB.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { residentMiB } from '../../endurance/daemon-process.ts';
import { KEY_A } from '../../support/captures.ts';
import { builtProgram, configOf, makeCli, type Cli, type Running } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { imageEnv, imageFlags } from '../../support/image.ts';
import { listenOnLoopback, type Listening } from '../../support/loopback.ts';
import { buildPhpForm } from '../../support/php-plugin/form.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../../support/world.ts';

const MIB = 1024 * 1024;
const MOST_MIB = 256;
const WITHIN_MS = 1_000;
const PROBE = new URL('../../support/liveness-worker.ts', import.meta.url);
const FORM = 'application/x-www-form-urlencoded';

let world: World;
let cars: WorldSite;
let cli: Cli;
let daemon: Running;
let bombs: Listening;
let port = 0;
const sockets = new Set<Socket>();

beforeAll(async () => {
  const bomb = brotliCompressSync(Buffer.concat([Buffer.from('{"status":"OK","x":"'), Buffer.alloc(754 * MIB, 'x')]));
  bombs = await listenOnLoopback(
    createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' }).end(bomb);
    }),
  );
  world = await makeWorld(['cars'], { idle: true });
  cars = world.site('cars');
  await cars.host.seed.users({ seed: 1, count: 20, firstId: 1, allActive: true });
  const peers = `peers:
  - { name: homes, url: "${bombs.url}", api_key: ${keyOf('homes')} }
  - { name: plug, url: "${bombs.url}", api_key: ${KEY_A}, protocol: plugin }`;
  cli = makeCli(configOf(cars, []).replace('peers: []', peers), [...imageFlags(), builtProgram()], imageEnv());
  await cli.run('install');
  daemon = cli.start('run');
  const ready = async (): Promise<void> => expect((await fetch(new URL('health/ready', cars.url))).status).toBe(200);
  await eventually(ready, { timeoutMs: 60_000 });
  port = Number(new URL(cars.url).port);
  // Else what peers send would be refused for what strangers send from the same address.
  await cars.admin('GET', '/v1/peers');
}, 120_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  daemon?.kill('SIGTERM');
  await daemon?.ended;
  cli?.close();
  await bombs?.close();
  await world?.close();
});

const quiet = async (call: Promise<unknown>): Promise<void> => void (await call.catch(() => undefined));

/** A connection that says this, and stays open. */
function open(text: string, body: Uint8Array = new Uint8Array()): void {
  const socket = connect(port, '127.0.0.1');
  sockets.add(socket);
  socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  socket.resume();
  socket.write(text);
  socket.write(body);
}

const STAMP = `${Date.now() - 1000}-1-100-homes`;
const recordOf = (values: Record<string, string>): object => {
  const email = `${randomUUID()}@example.com`;
  const registers = Object.entries(values).map(([column, value]) => [
    column.startsWith('d_') ? 'address' : column,
    { stamp: STAMP, values: { [column === 'user_description:en_US' ? 's_info' : column]: value } },
  ]);
  return {
    kind: 'user',
    uids: [randomUUID()],
    email,
    born: STAMP,
    registers: { s_email: { stamp: STAMP, values: { s_email: email } }, ...Object.fromEntries(registers) },
  };
};
/** What did not come through to the records, or rows, would be no attack. */
const heard: { readonly what: string; readonly status: number }[] = [];
/** Sends again as peers do: where a kept connection was closed as one too many, and where the same peer sends too much at once. */
async function post(path: string, init: RequestInit, what: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(new URL(path, cars.url), { method: 'POST', ...init }).catch(() => undefined);
    const status = answer?.status ?? 0;
    if (tries < 100 && [0, 429, 503].includes(status)) {
      await wait(50);
      continue;
    }
    heard.push({ what, status });
    return;
  }
}
const stream = async (records: readonly object[]): Promise<void> => {
  const headers = {
    authorization: `Bearer ${keyOf('homes')}`,
    'content-type': 'application/json',
    'content-encoding': 'gzip',
  };
  await post('v1/stream', { headers, body: gzipSync(JSON.stringify({ site: 'homes', records })) }, 'stream');
};
let accounts = 0;
const rowOf = async (values: Record<string, unknown>): Promise<void> => {
  const row = { pk_i_id: ++accounts, s_email: `p${accounts}@example.com`, s_name: 'P', ...values };
  const body = buildPhpForm({ ascSync: 1, ascApiKey: KEY_A, ascAction: 'userStreamPost', ascData: row });
  await post('', { headers: { 'content-type': FORM }, body }, 'row');
};

const NUMBER = `1.${'0'.repeat(200_000)}1`;
const DIGITS = `${'1'.repeat(65_000)}x`;
const texts = [
  NUMBER,
  `-${'9'.repeat(200_000)}e`,
  '<!--'.repeat(50_000),
  '<a '.repeat(66_000),
  DIGITS,
  ' '.repeat(200_000),
  '&'.repeat(200_000),
  '&#'.repeat(100_000),
];
const BODY_BOMBS = [
  gzipSync(`{"site":"homes","records":[${'{},'.repeat(5_000_000)}{}]}`),
  gzipSync(`{"site":"homes","records":[],"x":"${'x'.repeat(15 * MIB)}"}`),
];
const ANONYMOUS_ZIP = gzipSync(Buffer.alloc(16 * MIB, 'ascSync=1&'), { level: 9 });

/** Each begins its attack and says when it is over. */
const STOPS: Readonly<Record<string, () => Promise<unknown>>> = {
  'forty unfinished bodies of nobody, compressed': async () => {
    for (const path of ['/', '/v1/stream']) {
      for (let n = 0; n < 20; n += 1) {
        open(
          `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n`,
          ANONYMOUS_ZIP.subarray(0, -8),
        );
      }
    }
  },
  'a hundred whole ones': () =>
    Promise.all(
      Array.from({ length: 100 }, async () => {
        const headers = { 'content-type': FORM, 'content-encoding': 'gzip' };
        await quiet(fetch(cars.url, { method: 'POST', headers, body: ANONYMOUS_ZIP }));
      }),
    ),
  'two hundred unfinished ones that are plain': async () => {
    for (let n = 0; n < 200; n += 1) {
      open(
        `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\nContent-Length: 1000000\r\n\r\n`,
        Buffer.alloc(60_000, 'ascSync=1&'),
      );
    }
  },
  'three hundred slow heads': async () => {
    for (let n = 0; n < 300; n += 1) open('GET /health HTTP/1.1\r\nX-Slow: ');
  },
  'five thousand requests in one packet': async () => {
    open('GET /openapi.json HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n'.repeat(5_000), Buffer.alloc(0));
  },
  'descriptions of the API, compressed': () =>
    Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await fetch(new URL('openapi.json', cars.url)).catch(() => undefined);
        await quiet(answer?.text() ?? Promise.resolve());
      }),
    ),
  'a peer whose answers are bombs': async () => {
    for (const peer of ['homes', 'plug']) await quiet(cars.admin('POST', `/v1/peers/${peer}/feed`, {}));
    await quiet(cars.admin('POST', '/v1/stream/run'));
  },
  'a peer whose bodies are bombs': () =>
    Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const headers = {
          authorization: `Bearer ${keyOf('homes')}`,
          'content-type': 'application/json',
          'content-encoding': 'gzip',
        };
        const body = BODY_BOMBS[n % BODY_BOMBS.length] as Uint8Array<ArrayBuffer>;
        await quiet(fetch(new URL('v1/stream', cars.url), { method: 'POST', headers, body }));
      }),
    ),
  'texts of a peer that take long to look at': async () => {
    for (const text of texts) {
      await stream([
        recordOf({ d_coord_lat: text }),
        recordOf({ 'user_description:en_US': text }),
        recordOf({ s_name: text, s_website: text }),
      ]);
    }
  },
  'texts of a plugin that take long to look at': async () => {
    for (const text of texts) {
      await rowOf({ d_coord_lat: text });
      await rowOf({ s_name: text });
      await rowOf({ s_website: text });
      await rowOf({ user_description: [{ fk_c_locale_code: 'en_US', s_info: text }] });
    }
  },
};

/** How long liveness took, and how large the process was, while `stops` went on. */
async function watch(stops: () => Promise<unknown>): Promise<{ slowestMs: number; largestMiB: number }> {
  const probe = new Worker(PROBE, { workerData: { url: `${cars.url}health/live` } });
  let largestMiB = 0;
  const timer = setInterval(() => {
    largestMiB = Math.max(largestMiB, residentMiB(daemon.pid) ?? 0);
  }, 20);
  await stops();
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  probe.postMessage('over');
  const [slowestMs] = (await once(probe, 'message')) as [number];
  clearInterval(timer);
  return { slowestMs, largestMiB };
}

const SMALL_AND_ALIVE = [`answers within ${WITHIN_MS} ms`, `stays below ${MOST_MIB} MiB`];
const inWords = ({ slowestMs, largestMiB }: Awaited<ReturnType<typeof watch>>): string[] => [
  slowestMs < WITHIN_MS ? `answers within ${WITHIN_MS} ms` : `answers after ${Math.round(slowestMs)} ms`,
  largestMiB < MOST_MIB ? `stays below ${MOST_MIB} MiB` : `takes ${Math.round(largestMiB)} MiB`,
];

// Repeated, for a machine that is busy with other things answers late as well.
describe('a daemon under attack', { retry: 2, timeout: 60_000 }, () => {
  test.each(Object.keys(STOPS))('%s', async (name) => {
    expect(inWords(await watch(STOPS[name] as () => Promise<unknown>))).toEqual(SMALL_AND_ALIVE);
    expect(heard.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('all of it at once', async () => {
    const all = async (): Promise<unknown> => Promise.all(Object.values(STOPS).map(async (stop) => stop()));
    expect(inWords(await watch(all))).toEqual(SMALL_AND_ALIVE);
    expect(heard.filter(({ status }) => status !== 200)).toEqual([]);
  });
});
