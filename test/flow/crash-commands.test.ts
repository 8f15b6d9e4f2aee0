/**
 * What commands do, by brute force: a process is killed by SIGKILL after the n-th SQL statement of an installation (with
 * its migrations), a baseline, a re-scan, a feed, an uninstallation; the host goes on, and the next start completes it.
 * A few places are tried, by a printed seed; CRASH_POINTS=all tries every place (some minutes), CRASH_SEED repeats a choice.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { doubledEffects, watchEffects } from '../endurance/effects.ts';
import { drainAll, letTimePass, scanAll, siteOf } from '../support/by-hand.ts';
import type { Operation } from '../support/crash-child.ts';
import { makeCrashingDaemons, type CrashingDaemons } from '../support/crashing-site.ts';
import { tablesOf, triggersOf, withoutCounters } from '../support/definitions.ts';
import { makeRandom } from '../support/osclass/random.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 1e9));
const POINTS = process.env['CRASH_POINTS'] ?? '3';
/** Some pages of a feed. */
const USERS = 50;

describe(`a process killed anywhere (CRASH_SEED=${SEED})`, { timeout: 1_800_000 }, () => {
  let processes: CrashingDaemons;
  let world: World;
  let cars: WorldSite;
  let homes: WorldSite;

  beforeAll(() => {
    processes = makeCrashingDaemons();
  });
  afterAll(() => processes.close());
  beforeEach(async () => {
    const guard = 'guard: { removals: 9999 }';
    world = await makeWorld(['cars', 'homes'], {
      idle: true,
      manual: true,
      extra: { cars: `${guard}\nfeed: { limit: 20 }`, homes: `${guard}\nfeed: { limit: 20 }` },
    });
    [cars, homes] = [world.site('cars'), world.site('homes')];
    await cars.host.seed.users({ seed: 4, count: USERS, firstId: 1, allActive: true });
  });
  afterEach(() => world.close());

  const run = async (one: WorldSite, what: Operation): Promise<void> => {
    expect(await processes.operate(one.config, what, 0), what).toBeGreaterThan(0);
  };
  /** Kills the operation at each place that is tried, `prepare` before each, `check` after it was done again. */
  const killEverywhere = async (
    one: WorldSite,
    what: Operation,
    prepare: () => Promise<unknown>,
    check: () => Promise<unknown>,
  ): Promise<void> => {
    await prepare();
    const places = (await processes.operate(one.config, what, 0)) ?? 0;
    await check();
    expect(places).toBeGreaterThan(10);
    const random = makeRandom(`${SEED}/${what}`);
    const every = Array.from({ length: places }, (_, index) => index + 1);
    const points = POINTS === 'all' ? every : every.toSorted(() => random.next() - 0.5).slice(0, Number(POINTS));
    for (const point of points) {
      const why = `${what} killed after statement ${point} of ${places}`;
      await prepare();
      // The last places may be those of a good-bye that is not always said.
      const died = (await processes.operate(one.config, what, point)) === undefined;
      expect(died || point > places - 3, why).toBe(true);
      await one.host.person.register({ email: 'host@example.com', name: 'Host', validation: false });
      await one.host.person.deleteAccount('host@example.com');
      if (what !== 'install' && what !== 'uninstall') await letTimePass(one);
      await run(one, what).catch((error: unknown) => {
        throw new Error(`${why}: ${String(error)}`);
      });
      await check();
    }
  };
  /** Without the numbers behind the names of triggers: those made after a crash have the next one. */
  const definitions = async ({ db }: WorldSite): Promise<unknown> => {
    const triggers = JSON.stringify(await triggersOf(db)).replaceAll(/("TRIGGER_NAME":"\w+_)\d+"/g, '$1n"');
    return withoutCounters([await tablesOf(db), JSON.parse(triggers)]);
  };
  const rows = async ({ db }: WorldSite, table: string, columns: string): Promise<unknown[]> =>
    db.query(`SELECT ${columns} FROM oc_account_sync_${table} ORDER BY 1, 2`);

  it('in an installation leaves the host at work, and the next one completes it', async () => {
    await run(cars, 'install');
    const whole = await definitions(cars);
    await killEverywhere(
      cars,
      'install',
      () => run(cars, 'uninstall'),
      async () => {
        expect(await definitions(cars)).toEqual(whole);
        const migrations = await rows(cars, 'migration', 'id, finished_at IS NULL AS open');
        expect(migrations.filter((row) => Number((row as { open: unknown }).open) !== 0)).toEqual([]);
      },
    );
  });

  it('in an uninstallation leaves the host at work, and the next one completes it', async () => {
    const before = await definitions(cars);
    await killEverywhere(
      cars,
      'uninstall',
      () => run(cars, 'install'),
      async () => expect(await definitions(cars)).toEqual(before),
    );
  });

  it('in a baseline gives every user one shadow, and sends nobody', async () => {
    await run(cars, 'install');
    const memory = async (): Promise<unknown[]> => [
      await rows(cars, 'user', 'user_id, 1'),
      await rows(cars, 'uid', 'user_id, HEX(uid)'),
    ];
    let whole: unknown[] | undefined;
    await killEverywhere(
      cars,
      'scan',
      async () => {
        for (const table of ['queue', 'user', 'uid', 'tombstone', 'outbox', 'state', 'lease'])
          await cars.db.query(`DELETE FROM oc_account_sync_${table}`);
      },
      async () => {
        whole ??= await memory();
        expect((whole[0] as unknown[]).length).toBe(USERS);
        expect(await memory()).toEqual(whole);
        expect(await rows(cars, 'outbox', 'ref, peer')).toEqual([]);
      },
    );
  });

  it('in a re-scan sends each user that changed, once', async () => {
    await cars.start();
    await scanAll(world);
    let edit = 0;
    await killEverywhere(
      cars,
      'scan',
      async () => {
        await drainAll(cars);
        edit += 1;
        await cars.host.write('UPDATE {user} SET s_website = ? WHERE pk_i_id <= 7', [`https://example.com/${edit}`]);
        for (const table of ['queue', 'outbox']) await cars.db.query(`DELETE FROM oc_account_sync_${table}`);
        await cars.db.query(`REPLACE INTO oc_account_sync_state VALUES ('rescan_wanted', '1')`);
      },
      async () => {
        const sent = await rows(cars, 'outbox', "ref, generation, kind = 'u' AND peer = 'homes' AS ok");
        const users = sent.filter((row) => Number((row as { ref: unknown }).ref) <= 7);
        expect(users).toHaveLength(7);
        expect(users.every((row) => Number((row as { generation: unknown }).generation) === 1)).toBe(true);
      },
    );
  });

  it('in a feed brings everybody once', async () => {
    await cars.start();
    await scanAll(world);
    await run(homes, 'install');
    await run(homes, 'scan');
    await watchEffects(homes);
    await killEverywhere(
      homes,
      'feed',
      async () => {
        await homes.host.write('DELETE FROM {user_description}');
        await homes.host.write('DELETE FROM {user}');
        for (const table of ['queue', 'user', 'uid', 'tombstone', 'outbox', 'peer', 'log', 'parked', 'lease'])
          await homes.db.query(`DELETE FROM oc_account_sync_${table}`);
        await homes.db.query('DELETE FROM test_effects');
      },
      async () => {
        expect(await world.differences()).toEqual([]);
        expect(await doubledEffects(homes)).toEqual([]);
        expect((await siteOf(cars)).routes()).toHaveLength(1);
        expect(await rows(homes, 'parked', 'id, code')).toEqual([]);
      },
    );
  });
});
