/** Peers that hang, answer nonsense, or refuse a request for what is in it: entries wait or are parked, others go on. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { deliverAll, drainAll, letTimePass, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { makeWorld, type World } from '../support/world.ts';

let world: World;
const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
  await world.close();
});

const register = (email: string): Promise<number> =>
  world.site('cars').host.person.register({ email, name: 'Ana', validation: false });
const entriesFor = (peer: string): Promise<{ state: string; code: string | null }[]> =>
  world.site('cars').db.query('SELECT state, code FROM oc_account_sync_outbox WHERE peer = ?', [peer]);

describe('a peer that hangs', () => {
  it('holds up nobody else, and gets what it missed when it answers again', async () => {
    const ports = new Map<string, number>();
    const proxy = await startTcpProxy(() => ports.get('homes') ?? 0);
    releases.push(() => proxy.close());
    world = await makeWorld(['cars', 'homes', 'jobs'], {
      peerUrl: (from, to, port) => {
        ports.set(to, port);
        return `http://127.0.0.1:${from === 'cars' && to === 'homes' ? proxy.port : port}/`;
      },
    });
    await register('first@example.com');
    await world.settle();
    expect(await world.differences()).toEqual([]);
    proxy.become('stalled');
    const jobs = world.site('jobs').host;
    for (let n = 0; n < 5; n++) {
      const email = `during${n}@example.com`;
      await register(email);
      await eventually(async () => expect(await jobs.user(email)).toBeDefined(), { timeoutMs: 5_000 });
    }
    expect((await world.site('homes').host.users()).users.size).toBe(1);
    const answer = await world.site('cars').admin('GET', '/health');
    expect(answer.status).toBe(200);
    proxy.become('open');
    await eventually(async () => expect(await world.differences()).toEqual([]), { timeoutMs: 60_000 });
  }, 120_000);
});

const SAID = JSON.stringify({ status: 'ERR', code: 'STOPPING', message: 'its words' });

describe('a peer that answers', () => {
  const answers: [string, (response: ServerResponse) => void, string][] = [
    ['a page of a web server', (response) => response.end('<html>It works</html>'), 'PEER_BAD_ANSWER'],
    ['JSON of another kind', (response) => response.end('{"status":"OK"}'), 'PEER_BAD_ANSWER'],
    [
      'too few results',
      (response) => response.end('{"status":"OK","results":[{"result":"applied"}]}'),
      'PEER_BAD_ANSWER',
    ],
    ['a redirect', (response) => response.writeHead(302, { location: '/elsewhere' }).end(), 'PEER_BAD_ANSWER'],
    ['500', (response) => response.writeHead(500).end('{"status":"ERR","code":"INTERNAL"}'), 'PEER_FAILED'],
    ['502 of a proxy', (response) => response.writeHead(502).end('<html>'), 'PEER_UNREACHABLE'],
    ['503', (response) => response.writeHead(503, { 'retry-after': '1' }).end(SAID), 'PEER_FAILED'],
    ['403', (response) => response.writeHead(403).end(SAID.replace('STOPPING', 'API_KEY_INVALID')), 'PEER_REFUSED_KEY'],
    ['403 of a firewall', (response) => response.writeHead(403).end('<html>Forbidden'), 'PEER_BLOCKED'],
    ['nothing, and hangs up', (response) => response.destroy(), 'PEER_UNREACHABLE'],
  ];

  it('anything but a confirmation keeps every entry', async () => {
    let answer = answers[0]?.[1];
    const hello = JSON.stringify({
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
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/v1/hello') === true) response.end(hello);
      else answer?.(response);
    });
    const port = await listen(server);
    releases.push(() => new Promise((resolve) => server.close(resolve)));
    world = await makeWorld(['cars', 'homes'], {
      manual: true,
      peerUrl: (_from, to, own) => `http://127.0.0.1:${to === 'homes' ? port : own}/`,
    });
    await scanAll(world);
    await register('ana@example.com');
    await register('bob@example.com');
    const cars = world.site('cars');
    await drainAll(cars);
    const site = await siteOf(cars);
    for (const [what, give, code] of answers) {
      answer = give;
      await expect(site.deliver(site.route('homes')), what).rejects.toMatchObject({ code });
      expect(await entriesFor('homes'), what).toHaveLength(2);
      const { body } = await cars.admin('GET', '/v1/logs?type=STREAM&limit=1');
      expect(body.logs?.[0], what).toMatchObject({ peer: 'homes', content: { code, records: 2 } });
    }
  });

  it('413 for a whole batch gets it in parts, and only the user that is too large is parked', async () => {
    world = await makeWorld(['cars', 'homes'], { manual: true, httpExtra: { homes: 'max_body: 64KiB' } });
    await scanAll(world);
    const cars = world.site('cars');
    for (let n = 0; n < 12; n++) {
      const id = await register(`large${n}@example.com`);
      await cars.host.person.editProfile(id, { info: { en_US: `${n}`.repeat(n === 7 ? 60_000 : 9_000) } });
    }
    const seventh = await cars.host.idOf('large7@example.com');
    await cars.host.person.editProfile(seventh, { info: { es_ES: 'z'.repeat(30_000) } });
    await drainAll(cars);
    await deliverAll(cars);
    const fed = [...(await world.site('homes').host.users()).users.keys()];
    expect(fed).toHaveLength(11);
    expect(fed).not.toContain('large7@example.com');
    expect(await entriesFor('homes')).toEqual([{ state: 'p', code: 'BODY_TOO_LARGE' }]);
    const { body } = await cars.admin('GET', '/v1/parked');
    expect(body['parked']).toMatchObject([{ direction: 'out', peer: 'homes', code: 'BODY_TOO_LARGE' }]);
    // It goes out again by itself once it changes.
    await cars.host.person.editProfile(seventh, { info: { en_US: 'short', es_ES: 'corto' } });
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
  });

  it('a record that asks for another try is tried again later, and holds up no other', async () => {
    world = await makeWorld(['cars', 'homes'], { manual: true });
    await scanAll(world);
    await register('ana@example.com');
    await register('bob@example.com');
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    await settleByHand(world);
    const lock = await homes.db.connection();
    await lock.query('START TRANSACTION');
    await lock.query("UPDATE oc_t_user SET s_website = 'x' WHERE s_email = 'ana@example.com'");
    await cars.host.person.editProfile('ana@example.com', { name: 'Ana B' });
    await cars.host.person.editProfile('bob@example.com', { name: 'Bob B' });
    await drainAll(cars);
    const site = await siteOf(cars);
    expect(await site.deliver(site.route('homes'))).toMatchObject({ done: 1, kept: 1 });
    expect(await homes.host.user('bob@example.com')).toMatchObject({ s_name: 'Bob B' });
    const { body } = await cars.admin('GET', '/v1/pending');
    expect(body['pending']).toMatchObject([{ state: 'waiting', attempts: 1, code: 'USER_BUSY' }]);
    await lock.query('COMMIT');
    await lock.end();
    await letTimePass(cars);
    await deliverAll(cars);
    await settleByHand(world);
    expect(await homes.host.user('ana@example.com')).toMatchObject({ s_name: 'Ana B', s_website: 'x' });
    expect(await world.differences()).toEqual([]);
  }, 60_000);
});

it('a peer that is slow for the locks of its site answers in time, and what it did not come to waits', async () => {
  world = await makeWorld(['cars', 'homes'], { manual: true, idle: true });
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  await cars.start();
  // After two tries that lost against a lock, more time has gone by than a caller can wait.
  let lateMs = 0;
  let lost = 0;
  await homes.start({
    clock: { nowMs: () => Date.now() + lateMs },
    onStatement: (statement) => {
      if (!/^rollback$/i.test(statement)) return;
      lost += 1;
      if (lost === 2) lateMs = 20_000;
    },
  });
  await scanAll(world);
  const emails = ['ana@example.com', 'bob@example.com', 'eve@example.com'];
  for (const email of emails) await register(email);
  await settleByHand(world);
  lateMs = 0;
  lost = 0;
  const lock = await homes.db.connection();
  await lock.query('START TRANSACTION');
  await lock.query("SELECT * FROM oc_t_user WHERE s_email = 'ana@example.com' FOR UPDATE");
  for (const email of emails) await cars.host.person.editProfile(email, { name: 'Edited' });
  await drainAll(cars);
  const site = await siteOf(cars);
  expect(await site.deliver(site.route('homes'))).toMatchObject({ done: 0, kept: 3 });
  expect(await entriesFor('homes')).toEqual(emails.map(() => ({ state: 'w', code: 'USER_BUSY' })));
  await lock.query('ROLLBACK');
  await lock.end();
  await settleByHand(world);
  expect(await world.differences()).toEqual([]);
}, 60_000);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
