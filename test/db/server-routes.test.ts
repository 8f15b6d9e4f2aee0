import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { SyncError } from '../../src/model/errors.ts';
import type { Log } from '../../src/runtime/logger.ts';
import { eventually } from '../support/eventually.ts';
import type { FeedChoice } from '../../src/feed/control.ts';
import type { FeedQuery } from '../../src/feed/reader.ts';
import type { Actor, Call, LinkedPair } from '../../src/server/deps.ts';
import type { EntryQuery, LogQuery } from '../../src/server/request-schemas.ts';
import type { Health, LinkOutcome } from '../../src/model/response-schemas.ts';
import { asAdmin, asPeer, httpApp, keyDigest, listening, PLUGIN_KEY } from '../support/http-app.ts';

const fine = { status: 'ok', message: '' } as const;
const well: Health = {
  status: 'ok',
  checks: {
    database: fine,
    triggers: fine,
    queue: fine,
    peers: fine,
    config: fine,
    clock: fine,
    users: fine,
    identity: fine,
    host: fine,
  },
};
const page = {
  status: 'OK' as const,
  message: '',
  users: [],
  total: 0,
  remaining: 0,
  retrieved: 0,
  limit: 0,
  after: 0,
  next: 0,
  done: true,
};
const uid = '0191d7a8-0000-4000-8000-000000000001';

test('a peer reaches its routes under its own name', async () => {
  const calls: [string, FeedQuery, Call][] = [];
  const { app } = httpApp({
    serveFeed: async (...call) => {
      calls.push(call);
      return page;
    },
  });
  const headers = { ...asPeer, 'x-trace-id': 'trace-1234' };
  await app.inject({ url: '/v1/feed?after=7&limit=50&times=utc', headers });
  await app.inject({ url: '/v1/feed', headers });
  const call = { trace: 'trace-1234', ip: '127.0.0.1', keyDigest: expect.stringMatching(/^[0-9a-f]{8}$/) as string };
  expect(calls).toEqual([
    ['homes', { after: 7, limit: 50, times: 'utc', rows: false, proofs: false }, call],
    ['homes', { after: 0, limit: 1000, rows: false, proofs: false }, call],
  ]);
});

test.each([
  ['/v1/feed?after=-1', 'after: must be >= 0 (got -1)'],
  ['/v1/feed?after=1.5', 'after: must be integer (got "1.5")'],
  ['/v1/feed?after=0x10', 'after: must be integer (got "0x10")'],
  ['/v1/feed?after=1&after=2', 'after: must be integer (got ["1","2"])'],
  ['/v1/feed?limit=0', 'limit: must be >= 1 (got 0)'],
  ['/v1/feed?from=1', 'from: unknown'],
  ['/v1/hello?x=1', 'x: unknown'],
  ['/v1/feed?__proto__=1', '__proto__: unknown'],
])('%s is refused: %s', async (url, message) => {
  const { app } = httpApp();
  const answer = await app.inject({ url, headers: asPeer });
  expect([answer.statusCode, answer.json()]).toEqual([422, { status: 'ERR', code: 'REQUEST_INVALID', message }]);
});

test('all problems are told at once', async () => {
  const { app } = httpApp();
  const url = '/v1/logs?type=NEWS&limit=5000&from=yesterday&sarch=x';
  const { message } = (await app.inject({ url, headers: asAdmin })).json<{ message: string }>();
  expect(message.split('; ').map((problem) => problem.split(':')[0])).toEqual(
    expect.arrayContaining(['type', 'limit', 'from', 'sarch']),
  );
  expect(message).toContain('from: is not an ISO 8601 date');
  expect(message).toContain('type: must be one of FEED, STREAM, PROCESS (got "NEWS")');
});

test('what is wrong in a body is told by its place, without the value', async () => {
  const { app } = httpApp();
  const good = { kind: 'user', uids: [uid], email: 'a@example.com', born: '1-1-100-cars', registers: {} };
  const records = [
    good,
    { ...good, email: '', note: 'private' },
    { kind: 'removal', uids: [], emailHash: 'private', stamp: '1-1-100-cars' },
  ];
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/stream',
    headers: asPeer,
    payload: { records, site: 7 },
  });
  const { message } = answer.json<{ message: string }>();
  expect(answer.statusCode).toBe(422);
  expect(message).toContain('site: must be string');
  expect(message).toContain('records.1.note: unknown');
  expect(message).toContain('records.2.uids');
  expect(message).not.toContain('records.0');
  expect(message).not.toContain('private');
});

test('a body full of problems is answered with some of them and their number', async () => {
  const { app } = httpApp();
  const payload = { site: 'homes', records: Array.from({ length: 500 }, () => 7) };
  const { message } = (await app.inject({ method: 'POST', url: '/v1/stream', headers: asPeer, payload })).json<{
    message: string;
  }>();
  expect(message).toMatch(/; and \d+ more$/);
  expect(message.length).toBeLessThan(5_000);
});

test('log queries arrive with their types, and empty parameters count as not given', async () => {
  const queries: LogQuery[] = [];
  const { app } = httpApp({
    queryLogs: async (query) => {
      queries.push(query);
      return { logs: [], next: null };
    },
  });
  const get = async (search: string) => app.inject({ url: `/v1/logs?${search}`, headers: asAdmin });
  expect((await get('')).json()).toEqual({ logs: [], next: null });
  await get('type=FEED&peer=homes&status=403&search=50%25&limit=7&before=9');
  await get('type=&peer=&status=&search=&from=&to=&limit=&before=');
  await get('from=2024-05-01&to=2024-05-01');
  await get('from=2024-05-01T10:00&to=2024-05-01T10:00:00.5%2B02:00&after=0');
  expect(queries).toEqual([
    { limit: 100 },
    { type: 'FEED', peer: 'homes', status: '403', search: '50%', limit: 7, before: 9 },
    { limit: 100 },
    { fromMs: Date.UTC(2024, 4, 1), toMs: Date.UTC(2024, 4, 2) - 1, limit: 100 },
    { fromMs: Date.UTC(2024, 4, 1, 10), toMs: Date.UTC(2024, 4, 1, 8, 0, 0, 500), after: 0, limit: 100 },
  ]);
  expect((await get('from=2024-13-45')).statusCode).toBe(422);
});

test('logs are exported whole, page after page, as NDJSON and as CSV', async () => {
  const record = (id: number) => ({
    id,
    type: 'PROCESS' as const,
    peer: 'homes',
    key: null,
    ip: null,
    date: '2024-05-01T10:00:00.000Z',
    status: 'OK',
    response: id === 1 ? '=1+1, "quoted"' : 'stored',
    content: { uid, id },
    trace: 'trace-1234',
  });
  const queries: LogQuery[] = [];
  const { app } = httpApp({
    queryLogs: async (query) => {
      queries.push(query);
      if (query.before === undefined) return { logs: [record(3), record(2)], next: 2 };
      return { logs: [record(1)], next: null };
    },
  });
  const get = async (accept: string, search = '') =>
    app.inject({ url: `/v1/logs${search}`, headers: { ...asAdmin, accept } });
  const ndjson = await get('application/x-ndjson');
  expect(ndjson.headers['content-type']).toContain('application/x-ndjson');
  const lines = ndjson.payload.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([record(3), record(2), record(1)]);
  expect(queries.map(({ before }) => before)).toEqual([undefined, 2]);

  const csv = await get('text/csv');
  expect(csv.payload.split('\r\n')).toEqual([
    'id,type,peer,key,ip,date,status,response,content,trace',
    ...[3, 2].map(
      (id) => `${id},PROCESS,homes,,,2024-05-01T10:00:00.000Z,OK,stored,"{""uid"":""${uid}"",""id"":${id}}",trace-1234`,
    ),
    // A spreadsheet must not run what a peer said.
    `1,PROCESS,homes,,,2024-05-01T10:00:00.000Z,OK,"'=1+1, ""quoted""","{""uid"":""${uid}"",""id"":1}",trace-1234`,
    '',
  ]);
  expect((await get('application/x-ndjson', '?limit=2')).payload.trimEnd().split('\n')).toHaveLength(2);
});

test('an export that fails at once is answered as a failure', async () => {
  const { app } = httpApp({ queryLogs: async () => Promise.reject(new SyncError('DB_UNAVAILABLE')) });
  const answer = await app.inject({ url: '/v1/logs', headers: { ...asAdmin, accept: 'text/csv' } });
  expect([answer.statusCode, answer.json()]).toMatchObject([503, { code: 'DB_UNAVAILABLE' }]);
});

test('a feed is started with the options of the body, all false if there are none', async () => {
  const started: [string, FeedChoice][] = [];
  const progress = {
    peer: 'homes',
    running: true,
    message: null,
    retrieved: 0,
    remaining: 0,
    total: 0,
    last_user_id: 0,
    error: null,
  };
  const { app } = httpApp({
    feedControl: {
      start: async (name, options) => {
        started.push([name, options]);
        return progress;
      },
      follow: async (name, site, options) => {
        started.push([`${name} of ${site}`, options]);
        return Readable.from([{ event: 'begun' }, { event: 'stopped' }]);
      },
      progress: async () => progress,
      stop: async () => ({ ...progress, running: false }),
    },
  });
  const url = '/v1/peers/homes/feed';
  expect((await app.inject({ method: 'POST', url, headers: asAdmin })).statusCode).toBe(202);
  await app.inject({ method: 'POST', url, headers: asAdmin, payload: { dry_run: true, overwrite: true } });
  expect(started).toEqual([
    ['homes', { restart: false, dryRun: false, once: false, overwrite: false }],
    ['homes', { restart: false, dryRun: true, once: false, overwrite: true }],
  ]);
  const followed = await app.inject({ method: 'POST', url: `${url}?follow=cars`, headers: asAdmin });
  expect([followed.statusCode, followed.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  expect(followed.body).toBe('{"event":"begun"}\n{"event":"stopped"}\n');
  expect(started.at(-1)?.[0]).toBe('homes of cars');
  expect((await app.inject({ method: 'POST', url: `${url}?followed=cars`, headers: asAdmin })).statusCode).toBe(422);
  for (const payload of [{ dryRun: true }, { once: 'true' }, { once: 1 }, []]) {
    expect((await app.inject({ method: 'POST', url, headers: asAdmin, payload })).statusCode).toBe(422);
  }
  expect((await app.inject({ url, headers: asAdmin })).json()).toEqual(progress);
  expect((await app.inject({ method: 'DELETE', url, headers: asAdmin })).json()).toMatchObject({ running: false });
});

function linkOutcome({ dryRun }: LinkedPair, result: LinkOutcome['result']): LinkOutcome {
  return { result, user_id: 5, email: 'a***@e***.com', blocked: false, records: 1, dry_run: dryRun };
}

test('lists of peers, pending and parked come in one form', async () => {
  const queries: EntryQuery[] = [];
  const actors: Actor[] = [];
  const { app } = httpApp({
    listPeers: async () => [],
    pending: async (query) => {
      queries.push(query);
      return { pending: [], next: 'homes:u:3' };
    },
    parked: {
      list: async (query) => {
        queries.push(query);
        return { parked: [], next: null };
      },
      retry: async (id, by) => {
        actors.push(by);
        return id === '7' ? { result: 'applied' } : undefined;
      },
      drop: async (id, by) => {
        actors.push(by);
        return id === 'homes:u:3';
      },
    },
    approve: async (_name, by, { only, dryRun }) => {
      actors.push(by);
      const none = { removals: 0, credentials: 0, revivals: 0, creations: 0 };
      return { released: 3, by_class: { ...none, [only ?? 'removals']: 3 }, dry_run: dryRun };
    },
    link: async (pair, by) => {
      actors.push(by);
      return linkOutcome(pair, 'linked');
    },
    unlink: async (pair, by) => {
      actors.push(by);
      return linkOutcome(pair, 'parted');
    },
    runStream: async () => ({ drained: 1, sent: 2, pending: 3 }),
  });
  const get = async (url: string) => (await app.inject({ url, headers: asAdmin })).json<unknown>();
  expect(await get('/v1/peers')).toEqual({ peers: [], next: null });
  expect(await get('/v1/pending?limit=1&peer=homes&after=homes:u:2')).toEqual({ pending: [], next: 'homes:u:3' });
  expect(await get('/v1/parked')).toEqual({ parked: [], next: null });
  expect(queries).toEqual([{ limit: 1, peer: 'homes', after: 'homes:u:2' }, { limit: 100 }]);
  const act = async (method: 'POST' | 'DELETE', url: string, payload?: object) => {
    const answer = await app.inject({ method, url, headers: asAdmin, ...(payload === undefined ? {} : { payload }) });
    return [answer.statusCode, answer.json<unknown>()];
  };
  expect(await act('POST', '/v1/parked/7/retry')).toEqual([200, { status: 'OK', result: 'applied' }]);
  expect(await act('POST', '/v1/parked/8/retry')).toMatchObject([404, { code: 'NOT_FOUND' }]);
  expect(await act('DELETE', '/v1/parked/homes:u:3')).toEqual([200, { status: 'OK' }]);
  expect(await act('DELETE', '/v1/parked/homes:u:4')).toMatchObject([404, { code: 'NOT_FOUND' }]);
  expect(await act('POST', '/v1/peers/homes/approve')).toMatchObject([
    200,
    { status: 'OK', released: 3, by_class: { removals: 3 }, dry_run: false },
  ]);
  const pair = { email: 'ana@example.com', peer: 'homes' };
  expect(await act('POST', '/v1/link', pair)).toMatchObject([200, { status: 'OK', result: 'linked', dry_run: false }]);
  expect(await act('POST', '/v1/unlink', { ...pair, dry_run: true })).toMatchObject([
    200,
    { status: 'OK', result: 'parted', dry_run: true },
  ]);
  expect(await act('POST', '/v1/link', { email: '', peer: 'homes' })).toMatchObject([422, { code: 'REQUEST_INVALID' }]);
  // Each is told who it was.
  const actor = { name: 'ana', ip: '127.0.0.1', keyDigest: keyDigest(asAdmin.authorization.slice('Bearer '.length)) };
  expect(actors).toEqual(Array.from({ length: 7 }, () => ({ ...actor, trace: expect.any(String) as string })));
  expect(await act('POST', '/v1/stream/run')).toEqual([200, { status: 'OK', drained: 1, sent: 2, pending: 3 }]);
});

test('what is not there, under whatever method, is 404 in the one error form', async () => {
  const { app } = httpApp();
  const nothing = { status: 'ERR', code: 'NOT_FOUND', message: 'There is nothing at this address.' };
  for (const [method, url] of [
    ['GET', '/nothing'],
    ['PUT', '/v1/logs'],
    ['GET', '/v1/stream'],
    ['DELETE', '/health'],
    ['GET', '/v1/%zz'],
    ['GET', `/v1/peers/${'x'.repeat(500)}`],
    ['POST', '/'],
  ] as const) {
    const answer = await app.inject({ method, url, headers: asAdmin });
    expect([url, answer.statusCode, answer.json()]).toEqual([url, 404, nothing]);
  }
});

test('an unknown peer is 404 with its code', async () => {
  const unknown = new SyncError('PEER_UNKNOWN', 'No peer "x" is in the config.');
  const { app } = httpApp({ peerDetail: async () => Promise.reject(unknown) });
  const answer = await app.inject({ url: '/v1/peers/x', headers: asAdmin });
  expect([answer.statusCode, answer.json()]).toEqual([
    404,
    { status: 'ERR', code: 'PEER_UNKNOWN', message: 'No peer "x" is in the config.' },
  ]);
});

test('a failure that nobody foresaw tells nothing but a trace, which is in the log', async () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields) => void lines.push(fields),
    child: () => log,
  };
  const { app } = httpApp({ log, hello: async () => Promise.reject(new Error('table oc_t_user at 10.0.0.1')) });
  const answer = await app.inject({ url: '/v1/hello', headers: asPeer });
  const trace = answer.headers['x-trace-id'];
  expect(answer.statusCode).toBe(500);
  expect(answer.payload).not.toMatch(/oc_t_user|at .*:\d+/);
  expect(answer.json()).toMatchObject({ status: 'ERR', code: 'INTERNAL', trace });
  expect(lines).toEqual([expect.objectContaining({ trace, err: expect.any(Error) as Error })]);
});

test('a database that is away is 503 without its address', async () => {
  const away = new SyncError('DB_UNAVAILABLE', 'connect ECONNREFUSED 10.0.0.1:3306');
  const { app } = httpApp({ hello: async () => Promise.reject(away) });
  const answer = await app.inject({ url: '/v1/hello', headers: asPeer });
  expect(answer.statusCode).toBe(503);
  expect(answer.payload).not.toContain('10.0.0.1');
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
});

test('while stopping everything but liveness is 503', async () => {
  const { app, logged } = httpApp({ isStopping: () => true, health: async () => well });
  for (const url of ['/v1/hello', '/health', '/health/ready', '/openapi.json', '/nothing']) {
    const answer = await app.inject({ url });
    expect([url, answer.statusCode, answer.json()]).toMatchObject([url, 503, { status: 'ERR', code: 'STOPPING' }]);
  }
  expect((await app.inject({ url: '/health/live' })).json()).toEqual({ status: 'ok' });
  expect(logged).toEqual([]);
});

test('what is under way when the server closes is still answered', async () => {
  const gate = Promise.withResolvers<void>();
  let isInside = false;
  const { app } = httpApp({
    serveFeed: async () => {
      isInside = true;
      await gate.promise;
      return page;
    },
  });
  const origin = await listening(app);
  const asked = fetch(`${origin}/v1/feed`, { headers: asPeer });
  await eventually(() => expect(isInside).toBe(true));
  const closed = app.close();
  gate.resolve();
  expect((await asked).status).toBe(200);
  await closed;
  await expect(fetch(`${origin}/health/live`)).rejects.toThrow('fetch failed');
});

test.each([
  ['ok', 200, 200],
  ['degraded', 200, 200],
  ['down', 503, 503],
] as const)('health that is %s answers %i', async (status, http, ready) => {
  const { app } = httpApp({ health: async () => ({ ...well, status }) });
  const answer = await app.inject({ url: '/health' });
  expect([answer.statusCode, answer.json<Health>().status]).toEqual([http, status]);
  expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(ready);
  expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
  expect((await app.inject({ method: 'HEAD', url: '/health' })).statusCode).toBe(http);
});

test('a crowd that asks for the health asks the database once', async () => {
  let asked = 0;
  const { app } = httpApp({
    health: async () => {
      asked += 1;
      return well;
    },
  });
  await Promise.all(Array.from({ length: 50 }, async () => app.inject({ url: '/health' })));
  expect(asked).toBe(1);
});

test.each(['/account-sync/', 'account-sync', '/account-sync'])(
  'base path %s stands before every route',
  async (basePath) => {
    const { app } = httpApp({
      basePath,
      servePlugin: async () => ({ httpStatus: 200, body: { status: 'OK', message: '', data: [] } }),
    });
    const form = {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: `ascSync=1&ascApiKey=${PLUGIN_KEY}`,
    } as const;
    for (const [expected, options] of [
      [200, { url: '/account-sync/health/live' }],
      [404, { url: '/health/live' }],
      [200, { url: '/account-sync/', ...form }],
      [200, { url: '/account-sync/index.php', ...form }],
      [404, { url: '/index.php', ...form }],
    ] as const) {
      expect((await app.inject(options)).statusCode).toBe(expected);
    }
  },
);

test('every answer has a trace: the one that was given if it is sane, and who gave it is known', async () => {
  const { app } = httpApp({ listPeers: async () => [] });
  const trace = async (given: string, url = '/v1/peers') =>
    (await app.inject({ url, headers: { ...asAdmin, 'x-trace-id': given } })).headers['x-trace-id'];
  expect(await trace('abc-DEF-123')).toBe('abc-DEF-123');
  expect(await trace('abc-DEF-123', '/health/live')).toMatch(/^[0-9a-f-]{36}$/);
  for (const bad of ['short', 'x'.repeat(65), 'with blank in it', '{"a":1}/////']) {
    expect(await trace(bad)).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test('the description of the API is OpenAPI 3.1 and knows every route', async () => {
  const { app } = httpApp();
  const document = (await app.inject({ url: '/openapi.json' })).json<{
    openapi: string;
    paths: Record<string, Record<string, { responses: Record<string, unknown>; security?: unknown[] }>>;
  }>();
  expect(document.openapi).toBe('3.1.0');
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(routes.toSorted()).toEqual([
    'delete /v1/parked/{id}',
    'delete /v1/peers/{name}/feed',
    'get /health',
    'get /health/live',
    'get /health/ready',
    'get /metrics',
    'get /openapi.json',
    'get /v1/feed',
    'get /v1/hello',
    'get /v1/logs',
    'get /v1/parked',
    'get /v1/peers',
    'get /v1/peers/{name}',
    'get /v1/peers/{name}/feed',
    'get /v1/pending',
    'post /v1/link',
    'post /v1/parked/{id}/retry',
    'post /v1/peers/{name}/approve',
    'post /v1/peers/{name}/feed',
    'post /v1/stream',
    'post /v1/stream/run',
    'post /v1/unlink',
  ]);
});

test('an export is read no faster than its caller reads, and no further than it listens', async () => {
  let pages = 0;
  const record = {
    type: 'PROCESS',
    peer: null,
    key: null,
    ip: null,
    date: '2024-05-01T10:00:00.000Z',
    status: 'OK',
  } as const;
  const { app } = httpApp({
    queryLogs: async ({ limit, before = 1e9 }) => {
      pages += 1;
      const more = { response: 'x'.repeat(1000), content: {}, trace: 'trace-1234' };
      return {
        logs: Array.from({ length: limit }, (_, n) => ({ ...record, ...more, id: before - n })),
        next: before - limit,
      };
    },
  });
  const headers = { ...asAdmin, accept: 'application/x-ndjson', 'accept-encoding': 'identity' };
  const answer = await fetch(`${await listening(app)}/v1/logs`, { headers });
  let last = 0;
  const settled = (): void => {
    const before = last;
    last = pages;
    expect([pages > 0, pages]).toEqual([true, before]);
  };
  await eventually(settled, { intervalMs: 200 });
  // What lies in the buffers of two sockets, and a page or two.
  expect(pages).toBeLessThan(100);
  await answer.body?.cancel();
  await eventually(settled, { intervalMs: 200 });
  expect(pages).toBeLessThan(200);
});
