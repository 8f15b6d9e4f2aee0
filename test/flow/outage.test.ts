import { afterEach, describe, expect, it } from 'vitest';
import { makeLogger } from '../../src/runtime/logger.ts';
import { eventually } from '../support/eventually.ts';
import { keyOf, makeWorld, tokenOf, type World } from '../support/world.ts';

let world: World;
afterEach(() => world.close());

const streamed = async (): Promise<number> => {
  const counts = await Promise.all(
    world.sites.map((site) => site.db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM oc_account_sync_log`)),
  );
  return counts.reduce((sum, [row]) => sum + Number(row?.n), 0);
};
const quietly = async (): Promise<void> => {
  await world.settle();
  const before = await streamed();
  // Three schedules of every daemon go by.
  const until = Date.now() + 3_500;
  await eventually(async () => {
    if (Date.now() < until) throw new Error('still watching');
  });
  expect(await streamed()).toBe(before);
};

describe('a peer that is away', () => {
  it('keeps one entry per user, delays nobody else, and catches up', async () => {
    world = await makeWorld(['cars', 'homes', 'jobs']);
    const [cars, homes, jobs] = ['cars', 'homes', 'jobs'].map((name) => world.site(name));
    const ana = (await cars?.host.person.register({ email: 'ana@example.com', name: 'Ana' })) ?? 0;
    await world.settle();
    await homes?.stop();
    for (let n = 0; n < 1000; n++)
      await cars?.db.query('UPDATE oc_t_user SET s_name = ? WHERE pk_i_id = ?', [`Ana ${n}`, ana]);
    await eventually(async () => expect(await jobs?.host.user(ana)).toMatchObject({ s_name: 'Ana 999' }));
    const entries = await cars?.db.query(`SELECT kind FROM oc_account_sync_outbox WHERE peer = 'homes'`);
    expect(entries).toEqual([{ kind: 'u' }]);
    await homes?.start();
    await world.settle(70_000);
    await eventually(async () => expect(await world.differences()).toEqual([]));
  }, 100_000);
});

describe('equal sites', () => {
  it('send nothing in a mesh', async () => {
    world = await makeWorld(['cars', 'homes', 'jobs']);
    await world.site('cars').host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await world.site('jobs').host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await world.settle();
    await world.site('homes').host.person.editProfile('ana@example.com', { name: 'Ana B' });
    await quietly();
    expect(await world.differences()).toEqual([]);
  });

  it('send nothing in a ring, where what comes from one neighbour goes to the other', async () => {
    const peers = {
      cars: ['homes', 'boats'],
      homes: ['cars', 'jobs'],
      jobs: ['homes', 'boats'],
      boats: ['jobs', 'cars'],
    };
    const relays = Object.entries(peers).flatMap(([site, others]) => others.map((other) => `${site}.${other}`));
    const peerExtra = Object.fromEntries(relays.map((entry) => [entry, '    relay: true']));
    world = await makeWorld(Object.keys(peers), { peers, peerExtra });
    await world.site('cars').host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await eventually(async () => expect((await world.site('jobs').host.users()).users.size).toBe(1));
    await world.site('jobs').host.person.editProfile('ana@example.com', { name: 'Ana B' });
    await quietly();
    expect(await world.differences()).toEqual([]);
    await world.site('homes').host.person.deleteAccount('ana@example.com');
    await quietly();
    expect((await world.site('boats').host.users()).users.size).toBe(0);
  });
});

describe('invariant 11', () => {
  it('no key, token or password hash is in any log, answer or record', async () => {
    let written = '';
    const log = makeLogger({ level: 'debug', destination: { write: (line: string) => void (written += line) } });
    world = await makeWorld(['cars', 'homes'], { log });
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.host.person.clickValidationLink(ana);
    await world.settle();
    await homes.stop();
    await cars.host.person.changePassword(ana);
    await eventually(async () => expect(await cars.db.query(`SELECT 1 FROM oc_account_sync_outbox`)).toHaveLength(1));
    await homes.start();
    await world.settle(70_000);
    // Trouble of every kind, for what is said about it.
    await homes.db.query('ALTER TABLE oc_t_user MODIFY s_password CHAR(20) NOT NULL').catch(() => undefined);
    await fetch(new URL('v1/feed', cars.url), { headers: { authorization: `Bearer wrong-${keyOf('cars')}` } });
    await fetch(new URL('v1/stream', cars.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf('homes')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ site: 'homes', records: [{ password: 'x' }] }),
    });
    const answers: string[] = [];
    const paths = ['logs?limit=1000', 'peers', 'peers/homes', 'pending', 'parked', 'peers/homes/feed'];
    for (const site of [cars, homes]) {
      for (const path of paths) answers.push(JSON.stringify((await site.admin('GET', `/v1/${path}`)).body));
      answers.push(JSON.stringify((await site.admin('GET', '/health')).body));
      answers.push(await (await fetch(new URL('openapi.json', site.url))).text());
    }
    const tables = await Promise.all(world.sites.map((site) => site.db.query(`SELECT * FROM oc_account_sync_log`)));
    const hashes = await Promise.all(
      world.sites.map((site) =>
        site.db.query<{ h: string; s: string | null }>(`SELECT s_password AS h, s_secret AS s FROM oc_t_user`),
      ),
    );
    const secrets = [
      ...['cars', 'homes'].flatMap((name) => [keyOf(name), tokenOf(name)]),
      ...hashes.flat().flatMap((row) => [row.h, ...(row.s === null ? [] : [row.s])]),
      '$2y$',
    ];
    const everything = [written, ...answers, JSON.stringify(tables)].join('\n');
    expect(written).not.toBe('');
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  }, 100_000);
});
