/** Many entries for one peer: how they are divided into requests, and what becomes of the others when one fails. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { WireRecord } from '../../src/model/record.ts';
import { drainAll, scanAll, siteOf } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

const HELLO = JSON.stringify({
  status: 'OK',
  site: 'homes',
  peer: 'cars',
  protocols: ['native/1'],
  version: '1',
  timezone: true,
  time: new Date().toISOString(),
  receive: true,
  send: true,
  columns: { accept: [], send: [] },
});

interface Batch {
  readonly records: readonly WireRecord[];
  /** Answers; with `status` a failure. */
  readonly answer: (status?: number) => void;
}

let world: World;
let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await world.close();
});

/** `cars`, which sends ten records at a time, and a peer that answers what it is sent when it is told to. */
async function makePair(): Promise<{ cars: WorldSite; open: Batch[] }> {
  const open: Batch[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
    const { records } = (await json(body)) as { records: WireRecord[] };
    // Whether anything gets through when a batch has failed: nothing does.
    if (records.length === 0) {
      response.writeHead(500).end();
      return;
    }
    const results = records.map(() => ({ result: 'applied' }));
    const batch: Batch = {
      records,
      answer(status = 200) {
        open.splice(open.indexOf(batch), 1);
        response.writeHead(status).end(JSON.stringify(status === 200 ? { status: 'OK', results } : {}));
      },
    };
    open.push(batch);
  };
  server = createServer((request, response) => {
    if (request.url?.startsWith('/v1/hello') === true) response.end(HELLO);
    else void take(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  world = await makeWorld(['cars', 'homes'], {
    manual: true,
    idle: true,
    extra: { cars: 'stream: { batch_size: 10 }' },
    peerUrl: (_from, to, own) => `http://127.0.0.1:${to === 'homes' ? port : own}/`,
  });
  const cars = world.site('cars');
  await cars.start();
  await scanAll({ ...world, sites: [cars] });
  return { cars, open };
}

const waiting = async (cars: WorldSite): Promise<number> =>
  (await cars.db.query('SELECT 1 FROM oc_account_sync_outbox')).length;
const register = async (cars: WorldSite, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    await cars.host.person.register({ email: `u${n}@example.com`, name: `U ${n}`, validation: false });
  }
  await drainAll(cars);
};
const untilOpen = (open: readonly Batch[], count: number): Promise<void> =>
  eventually(async () => expect(open).toHaveLength(count));

describe('many entries', () => {
  it('travel in batches, two at a time, and each leaves when it is confirmed', async () => {
    const { cars, open } = await makePair();
    await register(cars, 34);
    const site = await siteOf(cars);
    const delivery = site.deliver(site.route('homes'));
    const emails: string[] = [];
    for (const left of [24, 14, 4, 0]) {
      await untilOpen(open, left >= 10 || left === 4 ? 2 : 1);
      const [batch] = open;
      for (const record of batch?.records ?? []) if (record.kind === 'user') emails.push(record.email);
      batch?.answer();
      await eventually(async () => expect(await waiting(cars)).toBe(left));
    }
    expect(await delivery).toEqual({ done: 34, full: false, kept: 0 });
    expect(new Set(emails).size).toBe(34);
  });

  it('stay, all but the confirmed ones, when a batch fails', async () => {
    const { cars, open } = await makePair();
    await register(cars, 34);
    const site = await siteOf(cars);
    const failure = site.deliver(site.route('homes')).then(
      () => undefined,
      (error: unknown) => error,
    );
    await untilOpen(open, 2);
    const [first, second] = open;
    first?.answer(500);
    await eventually(async () => {
      const { body } = await cars.admin('GET', '/v1/logs?search=PEER_FAILED');
      expect(body.logs).toHaveLength(1);
    });
    expect(open).toEqual([second]);
    second?.answer();
    expect(await failure).toMatchObject({ code: 'PEER_FAILED' });
    expect(await waiting(cars)).toBe(24);
  });

  it('have removals among them go first and one request at a time', async () => {
    const { cars, open } = await makePair();
    await register(cars, 25);
    const site = await siteOf(cars);
    await cars.db.query('DELETE FROM oc_account_sync_outbox');
    for (let n = 0; n < 12; n++) await cars.host.person.deleteAccount(`u${n}@example.com`);
    await cars.host.write(`UPDATE {user} SET s_name = 'Ana'`);
    await drainAll(cars);
    const delivery = site.deliver(site.route('homes'));
    const kinds: string[] = [];
    for (let n = 0; n < 3; n++) {
      await untilOpen(open, 1);
      kinds.push(open[0]?.records.map(({ kind }) => kind[0]).join('') ?? '');
      open[0]?.answer();
    }
    expect(await delivery).toMatchObject({ done: 25 });
    expect(kinds).toEqual(['rrrrrrrrrr', 'rruuuuuuuu', 'uuuuu']);
  });
});
