/** A daemon on a real database gets thousands of malformed requests: no 500, no crash, no word of what lies below. */
import { once } from 'node:events';
import { Agent, request as ask } from 'node:http';
import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Log } from '../../src/runtime/logger.ts';
import { makeContract, type ApiDocument, type Contract, type Exchange } from '../support/api-contract.ts';
import { scanAll } from '../support/by-hand.ts';
import { malformedRequest, type Known, type RawRequest } from '../support/malformed-request.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000_000);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 5_000);

/** Stacks, files, statements, and what the driver or the framework call their errors. */
const BELOW =
  /\bat .+:\d+:\d+|node_modules|\.[jt]s:\d|\bSELECT\b|\bINSERT INTO\b|oc_account_sync|\bER_[A-Z]{3}|FST_ERR|ECONN/;

let world: World;
let homes: WorldSite;
let contract: Contract;
let known: Known;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const errors: unknown[] = [];
const silent = (): void => undefined;
const log: Log = {
  debug: silent,
  info: silent,
  warn: silent,
  error: (fields, phrase) => errors.push([phrase, fields['err']]),
  child: () => log,
};

beforeAll(async () => {
  const httpExtra = { homes: 'max_body: 64KiB, trust_proxy: true' };
  world = await makeWorld(['cars', 'homes'], { manual: true, log, httpExtra });
  homes = world.site('homes');
  await homes.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
  await scanAll(world);
  contract = makeContract((await (await fetch(new URL('openapi.json', homes.url))).json()) as ApiDocument);
  const page = await fetch(new URL('v1/feed', homes.url), { headers: { authorization: `Bearer ${keyOf('cars')}` } });
  const { users } = (await page.json()) as { users: object[] };
  known = { peerKey: keyOf('cars'), adminToken: homes.adminToken, record: users[0] as object };
}, 60_000);
afterAll(async () => {
  agent.destroy();
  await world.close();
});

async function send({ method, path, headers, body }: RawRequest): Promise<Exchange> {
  const length = body.length === 0 ? {} : { 'content-length': body.length };
  const request = ask(homes.url, { method, path, agent, headers: { ...headers, ...length } });
  // A HEAD with too large headers is answered before anybody knows that it is a HEAD, and so with a body.
  request.on('error', silent);
  request.end(body);
  const [answer] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const type = answer.headers['content-type'] ?? '';
  return { method, url: path, status: answer.statusCode ?? 0, type, body: Buffer.concat(chunks).toString('utf8') };
}

const isUp = async (): Promise<void> => expect((await fetch(new URL('health/live', homes.url))).status).toBe(200);

describe(`malformed requests (TEST_SEED=${SEED})`, () => {
  const counts = new Map<number, number>();

  test(`${RUNS} of them are answered as the document says, and never with 500`, { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(malformedRequest(known), async (request) => {
        const exchange = await send(request);
        const { status, body, method } = exchange;
        counts.set(status, (counts.get(status) ?? 0) + 1);
        expect(status).toBeLessThan(500);
        // What is read with a key may tell how a call to a peer failed.
        expect(status >= 400 ? body : '').not.toMatch(BELOW);
        expect(method === 'HEAD' ? [] : contract.problems(exchange)).toEqual([]);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    await isUp();
    expect(errors).toEqual([]);
  });

  test('they got everywhere: through the checks, and to every refusal', () => {
    for (const status of [200, 400, 401, 403, 404, 413, 415, 422]) expect([...counts.keys()]).toContain(status);
  });

  test('what is no HTTP is answered or dropped, and the next caller is served', { timeout: 60_000 }, async () => {
    const start = fc.constantFrom(
      'GET / HTTP/1.1\r\n',
      'POST /v1/stream HTTP/1.1\r\nHost: a\r\n',
      'PRI * HTTP/2.0\r\n',
      '',
    );
    const lines = fc.constantFrom(
      '\r\n\r\n',
      '\r\n',
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
      ':',
      '\0',
    );
    const noise = fc.string({ unit: 'binary', maxLength: 50 });
    const message = fc.tuple(start, fc.array(fc.oneof(lines, noise), { maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(message, async ([head, rest]) => {
        const socket = connect(Number(new URL(homes.url).port), '127.0.0.1');
        let answer = '';
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
        socket.on('error', silent);
        socket.end(head + rest.join(''));
        await new Promise<void>((resolve) => socket.on('close', () => resolve()));
        expect(answer).not.toMatch(BELOW);
        expect(answer).not.toMatch(/^HTTP\/1\.1 5/);
      }),
      { seed: SEED, numRuns: 500 },
    );
    await isUp();
    expect(errors).toEqual([]);
  });
});
