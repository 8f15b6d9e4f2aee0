/**
 * Ids mean something only within one installation: where a peer moved from the PHP plugin to a daemon or back, or was
 * reinstalled, a feed begins at the start, and until one has come to its end the status says that it is due.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config, PeerConfig } from '../../src/config/config.ts';
import type { FeedOptions } from '../../src/feed/puller.ts';
import { refeedOnce } from '../../src/plugin/refeed.ts';
import { resume } from '../../src/admin/resume.ts';
import { reinstall, scanAll, siteOf } from '../support/by-hand.ts';
import { configOf, makeCli } from '../support/cli.ts';
import { startHelloProxy, type HelloProxy } from '../support/hello-proxy.ts';
import { makePhpPlugin, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';

const GO_ON: FeedOptions = { restart: false, once: false, dryRun: false, overwrite: false };
const USERS = 20;
const FROM_DAEMON = 'It runs a daemon now, and the last feed was one of the PHP plugin.';
const FROM_PLUGIN = 'It runs the PHP plugin now, and the last feed was one of a daemon.';
const ANEW = 'It was reinstalled, or restored, since the last feed.';
const NEVER = 'No feed from it has come to its end yet.';

interface Due {
  readonly feed_due: boolean;
  readonly feed_due_reason: string | null;
  readonly last_user_id: number;
}

let world: World;
let cars: WorldSite;
let jobs: WorldSite;
let plugin: PhpPlugin;

/** cars with another entry for jobs: at other times of the same site, this is an edit of the config and a restart. */
const configWith = (entry: Partial<PeerConfig>, limit = 1000): Config => ({
  ...cars.config,
  feed: { ...cars.config.feed, limit },
  peers: cars.config.peers.map((peer) => ({ ...peer, ...entry })),
});
const runsPlugin = (): Config => configWith({ protocol: 'plugin', url: plugin.url });
const begin = async (config: Config): Promise<void> => {
  await cars.stop();
  await cars.start({ config });
};
const feed = async (options: Partial<FeedOptions> = {}): Promise<{ users: number; complete: boolean }> =>
  await (await siteOf(cars)).feed('jobs', { ...GO_ON, ...options });
const due = async (): Promise<Due> => {
  const { body } = await cars.admin('GET', '/v1/peers');
  const [peer] = body['peers'] as Due[];
  const { feed_due, feed_due_reason, last_user_id } = peer as Due;
  return { feed_due, feed_due_reason, last_user_id };
};
const NOT_DUE = { feed_due: false, feed_due_reason: null };
const hashesOf = async (one: WorldSite): Promise<unknown[]> =>
  (await one.host.select('SELECT s_password FROM {user} ORDER BY s_email')).map((row) => row.s_password);

beforeAll(async () => {
  world = await makeWorld(['cars', 'jobs'], { idle: true, manual: true });
  [cars, jobs] = [world.site('cars'), world.site('jobs')];
  plugin = await makePhpPlugin(jobs.host, {
    apiKey: keyOf('jobs'),
    feedLimit: 7,
    accounts: [{ name: 'cars', url: cars.url, apiKey: keyOf('cars') }],
  });
  for (let n = 1; n <= USERS; n++) {
    await jobs.host.person.register({ email: `p${n}@example.com`, name: `P ${n}`, validation: false });
  }
}, 60_000);
afterAll(async () => {
  await plugin.close();
  await world.close();
});

describe('a peer that moves from the PHP plugin to a daemon and back', { timeout: 60_000 }, () => {
  it('is fed from the start with a cursor that is one of the plugin, and its people get their passwords', async () => {
    await begin(runsPlugin());
    await scanAll(world);
    expect(await due()).toEqual({ feed_due: true, feed_due_reason: NEVER, last_user_id: 0 });
    expect(await feed()).toMatchObject({ users: USERS, complete: true });
    const last = (await due()).last_user_id;
    expect(await due()).toEqual({ ...NOT_DUE, last_user_id: last });
    expect(last).toBeGreaterThanOrEqual(USERS);
    expect((await hashesOf(cars)).every((hash) => String(hash).startsWith('!'))).toBe(true);

    await jobs.start();
    await scanAll(world);
    await begin(cars.config);
    expect(await due()).toEqual({ feed_due: true, feed_due_reason: FROM_DAEMON, last_user_id: 0 });
    expect(await feed({ dryRun: true })).toMatchObject({ users: USERS });
    expect(await due()).toMatchObject({ feed_due: true });
    expect(await feed()).toMatchObject({ users: USERS, complete: true });
    expect(await hashesOf(cars)).toEqual(await hashesOf(jobs));
    expect(await due()).toEqual({ ...NOT_DUE, last_user_id: last });
    // What is there need not come again.
    expect(await feed()).toMatchObject({ users: 0, complete: true });
  });

  it('is fed from the start again when it is back at the plugin', async () => {
    await jobs.stop();
    await begin(runsPlugin());
    expect(await due()).toEqual({ feed_due: true, feed_due_reason: FROM_PLUGIN, last_user_id: 0 });
    const { activity } = await siteOf(cars);
    const asked = async (): Promise<unknown[]> =>
      (await activity.query({ type: 'FEED', peer: 'jobs', limit: 1000 })).logs.flatMap(
        ({ content }) => content['after'] ?? [],
      );
    const before = await asked();
    expect(await feed()).toMatchObject({ complete: true });
    expect((await asked()).toReversed()[before.length]).toBe(0);
    expect(await due()).toMatchObject(NOT_DUE);
    // Nobody lost a password by it.
    expect(await hashesOf(cars)).toEqual(await hashesOf(jobs));
  });
});

describe('a peer with a daemon', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    await jobs.start();
    await begin(configWith({}, 7));
    await scanAll(world);
    await feed({ restart: true });
  });
  afterEach(() => jobs.stop());

  it('goes on where its feed was interrupted, also after restarts of both sides', async () => {
    await cars.db.query('UPDATE oc_account_sync_peer SET last_user_id = 0, fed_of = NULL');
    expect(await feed({ once: true })).toMatchObject({ users: 7, complete: false });
    expect(await due()).toMatchObject({ feed_due: true, feed_due_reason: NEVER });
    await jobs.stop();
    await jobs.start();
    await begin(configWith({}, 7));
    expect(await feed()).toMatchObject({ users: USERS - 7, complete: true });
    expect(await due()).toMatchObject(NOT_DUE);
  });

  it('that was reinstalled is fed from the start, and tells so itself with its own feed', async () => {
    await reinstall(jobs);
    // Nothing was heard of it yet.
    expect(await due()).toMatchObject(NOT_DUE);
    await (await siteOf(jobs)).feed('cars', GO_ON);
    expect(await due()).toEqual({ feed_due: true, feed_due_reason: ANEW, last_user_id: 0 });
    expect(await feed({ once: true })).toMatchObject({ users: 7, complete: false });
    expect(await due()).toMatchObject({ feed_due: true, feed_due_reason: ANEW });
    expect(await feed()).toMatchObject({ users: USERS - 7, complete: true });
    expect(await due()).toMatchObject(NOT_DUE);
  });

  it('that was reinstalled within the five minutes for which its greeting is remembered is fed from the start', async () => {
    await reinstall(jobs);
    expect(await feed()).toMatchObject({ users: USERS, complete: true });
    expect(await due()).toMatchObject(NOT_DUE);
  });

  it.each([
    { as: 'restored', isFedAnew: true, ofItsOwnFeeds: [{ last_user_id: '0', fed_of: null }] },
    { as: 'clone', isFedAnew: true, ofItsOwnFeeds: [] },
    { as: 'moved', isFedAnew: false, ofItsOwnFeeds: [{ last_user_id: '5', fed_of: 'native x' }] },
  ] as const)('that is resumed as $as', async ({ as, isFedAnew, ofItsOwnFeeds }) => {
    await jobs.db.query('DELETE FROM oc_account_sync_peer');
    await jobs.db.query("INSERT INTO oc_account_sync_peer (name, last_user_id, fed_of) VALUES ('cars', 5, 'native x')");
    const before = await jobs.db.query("SELECT value FROM oc_account_sync_state WHERE name = 'installation_id'");
    await jobs.stop();
    await jobs.db.query("UPDATE oc_account_sync_identity SET server = 'mysql of before'");
    if (as === 'clone') {
      await jobs.db.query("UPDATE oc_account_sync_identity SET site = 'before', api_key = 'before'");
    }
    await jobs.start();
    const again = await siteOf(jobs);
    const by = { name: 'test', keyDigest: '', ip: null, trace: 't' };
    expect(await resume(again, as, by)).toMatchObject({ stopped: true });
    expect(await jobs.db.query('SELECT last_user_id, fed_of FROM oc_account_sync_peer')).toEqual(ofItsOwnFeeds);
    const after = await jobs.db.query("SELECT value FROM oc_account_sync_state WHERE name = 'installation_id'");
    expect(JSON.stringify(after) !== JSON.stringify(before)).toBe(isFedAnew);
    expect(await feed()).toMatchObject({ users: isFedAnew ? USERS : 0, complete: true });
  });
});

describe('a peer of version 0.1.0, which names no installation', { timeout: 60_000 }, () => {
  let proxy: HelloProxy;
  beforeEach(async () => {
    proxy = await startHelloProxy(() => jobs.url);
    await jobs.start();
    await cars.db.query('DELETE FROM oc_account_sync_peer');
    await begin(configWith({ url: proxy.url }, 7));
    await scanAll(world);
  });
  afterEach(async () => {
    await proxy.close();
    await jobs.stop();
  });

  it('goes on where its feed was; updated, it is fed from the start once, which is not said to be due', async () => {
    await feed({ once: true });
    expect(await feed()).toMatchObject({ users: USERS - 7, complete: true });
    expect(await due()).toMatchObject(NOT_DUE);
    await begin(configWith({}, 7));
    expect(await due()).toMatchObject(NOT_DUE);
    await (await siteOf(jobs)).feed('cars', GO_ON);
    expect(await due()).toMatchObject(NOT_DUE);
    expect(await feed()).toMatchObject({ users: USERS, complete: true });
    expect(await feed()).toMatchObject({ users: 0, complete: true });
    await reinstall(jobs);
    await (await siteOf(jobs)).feed('cars', GO_ON);
    expect(await due()).toMatchObject({ feed_due: true, feed_due_reason: ANEW });
  });
});

describe('a rolling re-feed', { timeout: 60_000 }, () => {
  it('goes on in its round, but not in one of another address, and counts as a feed when it is around', async () => {
    await begin(runsPlugin());
    const site = await siteOf(cars);
    await cars.db.query('DELETE FROM oc_account_sync_peer');
    const entry: PeerConfig = { ...(site.config.peers[0] as PeerConfig), feedWithinMs: 3_600_000 };
    let nowMs = Date.now();
    const clock = { nowMs: () => (nowMs += 3_600_000) };
    const page = async (peer: PeerConfig = entry): Promise<number> =>
      (await refeedOnce(site, peer, clock, new AbortController().signal)).done;
    const round = async (): Promise<Record<string, unknown>> => {
      const [row] = await cars.db.query("SELECT value FROM oc_account_sync_state WHERE name = 'refeed:jobs'");
      return JSON.parse(String(row?.['value'])) as Record<string, unknown>;
    };
    await page();
    await page();
    const second = await round();
    expect(second).toMatchObject({ calls: 2, of: `plugin ${plugin.url}` });
    await page({ ...entry, url: `${plugin.url}moved/` });
    expect(await round()).toMatchObject({ calls: 1, of: `plugin ${plugin.url}moved/` });
    expect(Number((await round())['cursor'])).toBeLessThan(Number(second['cursor']));
    expect(await due()).toMatchObject({ feed_due: true });
    while ((await page()) > 0);
    expect(await due()).toMatchObject(NOT_DUE);
  });
});

describe('account-sync status', { timeout: 60_000 }, () => {
  it('says on the screen and as JSON that a feed is due', async () => {
    await cars.stop();
    await cars.db.query("UPDATE oc_account_sync_peer SET fed_of = 'plugin http://jobs.example.com/'");
    const cli = makeCli(configOf(cars, [jobs]));
    try {
      expect((await cli.run('status')).out).toContain(
        `\na feed from jobs is due: account-sync feed jobs\n  ${FROM_DAEMON}\n`,
      );
      expect(JSON.parse((await cli.run('status', '--json')).out)).toMatchObject({
        peers: [{ name: 'jobs', feed_due: true, feed_due_reason: FROM_DAEMON }],
      });
    } finally {
      cli.close();
    }
  });
});
