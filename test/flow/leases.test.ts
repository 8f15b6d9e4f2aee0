/**
 * Several daemons for one site and one database, as processes: they share the work by leases, any of them may be killed,
 * and one that was paused in the middle of its work commits nothing of it after it wakes, while another has done it.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { startProcess, type DaemonProcess } from '../endurance/daemon-process.ts';
import { watchEffects, doubledEffects } from '../endurance/effects.ts';
import { isGood, judge } from '../endurance/end.ts';
import { EXTRA } from '../endurance/kills.ts';
import { letPeopleWrite } from '../endurance/people.ts';
import { freePort } from '../../scripts/free-port.js';
import { eventually } from '../support/eventually.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

/** Shorter than in use, so that nobody waits 30 s for it to expire. */
const LEASE_MS = 6_000;
/** Until another one has taken over and done the work, on a slow machine. */
const TAKEN_OVER_MS = LEASE_MS + 20_000;

let world: World;
let way: TcpProxy;
/** Port of the daemon of cars that peers reach. */
let port = 0;
const daemons: DaemonProcess[] = [];
afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.end('SIGKILL')));
  await world.close();
  await way.close();
});

/** Cars, whose daemons are processes, and homes, whose daemon runs here. */
async function twoSites(extra: string = EXTRA): Promise<{ cars: WorldSite; homes: WorldSite }> {
  way = await startTcpProxy(() => port);
  world = await makeWorld(['cars', 'homes'], {
    idle: true,
    extra: { cars: extra, homes: EXTRA },
    peerUrl: (_from, to, itsPort) => `http://127.0.0.1:${to === 'cars' ? way.port : itsPort}/`,
  });
  for (const site of world.sites) await watchEffects(site);
  const homes = world.site('homes');
  await homes.start();
  return { cars: world.site('cars'), homes };
}

/** One more daemon of a site, on a port of its own, which peers reach from now on. */
async function oneMore({ config }: WorldSite): Promise<DaemonProcess> {
  const own = await freePort();
  const daemon = startProcess({ ...config, http: { ...config.http, port: own } }, LEASE_MS);
  daemons.push(daemon);
  await daemon.ready;
  port = own;
  return daemon;
}

describe('three daemons for one site', () => {
  it('share the work; kill or pause any, and nothing is lost, nothing done twice', { timeout: 240_000 }, async () => {
    const { cars, homes } = await twoSites();
    const [first, second, third] = [await oneMore(cars), await oneMore(cars), await oneMore(cars)];
    const people = letPeopleWrite(world, 'three', 60);
    const holders = new Set<string>();
    await eventually(
      async () => {
        const rows = await cars.db.query<{ holder: string }>('SELECT holder FROM oc_account_sync_lease');
        for (const { holder } of rows) holders.add(holder.replace(/#.*/, ''));
        expect(holders.size).toBe(3);
      },
      { timeoutMs: 60_000, intervalMs: 5 },
    );
    const getsThrough = async (email: string): Promise<void> => {
      await cars.host.person.register({ email, name: 'Ana' });
      await eventually(async () => expect(await homes.host.user(email)).toBeDefined(), { timeoutMs: TAKEN_OVER_MS });
      await cars.host.person.deleteAccount(email);
    };
    await first.end('SIGKILL');
    await getsThrough('one-killed@example.com');
    second.pause();
    await getsThrough('one-paused@example.com');
    second.resume();
    const fourth = await oneMore(cars);
    await third.end('SIGKILL');
    await getsThrough('two-killed@example.com');
    expect([second.isReady(), fourth.isReady()]).toEqual([true, true]);
    const verdict = await judge(world, people, 90_000);
    expect(verdict).toMatchObject({ lost: [], doubled: [], hostErrors: [], flaws: [] });
    expect(isGood(verdict)).toBe(true);
  });
});

/** Work in the middle of which a daemon of cars is paused. */
interface Interrupted {
  readonly extra?: string;
  /** Before the daemon is told to stop. */
  readonly before?: (cars: WorldSite, homes: WorldSite) => Promise<unknown>;
  readonly after: readonly RegExp[];
  readonly act: (cars: WorldSite, homes: WorldSite) => Promise<unknown>;
  /** Who asked waits 30 s for an answer of the one that is paused. */
  readonly isAsked?: true;
  /** Throws unless the work is done. */
  readonly isDone: (cars: WorldSite, homes: WorldSite) => Promise<unknown>;
}

/** What a loop says whose pass could not be finished; who asked hears of it otherwise. */
const REFUSED = /LEASE_LOST|DB_UNAVAILABLE/;
const EMAIL = 'ana@example.com';
const register = async ({ host }: WorldSite): Promise<unknown> =>
  host.person.register({ email: EMAIL, name: 'Ana', phoneMobile: '+34 600', validation: false });
const isThere = async ({ host }: WorldSite): Promise<void> => expect(await host.user(EMAIL)).toBeDefined();
const seed = ({ host }: WorldSite, count: number): Promise<unknown> =>
  host.seed.users({ seed: 3, count, firstId: 1, allActive: true });
/** What was done to users, `create 7`; asking and telling, and records that changed nothing, are no effects. */
const usersStored = async ({ db }: WorldSite): Promise<string[]> => {
  const entries = await db.query<{ content: string }>(`SELECT content FROM oc_account_sync_log WHERE type = 'PROCESS'`);
  return entries
    .map(({ content }) => JSON.parse(content) as { operation: string; result: string; userId?: number; uid?: string })
    .filter(({ result }) => result === 'applied')
    .map(({ operation, userId, uid }) => `${operation} ${userId ?? uid}`)
    .toSorted();
};

const WORK: Readonly<Record<string, Interrupted>> = {
  drain: { after: [/DELETE FROM \S*queue/], act: register, isDone: (_, homes) => isThere(homes) },
  'drain, about to commit': {
    after: [/DELETE FROM \S*queue/, /UPDATE \S*lease/],
    act: register,
    isDone: (_, homes) => isThere(homes),
  },
  'delivery, about to send': {
    after: [/SELECT kind, ref, generation/],
    act: register,
    isDone: (_, homes) => isThere(homes),
  },
  'delivery, about to confirm': {
    after: [/DELETE FROM \S*outbox/],
    act: register,
    isDone: async ({ db }, homes) => {
      await isThere(homes);
      expect(await db.query('SELECT ref FROM oc_account_sync_outbox')).toEqual([]);
    },
  },
  'application of what a peer sent': {
    after: [/INSERT INTO \S*t_user/],
    act: (_, homes) => register(homes),
    isAsked: true,
    isDone: (cars) => isThere(cars),
  },
  feed: {
    before: async (_, homes) => {
      await seed(homes, 40);
      await homes.db.query('DELETE FROM oc_account_sync_queue');
      await homes.db.query(`INSERT INTO oc_account_sync_state VALUES ('rescan_wanted', '1')`);
      await eventually(async () => {
        const { body } = await homes.admin('GET', '/v1/pending?limit=1');
        expect(await homes.db.query('SELECT user_id FROM oc_account_sync_user'), JSON.stringify(body)).toHaveLength(40);
      });
      await homes.db.query('DELETE FROM oc_account_sync_outbox');
    },
    after: [/INSERT INTO \S*t_user/],
    act: (cars) => startFeed(cars),
    isAsked: true,
    // A person starts it again where it was.
    isDone: async (cars) => {
      if ((await cars.host.users()).users.size < 40) await startFeed(cars);
      expect((await cars.host.users()).users.size).toBe(40);
    },
  },
  're-scan': {
    before: async (cars) => {
      await seed(cars, 40);
      await cars.db.query('DELETE FROM oc_account_sync_queue');
    },
    after: [/INSERT INTO \S*sync_user/],
    act: ({ db }) => db.query(`INSERT INTO oc_account_sync_state VALUES ('rescan_wanted', '1')`),
    isDone: async (_, homes) => expect((await homes.host.users()).users.size).toBe(40),
  },
};

async function startFeed({ config }: WorldSite): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/v1/peers/homes/feed`, {
    method: 'POST',
    headers: { authorization: `Bearer ${config.http.adminToken}`, 'content-type': 'application/json' },
    body: '{}',
  });
}

describe('a daemon that is paused past its lease', () => {
  it.each(Object.entries(WORK))(
    'in the middle of this commits nothing of it when it wakes: %s',
    { timeout: 120_000 },
    async (_, work) => {
      const { cars, homes } = await twoSites(work.extra);
      const paused = await oneMore(cars);
      const itsPort = port;
      await eventually(async () => {
        const [done] = await cars.db.query(`SELECT 1 FROM oc_account_sync_state WHERE name = 'baseline_finished_at'`);
        expect(done).toBeDefined();
      });
      await work.before?.(cars, homes);
      await paused.pauseAfter(work.after);
      await work.act(cars, homes);
      await eventually(() => expect(paused.isPaused()).toBe(true), { timeoutMs: 20_000 });
      // Another one does the work, and does not wait for the one that stands still.
      await oneMore(cars);
      await eventually(() => work.isDone(cars, homes), {
        timeoutMs: TAKEN_OVER_MS + (work.isAsked === true ? 30_000 : 0),
        intervalMs: 250,
      });
      expect(paused.isPaused()).toBe(true);
      await world.settle(40_000);
      const records = [await usersStored(cars), await usersStored(homes)];
      paused.resume();
      // It can say so itself: by then its statements have failed.
      await eventually(async () => expect((await fetch(`http://127.0.0.1:${itsPort}/health/ready`)).ok).toBe(true), {
        timeoutMs: 20_000,
      });
      await eventually(() => expect(paused.said.join('\n')).toMatch(work.isAsked === true ? /^/ : REFUSED), {
        timeoutMs: 20_000,
      });
      await world.settle(40_000);
      expect(await world.differences()).toEqual([]);
      expect(await doubledEffects(cars)).toEqual([]);
      expect(await doubledEffects(homes)).toEqual([]);
      expect([await usersStored(cars), await usersStored(homes)], 'users stored').toEqual(records);
    },
  );
});
