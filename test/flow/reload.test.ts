/** Edits of the config while daemons run: taken over whole or refused whole, with nothing lost and nothing sent twice. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isQueueEmpty } from '../../src/store/queue.ts';
import type { Config } from '../../src/config/config.ts';
import { makeConfigWatcher } from '../../src/config/watch-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { OpenSite } from '../../src/daemon/daemon.ts';
import { readRefusedEdit } from '../../src/admin/refused-edit.ts';
import { makeLogger, type Log } from '../../src/runtime/logger.ts';
import { eventually } from '../support/eventually.ts';
import { keyOf, makeWorld, tokenOf, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let folder: string;
let logged: string;
let log: Log;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'account-sync-reload-'));
  logged = '';
  log = makeLogger({ level: 'info', destination: { write: (line) => void (logged += line) } });
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A peer of cars as its config has it, with further keys. */
const entry = (name: string, more = ''): string =>
  `{ name: ${name}, url: "${world.site(name).url}", api_key: ${keyOf(name)} ${more} }`;

/** The config of cars. */
const configOf = (peers: readonly string[], { site = '', extra = '' } = {}): string => {
  const { db, config } = cars;
  return `site: { name: cars, url: "https://cars.example.com/", ${site === '' ? `api_key: ${keyOf('cars')}` : site} }
database: { host: ${db.host}, port: ${db.port}, user: ${db.user}, password: ${JSON.stringify(db.password)}, name: ${db.name} }
http: { host: 127.0.0.1, port: ${config.http.port}, admin_token: ${tokenOf('cars')} }
${extra}
peers: [${peers.join(', ')}]
`;
};

const write = (text: string): void => writeFileSync(join(folder, 'config.yaml'), text);

/** Starts the daemon of cars with a config file. */
const startCars = async (text: string): Promise<OpenSite> => {
  write(text);
  const file = join(folder, 'config.yaml');
  const { config } = await loadConfig(file, {});
  return cars.start({ config, log, edits: makeConfigWatcher(file, {}) });
};

/** Edits the file and waits until the edit is in force. */
const edit = async (open: OpenSite, text: string): Promise<void> => {
  write(text);
  const { config } = await loadConfig(join(folder, 'config.yaml'), {});
  cars.daemon?.reload();
  await eventually(() => expect(open.site.config).toEqual(config));
};

/** How often each user was sent, by peer and user. */
const sentOf = async (): Promise<Map<string, number>> => {
  const rows = await cars.db.query<{ peer: string; content: string }>(
    `SELECT peer, content FROM oc_account_sync_log WHERE type = 'STREAM' AND status = '200'`,
  );
  const sent = new Map<string, number>();
  for (const { peer, content } of rows) {
    const { operation, userId } = JSON.parse(content) as { operation: string; userId: number };
    const key = `${peer} ${userId}`;
    if (operation === 'send') sent.set(key, (sent.get(key) ?? 0) + 1);
  }
  return sent;
};

describe('reloading under load', { timeout: 120_000 }, () => {
  it('loses nothing and sends nothing twice while 1,000 edits meet 5 reloads that add, change and remove a peer', async () => {
    world = await makeWorld(['cars', 'homes', 'jobs'], { idle: true, peers: { homes: ['cars'], jobs: ['cars'] } });
    cars = world.site('cars');
    await cars.host.seed.users({ seed: 'cars', count: 1000, allActive: true });
    await Promise.all([world.site('homes').start(), world.site('jobs').start()]);
    const open = await startCars(configOf([entry('homes')]));
    await eventually(async () => expect(await open.site.isScanPending()).toBe(false), { timeoutMs: 30_000 });
    const ids = (await cars.db.query<{ id: number }>('SELECT pk_i_id AS id FROM oc_t_user')).map(({ id }) => id);
    expect(ids).toHaveLength(1000);
    const change = async (count: number): Promise<number[]> => {
      const some = ids.splice(0, count);
      for (const id of some) {
        await cars.db.query('UPDATE oc_t_user SET s_name = ? WHERE pk_i_id = ?', [`Edited ${id}`, id]);
      }
      return some;
    };

    /** Edited while jobs surely was a peer, and while the config was just being taken over. */
    const sure: number[] = [];
    const elsewhere = entry('jobs').replace('127.0.0.1', 'localhost');
    const steps: [peers: string[], isJobsThere: boolean][] = [
      [[entry('homes'), entry('jobs')], true],
      [[entry('homes'), elsewhere], true],
      [[entry('homes')], false],
      [[entry('jobs', ', receive: false'), entry('homes')], true],
      [[entry('homes'), entry('jobs', ', send_columns: [s_name, s_email]')], true],
    ];
    for (const [peers, isJobsThere] of steps) {
      // What was edited before a peer goes, but is only looked at after, is not sent to it.
      await eventually(async () => expect(await isQueueEmpty(open.site.db)).toBe(true));
      const wasThere = open.site.config.peers.some(({ name }) => name === 'jobs');
      const [during] = await Promise.all([change(150), edit(open, configOf(peers))]);
      if (wasThere && isJobsThere) sure.push(...during);
      const after = await change(50);
      if (isJobsThere) sure.push(...after);
    }
    expect(ids).toEqual([]);
    await world.settle(60_000);

    const sent = await sentOf();
    const all = await cars.db.query<{ id: number }>('SELECT pk_i_id AS id FROM oc_t_user');
    expect(all.filter(({ id }) => sent.get(`homes ${id}`) !== 1)).toEqual([]);
    expect(sure.filter((id) => sent.get(`jobs ${id}`) !== 1).map((id) => [id, sent.get(`jobs ${id}`)])).toEqual([]);
    expect([...sent].filter(([, times]) => times !== 1)).toEqual([]);
    const stored = async (name: string): Promise<number> =>
      Number((await world.site(name).db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM oc_t_user`))[0]?.n);
    expect(await stored('homes')).toBe(1000);
    expect(await stored('jobs')).toBeGreaterThanOrEqual(sure.length);
    expect(logged).not.toMatch(/"level":"(?:warn|error)"/);
    expect(logged.match(/edit of the config taken over/g)).toHaveLength(5);
  });
});

describe('an edit of the config', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    world = await makeWorld(['cars', 'homes'], { idle: true, peers: { homes: ['cars'] } });
    cars = world.site('cars');
  });

  it('is picked up by itself within seconds', async () => {
    const open = await startCars(configOf([]));
    write(configOf([], { extra: 'guard: { removals: 3 }' }));
    await eventually(() => expect(open.site.config.guard.removals).toBe(3), { timeoutMs: 10_000 });
    expect(JSON.parse(logged.split('\n').find((line) => line.includes('taken over')) ?? '{}')).toMatchObject({
      changed: ['guard'],
      peersAdded: [],
      peersChanged: [],
      peersRemoved: [],
    });
  });

  it('changes what the HTTP server lets in', async () => {
    const open = await startCars(configOf([]));
    const logs = (token: string): Promise<number> =>
      fetch(new URL('v1/peers', cars.url), { headers: { authorization: `Bearer ${token}` } }).then(
        ({ status }) => status,
      );
    const next = 'another-token-0123456789-abcdef';
    await edit(open, configOf([]).replace(tokenOf('cars'), `${next}, max_body: 1KiB`));
    expect([await logs(tokenOf('cars')), await logs(next)]).toEqual([403, 200]);
    await edit(open, configOf([entry('homes')]).replace(tokenOf('cars'), `${next}, max_body: 1KiB`));
    const large = await fetch(new URL('v1/stream', cars.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${keyOf('homes')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ site: 'homes', records: [], more: 'x'.repeat(2000) }),
    });
    expect(large.status).toBe(413);
  });

  it.each([
    ['is broken', (text: string) => text.replace('port:', 'prot:'), /config\.yaml:\d+:\d+ database\.prot: unknown key/],
    [
      'needs a restart',
      (text: string) => text.replace('name: cars', 'name: boats'),
      /config\.yaml:1:\d+ site\.name: .*restart/,
    ],
  ])(
    'that %s is refused whole: the old one stays in force, and health and log say so',
    async (_what, spoil, problem) => {
      const open = await startCars(configOf([entry('homes')]));
      await world.site('homes').start();
      const health = async () => (await (await fetch(new URL('health', cars.url))).json()) as Record<string, unknown>;
      expect(await health()).toMatchObject({ status: 'ok', checks: { config: { status: 'ok' } } });
      const before: Config = open.site.config;
      write(spoil(configOf([])));
      cars.daemon?.reload();
      await eventually(async () =>
        expect(await health()).toMatchObject({ status: 'degraded', checks: { config: { status: 'degraded' } } }),
      );
      expect(open.site.config).toBe(before);
      const line = JSON.parse(logged.split('\n').find((one) => one.includes('refused')) ?? '{}') as {
        problems: string[];
      };
      expect(line.problems.join('\n')).toMatch(problem);
      await eventually(async () => expect((await readRefusedEdit(open.site.db))?.problems).toMatch(problem));
      await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
      await eventually(async () =>
        expect((await world.site('homes').host.users()).users.has('ana@example.com')).toBe(true),
      );
      write(configOf([entry('homes')]));
      await eventually(async () => expect(await health()).toMatchObject({ status: 'ok' }));
      expect(logged).toMatch(/the refused edit of the config was taken back/);
      await eventually(async () => expect(await readRefusedEdit(open.site.db)).toBeUndefined());
    },
  );

  it('that adds a related table puts triggers on it, and that takes it out takes them away', async () => {
    await cars.db.query('CREATE TABLE oc_t_shop (fk_i_user_id INT UNSIGNED PRIMARY KEY, s_a VARCHAR(20))');
    const open = await startCars(configOf([]));
    const triggers = async (): Promise<number> => (await cars.db.query(`SHOW TRIGGERS LIKE 'oc_t_shop'`)).length;
    const shop = 'related_tables: [{ table: t_shop, key: fk_i_user_id, as: shop, columns: [s_a] }]';
    await edit(open, configOf([], { extra: shop }));
    await eventually(async () => expect(await triggers()).toBe(3));
    await eventually(async () => expect(await open.site.isScanPending()).toBe(false));
    await edit(open, configOf([]));
    await eventually(async () => expect(await triggers()).toBe(0));
  });

  it('lets keys change without a gap', async () => {
    const open = await startCars(configOf([entry('homes')]));
    const homes = world.site('homes');
    const next = 'the-next-key-of-cars-0123456789';
    // On the accepting side first: both keys are good.
    const [peer] = homes.config.peers;
    const both = { ...homes.config, peers: [{ ...(peer as Config['peers'][number]), apiKeys: [keyOf('cars'), next] }] };
    await homes.start({ config: both });
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await world.settle();
    await edit(open, configOf([entry('homes')], { site: `api_key: ${next}` }));
    await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await world.settle();
    expect([...(await homes.host.users()).users.keys()].toSorted()).toEqual(['ana@example.com', 'bob@example.com']);
    const rows = await homes.db.query<{ key_digest: string }>(
      `SELECT DISTINCT key_digest FROM oc_account_sync_log WHERE type = 'FEED'`,
    );
    expect(rows).toHaveLength(2);
    expect(logged).not.toMatch(/PEER_REFUSED_KEY/);
  });
});
