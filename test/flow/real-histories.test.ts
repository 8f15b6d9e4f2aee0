/**
 * Random histories through real databases and HTTP: three sites that validate addresses, everything people do, those who register
 * somebody else's address among them, and everything that goes wrong on the way. At each step the account that an owner registered
 * and opened is his; at the end all must be equal. The seed is printed; `HISTORY_SEED` repeats it, `HISTORY_RUNS` sets how many,
 * `HISTORY_FIRST` where to begin.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Site } from '../../src/site/site.ts';
import { startFaultProxy, type FaultProxy, type HttpFault } from '../support/fault-proxy.ts';
import { heldOn, IS_HELD } from '../support/held.ts';
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
  /** Passwords of people who registered an address that is not theirs. */
  const squatters = new Set<string>();
  /** Accounts whose owner registered them and opened the link, by site and id; the address as it was. */
  let owned = new Map<string, { readonly one: WorldSite; readonly id: number; readonly email: string }>();
  /** Addresses of which an owner deleted the account somewhere, or which he gave up. */
  let left = new Set<string>();

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
    one.db.query(`SELECT code, message FROM oc_account_sync_parked WHERE NOT (${IS_HELD})`);

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

  /** What waits because nobody proved the address there: the owner sets a password by mail. Returns for how many. */
  const proveWaiting = async (prefix: string): Promise<number> => {
    let proved = 0;
    for (const one of world.sites) {
      const waiting = await one.db.query<{ peer: string; record: Buffer }>(
        `SELECT peer, record FROM oc_account_sync_parked WHERE code = 'EMAIL_UNPROVEN' AND NOT (${IS_HELD})`,
      );
      for (const { peer, record } of waiting) {
        const { email } = JSON.parse(record.toString('utf8')) as { email?: string };
        const there = world.sites.find(({ name }) => name === peer);
        if (email?.startsWith(prefix) !== true || there === undefined) continue;
        if ((await there.host.user(email)) === undefined) continue;
        // A day after somebody asked for a change of address: before, a reset proves nothing.
        await there.db.query('UPDATE oc_account_sync_user SET doubted_until = NULL');
        await setByMail(there, email);
        proved += 1;
      }
    }
    return proved;
  };

  /** The owner of the mailbox sets a password by the link in a mail; who was blocked is let in before. */
  const setByMail = async (one: WorldSite, email: string): Promise<void> => {
    const { person, admin } = one.host;
    if ((await one.host.user(email))?.b_enabled === 0) await admin.unblock(email);
    told.push(`${one.name}: the owner of ${email} sets a password by mail`);
    await person.resetPassword(email, await person.requestPasswordReset(email));
  };

  /** What nobody but its owner did anything to is as he left it. */
  const requireOwned = async (): Promise<void> => {
    for (const { one, id, email } of owned.values()) {
      if (left.has(email)) continue;
      const row = await one.host.user(id);
      const what = { at: one.name, email, is: row?.s_email, active: row?.b_active };
      expect(what, told.join('\n')).toEqual({ at: one.name, email, is: email, active: 1 });
      expect(squatters.has(String(row?.s_password)), told.join('\n')).toBe(false);
    }
  };

  const act = async (prefix: string): Promise<void> => {
    const one = random.pick(world.sites);
    const { person, admin } = one.host;
    const { users } = await one.host.users();
    const mine = [...users.keys()].filter((email) => email.startsWith(prefix));
    const address = (): string => `${prefix}${random.int(5)}@example.com`;
    const user = mine.length > 0 ? random.pick(mine) : undefined;
    const isSquatters = user !== undefined && squatters.has(String((await one.host.user(user))?.s_password));
    const say = (what: string): void => {
      told.push(`${one.name}: ${what}${isSquatters ? ', by who is not its owner' : ''}`);
    };
    const kind = random.int(14);
    if (user === undefined || kind <= 1) {
      const email = address();
      if (mine.includes(email)) return;
      const isOwner = random.chance(0.6);
      say(`register ${email}${isOwner ? '' : ', by who is not its owner'}`);
      const id = await person.register({ email, name: `N${random.int(100)}` });
      if (isOwner) {
        await person.clickValidationLink(id);
        owned.set(`${one.name} ${id}`, { one, id, email });
      } else squatters.add(String((await one.host.user(id))?.s_password));
    } else if (kind === 12) {
      await setByMail(one, user);
    } else if (kind <= 3) {
      say(`edit ${user}`);
      await person.editProfile(user, { name: `E${random.int(1000)}`, phoneMobile: `+${random.int(1000)}` });
    } else if (kind === 4) {
      say(`password ${user}`);
      const hash = await person.changePassword(user);
      if (isSquatters) squatters.add(hash);
    } else if (kind <= 6) {
      // The link comes to the mailbox of the new address.
      const email = isSquatters ? `${prefix}evil${random.int(5)}@example.com` : address();
      if (mine.includes(email)) return;
      say(`${user} becomes ${email}`);
      if (!isSquatters) left.add(user);
      // Osclass refuses it to a blocked user.
      await person.changeEmail(user, email).catch(() => undefined);
    } else if (kind === 7) {
      say(`delete ${user}`);
      if (!isSquatters) left.add(user);
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
    owned = new Map();
    left = new Set();
    random = makeRandom(`${SEED}/${run}`);
    trouble = random.pick([0, 0.2, 0.5, 0.8]);
    for (let step = 0; step < STEPS; step++) {
      await act(`h${run}u`);
      if (random.chance(0.3)) await work(random.pick(world.sites));
      await requireOwned();
    }
    await heal();
    await requireOwned();
    for (let round = 0; round < 6; round++) {
      if ((await proveWaiting(`h${run}u`)) + (await resolveTaken(`h${run}u`, round)) === 0) break;
      await heal();
    }
    const held = (await Promise.all(world.sites.map(heldOn))).flat();
    const differences = (await world.differences()).filter(
      ({ email }) => email.startsWith(`h${run}u`) && !held.includes(email),
    );
    const parked = (await Promise.all(world.sites.map(parkedOf))).flat();
    for (const one of world.sites) await one.db.query('DELETE FROM oc_account_sync_parked');
    expect({ differences, parked }, told.join('\n')).toEqual({ differences: [], parked: [] });
  });
});
