/**
 * Two daemons, cars and homes, and jobs, which runs the PHP plugin; each knows the other two, or homes is behind cars, as
 * docs/plugin-peers.md advises. Daemons repeat nothing by
 * themselves: a test decides what happens when.
 */
import type { PeerConfig } from '../../src/config/config.ts';
import { refeedOnce } from '../../src/plugin/refeed.ts';
import type { Site } from '../../src/site/site.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { letTimePass, scanAll, siteOf } from './by-hand.ts';
import { createHost, type HostOptions } from './osclass/host.ts';
import type { Row } from './osclass/site.ts';
import { DEFAULT_COLUMNS } from './php-plugin/store.ts';
import { isBareNumber, purify } from './php-plugin/form.ts';
import { makePhpPlugin, type PhpAccount, type PhpPlugin, type Weather } from './php-plugin/plugin.ts';
import { keyOf, makeWorld, type World, type WorldOptions, type WorldSite } from './world.ts';

/** The three. */
export interface PluginMesh {
  readonly world: World;
  readonly cars: WorldSite;
  readonly homes: WorldSite;
  readonly jobs: PhpPlugin;
  /** The database of jobs. */
  readonly jobsDb: TestDatabase;
  /** What becomes of requests between jobs and the daemons, both ways. */
  weather: (way: 'in' | 'out', account: string) => Weather;
  /** Passes of one daemon; what goes wrong is what its loops would try again. */
  work(one: WorldSite): Promise<void>;
  /** A whole round of the rolling re-feed of jobs, on one daemon. */
  refeed(one: WorldSite): Promise<void>;
  /** An hour passes: nothing is on its way any more. */
  hourPasses(): Promise<void>;
  /** Everything that can be sent is sent. Throws if it never ends, which would be an echo. */
  settle(): Promise<void>;
  /** What jobs has of a user otherwise than a daemon: `s_name`, `user_description:en_US`, `missing there`, … */
  differences(one: WorldSite): Promise<string[]>;
  close(): Promise<void>;
}

export interface MeshOptions {
  readonly hosts?: WorldOptions['hosts'];
  readonly jobs?: HostOptions;
  /** Further keys of the entries for jobs. */
  readonly peerExtra?: string;
  /** Only cars and jobs know each other; cars passes on what it hears. */
  readonly isHomesBehind?: boolean;
}

/** Cars and homes in Berlin, jobs in New York, and cars knows it. */
export const TWO_ZONES: MeshOptions = {
  hosts: { cars: { timezone: 'Europe/Berlin' }, homes: { timezone: 'Europe/Berlin', locationOffset: 400 } },
  jobs: { timezone: 'America/New_York' },
  peerExtra: '    timezone: America/New_York\n',
};

/** Makes them, with nobody on them, and nothing waiting. */
export async function makePluginMesh(options: MeshOptions = {}): Promise<PluginMesh> {
  const db = await createDatabase();
  const host = await createHost(db, { name: 'jobs', locationOffset: 900, ...options.jobs });
  const accounts: PhpAccount[] = [];
  let mesh: PluginMesh | undefined;
  const weather = (way: 'in' | 'out', account: string): Weather => mesh?.weather(way, account) ?? 'fair';
  const jobs = await makePhpPlugin(host, { apiKey: keyOf('jobs'), accounts, feedLimit: 7, weather });
  const isHomesBehind = options.isHomesBehind ?? false;
  // All three are one owner's.
  const entry = `    protocol: plugin\n    email_trust: verified\n    relay: true\n    feed_schedule: 1h\n${options.peerExtra ?? ''}`;
  const guard = 'guard: { removals: 100000, percent: 100 }';
  const world = await makeWorld(['cars', 'homes'], {
    manual: true,
    peers: { cars: ['homes', 'jobs'], homes: isHomesBehind ? ['cars'] : ['cars', 'jobs'] },
    peerUrl: (_from, to, port) => (to === 'jobs' ? jobs.url : `http://127.0.0.1:${port}/`),
    peerExtra: {
      'cars.jobs': entry,
      ...(isHomesBehind ? { 'cars.homes': '    relay: true\n' } : { 'homes.jobs': entry }),
    },
    extra: { cars: guard, homes: guard },
    hosts: { homes: { locationOffset: 400 }, ...options.hosts },
  });
  const known = world.sites.filter(({ name }) => name === 'cars' || !isHomesBehind);
  for (const { name, url } of known) accounts.push({ name, url, apiKey: keyOf(name) });
  await scanAll(world);

  const pass = async (site: Site): Promise<number> => {
    let moved = (await site.drain()).done;
    for (const route of site.routes()) moved += (await site.deliver(route).catch(() => ({ done: 0 }))).done;
    return moved;
  };
  const made: PluginMesh = {
    world,
    jobs,
    jobsDb: db,
    cars: world.site('cars'),
    homes: world.site('homes'),
    weather: () => 'fair',
    async work(one) {
      await pass(await siteOf(one));
    },
    async refeed(one) {
      const site = await siteOf(one);
      const peer = site.config.peers.find(({ name }) => name === 'jobs') as PeerConfig;
      // An hour later each time, so that the next page is due.
      let nowMs = Date.now();
      const clock = { nowMs: () => (nowMs += 3_600_000) };
      for (let done = 1; done > 0;) ({ done } = await refeedOnce(site, peer, clock, new AbortController().signal));
      await one.db.query("DELETE FROM oc_account_sync_state WHERE name = 'refeed:jobs'");
    },
    async hourPasses() {
      for (const one of world.sites) {
        await letTimePass(one);
        await one.db.query('UPDATE oc_account_sync_seen SET changed_at = changed_at - INTERVAL 1 HOUR');
      }
    },
    async settle() {
      for (let round = 0; round < 40; round++) {
        let moved = 0;
        await made.hourPasses();
        for (const one of world.sites) {
          const site = await siteOf(one);
          moved += await pass(site);
          await site.sweep();
          moved += (await site.retryParked()).outcomes.filter((outcome) => outcome.result === 'applied').length;
        }
        if (jobs.queue.users.size + jobs.queue.removals.size > 0) {
          await jobs.runCron();
          moved += 1;
        }
        if (moved === 0) return;
      }
      throw new Error('never silent');
    },
    async differences(one) {
      const there = new Map((await host.select('SELECT * FROM {user}')).map((row) => [addressOf(row), row]));
      const here = new Map((await one.host.select('SELECT * FROM {user}')).map((row) => [addressOf(row), row]));
      const found: string[] = [];
      for (const email of new Set([...there.keys(), ...here.keys()])) {
        const [theirs, ours] = [there.get(email), here.get(email)];
        if (theirs === undefined || ours === undefined) {
          found.push(`${email}: missing ${theirs === undefined ? 'there' : 'here'}`);
          continue;
        }
        for (const column of COMPARED.filter((name) => name in ours && name in theirs)) {
          const same = isSame(column, theirs[column] ?? null, ours[column] ?? null);
          const isOwnName = column === 's_username' && /^\d+$/.test(String(ours[column]));
          if (!same && !isOwnName) found.push(`${email}: ${column} ${theirs[column]} ≠ ${ours[column]}`);
        }
        found.push(...(await describedOtherwise(email, Number(theirs.pk_i_id), Number(ours.pk_i_id), one)));
      }
      return found;
    },
    async close() {
      await world.close();
      await jobs.close();
      await host.close();
      await db.drop();
    },
  };
  mesh = made;
  return made;

  async function describedOtherwise(email: string, there: number, here: number, one: WorldSite): Promise<string[]> {
    const read = 'SELECT fk_c_locale_code AS locale, s_info AS info FROM {user_description} WHERE fk_i_user_id = ?';
    const theirs = new Map((await host.select(read, [there])).map((row) => [row.locale, row.info]));
    const ours = await one.host.select(read, [here]);
    // A text cannot be emptied through the plugin, so only what is there can be compared.
    return ours
      .filter(({ locale, info }) => String(info).trim() !== '' && host.site.locales.includes(String(locale)))
      .filter(({ locale, info }) => !isSame('s_info', theirs.get(locale ?? '') ?? null, info ?? null))
      .map(({ locale }) => `${email}: user_description:${locale}`);
  }
}

const LOCAL = ['s_email', 's_secret', 'i_items', 'i_comments', 'dt_access_date', 's_access_ip', 's_profile_img'];
const COMPARED = DEFAULT_COLUMNS.filter((name) => !LOCAL.includes(name));

const addressOf = (row: Row): string => String(row.s_email).trim().toLowerCase();

/** True if one value is the other after what the plugin, and a column of 3-byte characters, do to it. */
const isSame = (column: string, theirs: Row[string], ours: Row[string]): boolean => {
  // What opens nothing here is not told: an account without password has none there either.
  if (column === 's_password' && theirs === '') return String(ours).startsWith('!');
  if (ours === null || ours === '') return theirs === null || theirs === '' || column.startsWith('d_');
  return plain(theirs) === plain(ours);
};

const plain = (value: Row[string]): string => {
  const text = purify(purify(String(value))).replaceAll(/[\u{10000}-\u{10ffff}?]+/gu, '?');
  return isBareNumber(text) ? String(Number(text)) : text;
};
