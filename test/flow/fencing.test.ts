/**
 * Whoever lost its lease (it was paused, or cut off, and another worker took over) commits nothing any more, at whatever
 * statement it was. The other half of this, processes that are really paused, is in leases.test.ts.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { PeerConfig } from '../../src/config/config.ts';
import { toSyncError } from '../../src/db/failures.ts';
import { refeedOnce } from '../../src/plugin/refeed.ts';
import type { Site } from '../../src/site/site.ts';
import { deliverAll, drainAll, letTimePass, scanAll, siteOf } from '../support/by-hand.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World | undefined;
let mesh: PluginMesh | undefined;
afterEach(async () => {
  await world?.close();
  await mesh?.close();
  [world, mesh] = [undefined, undefined];
});

/** From now on, once, after the n-th of the statements that match: somebody else has every lease. */
interface TakeOver {
  at(statements: readonly RegExp[]): void;
  readonly onStatement: (statement: string) => Promise<void>;
}

function makeTakeOver(one: () => WorldSite): TakeOver {
  let left: RegExp[] = [];
  return {
    at(statements) {
      left = [...statements];
    },
    async onStatement(statement) {
      if (left[0]?.test(statement) !== true) return;
      left.shift();
      if (left.length > 0) return;
      await one().db.query(`UPDATE oc_account_sync_lease SET holder = 'another'`);
    },
  };
}

const rowsOf = (one: WorldSite, table: string): Promise<Record<string, unknown>[]> =>
  one.db.query(`SELECT * FROM oc_account_sync_${table}`);
const logOf = (one: WorldSite, type: string): Promise<unknown[]> =>
  one.db.query('SELECT id FROM oc_account_sync_log WHERE type = ?', [type]);
const LOST = { code: 'LEASE_LOST' };

/** Cars, whose daemon can be overtaken, and homes. */
async function twoSites(): Promise<{ cars: WorldSite; homes: WorldSite; site: Site; takeOver: TakeOver }> {
  const made = await makeWorld(['cars', 'homes'], { idle: true, manual: true });
  world = made;
  const [cars, homes] = [made.site('cars'), made.site('homes')];
  const takeOver = makeTakeOver(() => cars);
  await homes.start();
  await cars.start({ onStatement: takeOver.onStatement });
  await scanAll(made);
  return { cars, homes, site: await siteOf(cars), takeOver };
}

describe('a worker that lost its lease', () => {
  it('sends nothing, if that was before it sent', async () => {
    const { cars, homes, site, takeOver } = await twoSites();
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll(cars);
    takeOver.at([/SELECT kind, ref, generation/]);
    await expect(site.deliver(site.route('homes'))).rejects.toMatchObject(LOST);
    expect(await homes.host.user('ana@example.com')).toBeUndefined();
    expect(await logOf(cars, 'STREAM')).toEqual([]);
  });

  it('confirms nothing it sent, and lets it go out once more; the peer takes it once', async () => {
    const { cars, homes, site, takeOver } = await twoSites();
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll(cars);
    const [before] = await rowsOf(cars, 'outbox');
    takeOver.at([/DELETE FROM \S*outbox/]);
    await expect(site.deliver(site.route('homes'))).rejects.toMatchObject(LOST);
    const [after] = await rowsOf(cars, 'outbox');
    expect(after?.['generation']).toBe(Number(before?.['generation']) + 1);
    expect(await logOf(cars, 'STREAM')).toEqual([]);
    await letTimePass(cars);
    await deliverAll(cars);
    expect(await rowsOf(cars, 'outbox')).toEqual([]);
    expect(await world?.differences()).toEqual([]);
    const applied = await homes.db.query(`SELECT id FROM oc_account_sync_log WHERE type = 'PROCESS'
      AND content LIKE '%"result":"applied"%'`);
    expect(applied).toHaveLength(1);
  });

  it('lets it go out once more also if that meets a deadlock with the other one', async () => {
    const { cars, takeOver } = await twoSites();
    let isDeadlock = false;
    await cars.stop();
    const { site } = await cars.start({
      async onStatement(statement) {
        if (isDeadlock && /INSERT INTO \S*outbox/.test(statement)) {
          isDeadlock = false;
          throw toSyncError(Object.assign(new Error('Deadlock found'), { errno: 1213 }));
        }
        await takeOver.onStatement(statement);
      },
    });
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll(cars);
    takeOver.at([/DELETE FROM \S*outbox/]);
    isDeadlock = true;
    await expect(site.deliver(site.route('homes'))).rejects.toMatchObject(LOST);
    expect(isDeadlock).toBe(false);
    expect(await rowsOf(cars, 'outbox')).toMatchObject([{ generation: 2 }]);
  });

  it('drops no entry, not even one there is nothing to tell of any more', async () => {
    const { cars, site, takeOver } = await twoSites();
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll(cars);
    await cars.db.query('UPDATE oc_account_sync_outbox SET ref = ref + 1000');
    takeOver.at([/DELETE FROM \S*outbox/]);
    await expect(site.deliver(site.route('homes'))).rejects.toMatchObject(LOST);
    expect(await rowsOf(cars, 'outbox')).toHaveLength(1);
  });

  it('stores no part of a page of a feed', async () => {
    const { cars, homes, site, takeOver } = await twoSites();
    await homes.host.seed.users({ seed: 5, count: 300, firstId: 1, allActive: true });
    const there = await siteOf(homes);
    await drainAll(homes);
    while (await there.isScanPending()) await there.scanPage();
    takeOver.at([/INSERT INTO \S*t_user/]);
    const options = { restart: true, once: false, dryRun: false, overwrite: true };
    await expect(site.feed('homes', options)).rejects.toMatchObject(LOST);
    expect((await cars.host.users()).users.size).toBe(0);
  });

  it('finishes no page of a re-scan', async () => {
    const { cars, site, takeOver } = await twoSites();
    await cars.host.seed.users({ seed: 5, count: 20, firstId: 1, allActive: true });
    await cars.db.query('DELETE FROM oc_account_sync_queue');
    await cars.db.query(`INSERT INTO oc_account_sync_state VALUES ('rescan_wanted', '1')`);
    takeOver.at([/INSERT INTO \S*sync_user/]);
    await expect(site.scanPage()).rejects.toMatchObject(LOST);
    expect([await rowsOf(cars, 'user'), await rowsOf(cars, 'outbox')]).toEqual([[], []]);
  });
});

describe('a worker that lost its lease towards a peer with the PHP plugin, which knows no stamps', () => {
  const pluginMesh = async (): Promise<{
    cars: WorldSite;
    there: PluginMesh['jobs'];
    site: Site;
    takeOver: TakeOver;
  }> => {
    const made = await makePluginMesh();
    mesh = made;
    const takeOver = makeTakeOver(() => made.cars);
    await made.cars.stop();
    await made.cars.start({ onStatement: takeOver.onStatement });
    return { cars: made.cars, there: made.jobs, site: await siteOf(made.cars), takeOver };
  };

  it('sends nothing after it has read what to send', async () => {
    const { cars, there, site, takeOver } = await pluginMesh();
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    await drainAll(cars);
    takeOver.at([/INSERT INTO \S*seen/]);
    await expect(site.deliver(site.route('jobs'))).rejects.toMatchObject(LOST);
    expect(await there.host.user('ana@example.com')).toBeUndefined();
    expect(await rowsOf(cars, 'seen')).toEqual([]);
  });

  it('sends the present values once more if it was overtaken while it sent', async () => {
    const { cars, there, site, takeOver } = await pluginMesh();
    await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    await drainAll(cars);
    takeOver.at([/INSERT INTO \S*seen/, /^commit/i]);
    await expect(site.deliver(site.route('jobs'))).rejects.toMatchObject(LOST);
    expect(await there.host.user('ana@example.com')).toMatchObject({ s_name: 'Ana' });
    const waiting = await cars.db.query(`SELECT ref FROM oc_account_sync_outbox WHERE peer = 'jobs' AND state = 'w'`);
    expect(waiting).toHaveLength(1);
    // Stands for a newer value that the other worker had sent before this one got through.
    await there.host.write(`UPDATE {user} SET s_name = 'Newer, then overwritten'`);
    await letTimePass(cars);
    await deliverAll(cars, 'jobs');
    expect(await there.host.user('ana@example.com')).toMatchObject({ s_name: 'Ana' });
  });

  it('takes nothing out of a page that it asked for long ago', async () => {
    const { cars, there, site, takeOver } = await pluginMesh();
    await there.host.person.register({ email: 'bob@example.com', name: 'Bob', validation: false });
    const peer = site.config.peers.find(({ name }) => name === 'jobs') as PeerConfig;
    const clock = { nowMs: () => Date.now() + 3_600_000 };
    takeOver.at([/INSERT INTO \S*t_user/]);
    await expect(refeedOnce(site, peer, clock, new AbortController().signal)).rejects.toMatchObject(LOST);
    expect(await cars.host.user('bob@example.com')).toBeUndefined();
    expect(await cars.db.query(`SELECT * FROM oc_account_sync_state WHERE name = 'refeed:jobs'`)).toEqual([]);
  });
});
