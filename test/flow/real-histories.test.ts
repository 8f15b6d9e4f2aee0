/**
 * Random histories through real databases and HTTP: three sites, everything people do, and everything that goes wrong on
 * the way. At the end all must be equal. The seed is printed; `HISTORY_SEED` repeats it, `HISTORY_RUNS` sets how many,
 * `HISTORY_FIRST` where to begin.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '../../src/site/site.ts';
import { startFaultProxy, type FaultProxy, type HttpFault } from '../support/fault-proxy.ts';
import { makeRandom, type Random } from '../support/osclass/random.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

const NAMES = ['cars', 'homes', 'jobs'];
/** On the second server of a whole run fewer are enough: what differs there is the SQL, not the order of events. */
const DEFAULT_RUNS = process.env['TEST_DATABASE_SERVER'] === 'mysql' ? 60 : 200;
const RUNS = Number(process.env['HISTORY_RUNS'] ?? DEFAULT_RUNS);
const FIRST = Number(process.env['HISTORY_FIRST'] ?? 0);
const SEED = Number(process.env['HISTORY_SEED'] ?? 20261121);
const STEPS = 14;
const FAULTS: readonly HttpFault[] = ['refuse', 'lose-answer', 'twice', 'unavailable'];

describe(`${RUNS} histories of three sites (HISTORY_SEED=${SEED})`, () => {
  let world: World;
  let random: Random = makeRandom(SEED);
  /** How often requests go wrong; 0 while all is healed. */
  let trouble = 0;
  const proxies = new Map<string, FaultProxy>();
  const ports = new Map<string, number>();
  let told: string[] = [];

  beforeAll(async () => {
    const fault = (): HttpFault => (random.chance(trouble) ? random.pick(FAULTS) : 'none');
    for (const from of NAMES) {
      for (const to of NAMES.filter((name) => name !== from)) {
        proxies.set(`${from} ${to}`, await startFaultProxy(() => `http://127.0.0.1:${ports.get(to)}/`, fault));
      }
    }
    world = await makeWorld(NAMES, {
      manual: true,
      peerUrl: (from, to, port) => {
        ports.set(to, port);
        return proxies.get(`${from} ${to}`)?.url ?? '';
      },
      // So small that several are under way at once.
      extra: Object.fromEntries(
        NAMES.map((name, n) => [name, `guard: { removals: 100000, percent: 100 }\nstream: { batch_size: ${n + 1} }`]),
      ),
    });
    for (const { site } of await Promise.all(world.sites.map((one) => one.open()))) await scan(site);
  }, 120_000);
  afterAll(async () => {
    await world.close();
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  });

  const scan = async (site: Site): Promise<void> => {
    while (await site.isScanPending()) await site.scanPage();
  };
  const openSite = async (one: WorldSite): Promise<Site> => (await one.open()).site;

  /** Some passes of one site; what goes wrong is what the loops would try again. */
  const work = async (one: WorldSite): Promise<void> => {
    told.push(`${one.name} works`);
    const site = await openSite(one);
    await site.drain();
    for (const route of site.routes()) await site.deliver(route).catch(() => undefined);
  };

  /** Everything that can be sent is sent; returns false if something still moved in the last round. */
  const heal = async (): Promise<void> => {
    trouble = 0;
    for (let round = 0; round < 40; round++) {
      let moved = 0;
      for (const one of world.sites) {
        const site = await openSite(one);
        await one.db.query(`UPDATE oc_account_sync_outbox SET due_at = '2000-01-01' WHERE state = 'w'`);
        await one.db.query(`UPDATE oc_account_sync_parked SET tried_at = '1970-01-01'`);
        moved += (await site.drain()).done;
        for (const route of site.routes()) moved += (await site.deliver(route)).done;
        moved += (await site.retryParked()).outcomes.filter((outcome) => outcome.result === 'applied').length;
      }
      if (moved === 0) return;
    }
    throw new Error(`never silent: ${told.join('; ')}`);
  };

  const parkedOf = (one: WorldSite): Promise<{ code: string; message: string }[]> =>
    one.db.query('SELECT code, message FROM oc_account_sync_parked');

  /**
   * Two living accounts that want one address wait for a person. Here is the person: the one that has it gets another.
   * Returns for how many.
   */
  const resolveTaken = async (prefix: string, round: number): Promise<number> => {
    let resolved = 0;
    for (const one of world.sites) {
      for (const { code, message } of await parkedOf(one)) {
        const holder = /^Account (\d+) /.exec(message)?.[1];
        if (code !== 'EMAIL_TAKEN' || holder === undefined) continue;
        const email = `${prefix}r${round}${one.name}${holder}@example.com`;
        await one.db.query('UPDATE oc_t_user SET s_email = ? WHERE pk_i_id = ?', [email, holder]);
        told.push(`${one.name}: a person gives account ${holder} the address ${email}`);
        resolved += 1;
      }
    }
    return resolved;
  };

  const act = async (prefix: string): Promise<void> => {
    const one = random.pick(world.sites);
    const { person, admin } = one.host;
    const mine = [...(await one.host.users()).users.keys()].filter((email) => email.startsWith(prefix));
    const address = (): string => `${prefix}${random.int(5)}@example.com`;
    const user = mine.length > 0 ? random.pick(mine) : undefined;
    const say = (what: string): void => {
      told.push(`${one.name}: ${what}`);
    };
    const kind = random.int(12);
    if (user === undefined || kind <= 1) {
      const email = address();
      if (mine.includes(email)) return;
      say(`register ${email}`);
      await person.register({ email, name: `N${random.int(100)}` });
    } else if (kind <= 3) {
      say(`edit ${user}`);
      await person.editProfile(user, { name: `E${random.int(1000)}`, phoneMobile: `+${random.int(1000)}` });
    } else if (kind === 4) {
      say(`password ${user}`);
      await person.changePassword(user);
    } else if (kind <= 6) {
      const email = address();
      if (mine.includes(email)) return;
      say(`${user} becomes ${email}`);
      // Osclass refuses it to a blocked user.
      await person.changeEmail(user, email).catch(() => undefined);
    } else if (kind === 7) {
      say(`delete ${user}`);
      await person.deleteAccount(user);
    } else if (kind === 8) {
      say(`block ${user}`);
      await admin.block(user);
    } else if (kind === 9) {
      say(`unblock ${user}`);
      await admin.unblock(user);
    } else {
      await work(one);
    }
  };

  it.each(Array.from({ length: RUNS }, (_, run) => FIRST + run))('history %i ends equal', async (run) => {
    told = [];
    random = makeRandom(`${SEED}/${run}`);
    trouble = random.pick([0, 0.2, 0.5, 0.8]);
    for (let step = 0; step < STEPS; step++) {
      await act(`h${run}u`);
      if (random.chance(0.3)) await work(random.pick(world.sites));
    }
    await heal();
    for (let round = 0; round < 4 && (await resolveTaken(`h${run}u`, round)) > 0; round++) await heal();
    const differences = (await world.differences()).filter(({ email }) => email.startsWith(`h${run}u`));
    const parked = (await Promise.all(world.sites.map(parkedOf))).flat();
    for (const one of world.sites) await one.db.query('DELETE FROM oc_account_sync_parked');
    expect({ differences, parked }, told.join('\n')).toEqual({ differences: [], parked: [] });
  });
});
