/** A copy of a site's database and config that is started elsewhere: it sends and applies nothing until a person said what it is. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import { makeLogger } from '../../src/runtime/logger.ts';
import { makeCli, type Cli } from '../support/cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { dumpOf, restoreInto } from '../support/dump.ts';
import { eventually } from '../support/eventually.ts';
import { keyOf, makeWorld, tokenOf, type World } from '../support/world.ts';
import { freePort } from '../../scripts/free-port.js';

let world: World;
let copy: TestDatabase;
let cli: Cli;
let daemon: Daemon | undefined;
let port: number;
let said: string[];
let looks = 0;

beforeEach(async () => {
  world = await makeWorld(['cars', 'homes'], {
    extra: { cars: 'guard: { removals: 100000 }', homes: 'guard: { removals: 100000 }' },
  });
  const cars = world.site('cars');
  for (const name of ['ana', 'bob', 'cid']) {
    await cars.host.person.register({ email: `${name}@example.com`, name, validation: false });
  }
  await world.settle();
  copy = await createDatabase();
  await restoreInto(copy, await dumpOf(cars.db, ['--single-transaction', '--triggers']));
  port = await freePort();
  said = [];
  cli = makeCli(configOfCopy());
});

afterEach(async () => {
  await daemon?.stop('over');
  daemon = undefined;
  cli?.close();
  await copy?.drop();
  await world?.close();
});

/** The config of cars, but for where its database is now. */
function configOfCopy({
  name = 'cars',
  url = 'https://cars.example.com/',
  key = keyOf('cars'),
  more = '',
} = {}): string {
  return `site: { name: ${name}, url: "${url}", api_key: ${key}${more} }
database: { host: ${copy.host}, port: ${copy.port}, user: ${copy.user}, password: "${copy.password}", name: ${copy.name} }
http: { host: 127.0.0.1, port: ${port}, admin_token: ${tokenOf('cars')} }
guard: { removals: 100000 }
peers:
  - { name: homes, url: "${world.site('homes').url}", api_key: ${keyOf('homes')} }
  - { name: jobs, url: "http://127.0.0.1:9/", api_key: ${keyOf('jobs')}, protocol: plugin }
`;
}

async function startCopy(changes: Parameters<typeof configOfCopy>[0] = {}): Promise<Daemon> {
  const text = configOfCopy(changes);
  cli.configure(text);
  const { config } = parseConfig(text, 'copy.yaml', {}, () => '');
  const log = makeLogger({ level: 'info', destination: { write: (line: string) => void said.push(line) } });
  daemon = await startDaemon({
    config,
    log,
    onStatement: (statement) => void (statement.includes('oc_account_sync_identity` ORDER BY') && (looks += 1)),
  });
  await daemon.ready;
  return daemon;
}

async function editCopy(): Promise<void> {
  await copy.query("UPDATE oc_t_user SET s_name = 'Test', s_phone_mobile = '000' WHERE s_email = 'ana@example.com'");
  await copy.query(
    "DELETE FROM oc_t_user_description WHERE fk_i_user_id IN (SELECT pk_i_id FROM oc_t_user WHERE s_email = 'bob@example.com')",
  );
  await copy.query("DELETE FROM oc_t_user WHERE s_email = 'bob@example.com'");
}

const markersOfCopy = async (): Promise<number> =>
  Number((await copy.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_queue'))[0]?.n);
const namesAtHomes = async (): Promise<string[]> => {
  const rows = await world.site('homes').db.query<{ s_name: string }>('SELECT s_name FROM oc_t_user ORDER BY s_email');
  return rows.map(({ s_name: name }) => name);
};
const call = async (path: string, init: RequestInit = {}, key = keyOf('homes')) => {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${key}`);
  return await fetch(new URL(path, daemon?.url), { ...init, headers });
};
/** The daemon has looked several times whether it may work, which it does at each pass while it may not. */
const passes = async (): Promise<void> => {
  const wanted = looks + 4;
  await eventually(async () => expect(looks).toBeGreaterThanOrEqual(wanted), { timeoutMs: 30_000 });
};

describe('a staging copy of database and config', () => {
  it('sends nothing of what is done on it, and keeps what was done for later', async () => {
    await startCopy();
    await editCopy();
    await passes();
    expect(await markersOfCopy()).toBeGreaterThanOrEqual(2);
    expect(await namesAtHomes()).toEqual(['ana', 'bob', 'cid']);
    expect(said.filter((line) => line.includes('RESTORED_OR_CLONED'))).toHaveLength(1);
  }, 240_000);

  it('applies nothing of what peers send it: they get 503, through the door of the plugin too', async () => {
    await startCopy();
    for (const [path, init, key] of [
      ['v1/hello', {}, keyOf('homes')],
      ['v1/feed', {}, keyOf('homes')],
      [
        'v1/stream',
        { method: 'POST', body: '{"site":"homes","records":[]}', headers: { 'content-type': 'application/json' } },
        keyOf('homes'),
      ],
      ['v1/stream/run', { method: 'POST' }, tokenOf('cars')],
      ['v1/peers/homes/feed', { method: 'POST' }, tokenOf('cars')],
    ] as const) {
      const answer = await call(path, init, key);
      expect([path, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        path,
        503,
        'RESTORED_OR_CLONED',
      ]);
    }
    const form = new URLSearchParams({
      ascSync: '1',
      ascApiKey: keyOf('jobs'),
      ascAction: 'userStreamPostRemoval',
      ascData: 'cid@example.com',
    });
    const plugin = await call('', { method: 'POST', body: form });
    expect(plugin.status).toBe(503);
    expect(await plugin.json()).toMatchObject({ status: 'ERR', data: [] });
    expect(await copy.query("SELECT 1 FROM oc_t_user WHERE s_email = 'cid@example.com'")).toHaveLength(1);
  }, 240_000);

  it('says so in health, check, status and the log, and commands that would send refuse', async () => {
    await startCopy();
    const health = await call('health');
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'down', checks: { identity: { status: 'down' } } });
    expect(JSON.stringify(await (await call('health')).json())).not.toContain(copy.name);
    const status = await cli.run('status', '--json');
    expect(status.code).toBe(3);
    expect(JSON.parse(status.out)).toMatchObject({
      daemon: 'seen',
      stopped: expect.stringContaining(copy.name) as string,
    });
    expect((await cli.run('status')).out).toContain('nothing is sent or applied');
    const check = await cli.run('check');
    expect(check.code).toBe(3);
    expect(check.out).toMatch(/identity.*the database was .* is /);
    await editCopy();
    for (const command of [['stream'], ['feed', 'homes']]) {
      const ended = await cli.run(...command);
      expect([command, ended.code, ended.err]).toEqual([command, 3, expect.stringContaining('resume')]);
    }
    expect(await namesAtHomes()).toEqual(['ana', 'bob', 'cid']);
  }, 240_000);

  it('becomes a site of its own with --clone, but only with a name and a key of its own', async () => {
    await copy.query(
      "INSERT INTO oc_account_sync_outbox (peer, kind, ref, changed_at, due_at) SELECT 'homes', 'u', MIN(pk_i_id), '2020-01-01', '2020-01-01' FROM oc_t_user",
    );
    await startCopy();
    const refused = await cli.run('resume', '--clone');
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/site\.name and site\.api_key/)]);
    await daemon?.stop('for another config');
    await startCopy({ name: 'trial' });
    expect((await cli.run('resume', '--clone')).err).toMatch(/site\.api_key/);
    expect((await cli.run('resume', '--moved')).code).toBe(2);
    await daemon?.stop('for another config');
    await startCopy({ name: 'trial', key: keyOf('trial') });
    await editCopy();
    const resumed = await cli.run('resume', '--clone', '--json');
    expect([resumed.code, JSON.parse(resumed.out)]).toMatchObject([0, { as: 'clone' }]);
    expect(await copy.query("SELECT 1 FROM oc_account_sync_outbox WHERE changed_at = '2020-01-01'")).toEqual([]);
    await eventually(async () => expect(await markersOfCopy()).toBe(0), { timeoutMs: 20_000 });
    expect(await namesAtHomes()).toEqual(['ana', 'bob', 'cid']);
    expect((await call('health')).status).toBe(200);
    expect(await cli.run('logs', '--search', 'Resumed')).toMatchObject({
      code: 0,
      out: expect.stringContaining('as clone') as string,
    });
    expect((await cli.run('resume', '--clone')).code).toBe(1);
  }, 240_000);
});

describe('a site that was moved', () => {
  it('goes on where it is with --moved, and sends what was edited meanwhile', async () => {
    await world.site('cars').stop();
    await startCopy();
    await editCopy();
    await passes();
    expect(await namesAtHomes()).toEqual(['ana', 'bob', 'cid']);
    expect((await cli.run('resume')).code).toBe(2);
    expect(await cli.run('resume', '--moved')).toMatchObject({ code: 0 });
    await eventually(async () => expect(await namesAtHomes()).toEqual(['Test', 'cid']), { timeoutMs: 30_000 });
    await daemon?.stop('once more');
    await startCopy();
    expect(said.filter((line) => line.includes('RESTORED_OR_CLONED'))).toHaveLength(1);
  }, 240_000);

  it('takes from its peers what it lacks with --restored and a feed', async () => {
    const cars = world.site('cars');
    await cars.host.write("UPDATE {user} SET s_name = 'Later' WHERE s_email = 'ana@example.com'");
    await world.settle();
    await cars.stop();
    await startCopy();
    expect(await cli.run('resume', '--restored')).toMatchObject({ code: 0 });
    expect(await cli.run('feed', 'homes', '--restart')).toMatchObject({ code: 0 });
    expect(await copy.query("SELECT s_name FROM oc_t_user WHERE s_email = 'ana@example.com'")).toEqual([
      { s_name: 'Later' },
    ]);
  }, 240_000);
});
