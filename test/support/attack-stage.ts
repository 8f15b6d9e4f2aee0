/**
 * Where attacks on accounts are played: `homes`, which is attacked; `cars`, a daemon; `jobs`, which runs the PHP plugin. Cars and
 * jobs know homes and not each other. Daemons repeat nothing by themselves.
 */
import type { UserRecord } from '../../src/model/record.ts';
import { letTimePass, scanAll, siteOf } from './by-hand.ts';
import { createDatabase } from './database.ts';
import { createHost, type Host } from './osclass/host.ts';
import type { Row } from './osclass/site.ts';
import { makePhpPlugin, type PhpAccount, type PhpPlugin } from './php-plugin/plugin.ts';
import { setValidation, signUpAsOwner } from './validation.ts';
import { keyOf, makeWorld, type World, type WorldSite } from './world.ts';

/** The stage. */
export interface AttackStage {
  readonly world: World;
  readonly homes: WorldSite;
  readonly cars: WorldSite;
  readonly jobs: PhpPlugin;
  /** Everything that can be sent is sent, by the daemons and by the plugin. Throws if it never ends. */
  settle(): Promise<void>;
  /** The codes of what waits on a daemon's site about an address. */
  waiting(on: WorldSite, email: string): Promise<string[]>;
  close(): Promise<void>;
}

/** How it is made. */
export interface AttackStageOptions {
  /** Whether cars has addresses proved; homes always does. */
  readonly carsValidates?: boolean;
  /** What is on the sites before a daemon first runs: nobody is told of that. */
  readonly before?: (sites: { readonly homes: Host; readonly cars: Host; readonly jobs: Host }) => Promise<void>;
  /** Further keys of entries of peers: `homes.cars`. */
  readonly peerExtra?: Readonly<Record<string, string>>;
}

/** Makes it. */
export async function makeAttackStage(options: AttackStageOptions = {}): Promise<AttackStage> {
  const db = await createDatabase();
  const host = await createHost(db, { name: 'jobs', locationOffset: 900 });
  const accounts: PhpAccount[] = [];
  const jobs = await makePhpPlugin(host, { apiKey: keyOf('jobs'), accounts });
  const guard = 'guard: { removals: 100000, percent: 100 }';
  const world = await makeWorld(['homes', 'cars'], {
    manual: true,
    idle: true,
    peers: { homes: ['cars', 'jobs'], cars: ['homes'] },
    peerUrl: (_from, to, port) => (to === 'jobs' ? jobs.url : `http://127.0.0.1:${port}/`),
    peerExtra: {
      ...options.peerExtra,
      'homes.jobs': `    protocol: plugin\n${options.peerExtra?.['homes.jobs'] ?? ''}`,
    },
    extra: { homes: guard, cars: guard },
  });
  const [homes, cars] = [world.site('homes'), world.site('cars')];
  accounts.push({ name: 'homes', url: homes.url, apiKey: keyOf('homes') });
  await setValidation(homes.host, true);
  await setValidation(cars.host, options.carsValidates ?? true);
  await setValidation(host, true);
  await options.before?.({ homes: homes.host, cars: cars.host, jobs: host });
  for (const site of world.sites) await site.start();
  await scanAll(world);
  return {
    world,
    homes,
    cars,
    jobs,
    settle: () => settle(world, jobs),
    waiting,
    async close() {
      await world.close();
      await jobs.close();
      await host.close();
      await db.drop();
    },
  };
}

/** Their loops, until nothing moves. Records that wait are tried again each time, as if much time had passed. */
async function settle(world: World, jobs: PhpPlugin): Promise<void> {
  for (let round = 0; round < 40; round++) {
    let moved = jobs.queue.users.size + jobs.queue.removals.size;
    await jobs.runCron();
    for (const one of world.sites) {
      const site = await siteOf(one);
      await letTimePass(one);
      moved += (await site.drain()).done;
      for (const route of site.routes()) moved += (await site.deliver(route)).done;
      await site.sweep();
      moved += (await site.retryParked()).outcomes.filter(({ result }) => result === 'applied').length;
    }
    if (moved === 0) return;
  }
  throw new Error('never silent');
}

/** The codes of what waits on a site about an address, in order. */
export async function waiting({ db }: Pick<WorldSite, 'db'>, email: string): Promise<string[]> {
  const rows = await db.query<{ code: string; record: Buffer }>('SELECT code, record FROM oc_account_sync_parked');
  const isAbout = ({ record }: { record: Buffer }): boolean =>
    (JSON.parse(record.toString('utf8')) as Partial<UserRecord>).email === email;
  return rows.filter(isAbout).map(({ code }) => code);
}

/** Somebody who registered on a site long ago, and proved the address where the site asks for that. Gives the row. */
export async function victimOn(host: Host, email: string, name = 'Victim'): Promise<Row> {
  await signUpAsOwner({ host }, { email, name });
  await dateBack(host, email);
  return (await host.user(email)) ?? {};
}

/** An account that is some years old. */
export async function dateBack(host: Host, email: string, date = '2021-03-04 05:06:07'): Promise<void> {
  await host.write('UPDATE {user} SET dt_reg_date = ?, dt_mod_date = ?, dt_access_date = ? WHERE s_email = ?', [
    date,
    date,
    date,
    email,
  ]);
}

/** What nobody but its owner may change of an account. */
export const ownedBy = (row: Row | undefined): Row => {
  const { s_email = null, s_password = null, b_enabled = null, b_active = null } = row ?? {};
  return { s_email, s_password, b_enabled, b_active };
};
