/**
 * Invariants 2, 3 and 4 by brute force: a daemon is killed by SIGKILL after the n-th SQL statement of one change that
 * travels, on the sending and on the receiving side, and started again. Nothing is repaired by hand, and all sites end
 * equal. A few places are tried, by a printed seed; CRASH_POINTS=all tries every place (some minutes), CRASH_SEED
 * repeats a choice.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliverAll, drainAll, letTimePass, siteOf } from '../support/by-hand.ts';
import { makeCrashingDaemons, type CrashingDaemon, type CrashingDaemons } from '../support/crashing-site.ts';
import type { Host } from '../support/osclass/host.ts';
import { makeRandom } from '../support/osclass/random.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 1e9));
const POINTS = process.env['CRASH_POINTS'] ?? '2';

/** One change; `before` is what has to be there and known everywhere. */
interface Change {
  readonly before: (host: Host, email: string) => Promise<unknown>;
  readonly act: (host: Host, email: string) => Promise<unknown>;
}

const registered = async (host: Host, email: string): Promise<void> => {
  const id = await host.person.register({ email, name: 'Ana', validation: false, info: { en_US: 'Hello' } });
  const item = await host.items.post(id, { images: 1, place: { country: 'ES', region: 'Madrid', city: 'Madrid' } });
  await host.items.comment(id, item);
  await host.items.saveAlert(id);
};

const CHANGES: Readonly<Record<string, Change>> = {
  registration: { before: async () => undefined, act: registered },
  edit: {
    before: registered,
    act: (host, email) => host.person.editProfile(email, { name: 'Ana B', city: 'Sevilla', info: { en_US: 'Hi' } }),
  },
  'change of e-mail': { before: registered, act: (host, email) => host.person.changeEmail(email, `new-${email}`) },
  removal: { before: registered, act: (host, email) => host.person.deleteAccount(email) },
};

describe.each(['sending', 'receiving'] as const)(`a daemon killed while %s (CRASH_SEED=${SEED})`, (side) => {
  let world: World;
  let daemons: CrashingDaemons;
  let daemon: CrashingDaemon;
  /** Where people do things. */
  let cars: WorldSite;
  /** Whose daemon dies. */
  let mortal: WorldSite;
  let random = makeRandom(SEED);

  beforeAll(async () => {
    daemons = makeCrashingDaemons();
    world = await makeWorld(['cars', 'homes', 'jobs'], {
      idle: true,
      manual: true,
      extra: Object.fromEntries(['cars', 'homes', 'jobs'].map((name) => [name, 'guard: { removals: 9999 }'])),
    });
    cars = world.site('cars');
    mortal = world.site(side === 'sending' ? 'cars' : 'homes');
    random = makeRandom(`${SEED}/${side}`);
    for (const one of world.sites.filter((site) => site !== mortal)) {
      await one.start();
      const site = await siteOf(one);
      while (await site.isScanPending()) await site.scanPage();
    }
    daemon = await daemons.start(mortal.config);
    // First calls from a peer and first reads of lists are statements that no later change has.
    await registered(cars.host, 'first@example.com');
    await settle();
  }, 60_000);
  afterAll(async () => {
    await daemons.close();
    await world.close();
  });

  const waiting = async (): Promise<number> => {
    const counts = world.sites.map(
      ({ db }) => `SELECT COUNT(*) AS n FROM \`${db.name}\`.oc_account_sync_queue
        UNION ALL SELECT COUNT(*) FROM \`${db.name}\`.oc_account_sync_outbox
        UNION ALL SELECT COUNT(*) FROM \`${db.name}\`.oc_account_sync_parked
        UNION ALL SELECT COUNT(*) FROM \`${db.name}\`.oc_account_sync_leftover`,
    );
    const rows = await cars.db.query<{ n: string }>(counts.join(' UNION ALL '));
    return rows.reduce((sum, { n }) => sum + Number(n), 0);
  };

  /** All daemons do what their loops would, until nothing waits. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 10 && (round === 0 || (await waiting()) > 0); round++) {
      for (const one of world.sites) {
        await letTimePass(one);
        if (one === mortal) await daemon.work();
        else {
          await drainAll(one);
          await deliverAll(one);
          await (await siteOf(one)).retryParked();
        }
      }
    }
    expect(await waiting()).toBe(0);
  };

  /** Carries a change from cars to the others as far as the mortal daemon lives. */
  const travel = async (): Promise<void> => {
    if (side === 'sending') {
      await daemon.work();
      return;
    }
    await drainAll(cars);
    await deliverAll(cars, 'jobs');
    await deliverAll(cars, 'homes').catch(() => undefined);
  };

  const expectEqual = async (why: string): Promise<void> => {
    expect(await world.differences(), why).toEqual([]);
    for (const { host } of world.sites) {
      expect(await host.recount(), why).toEqual([]);
      const orphans = await host.select(
        'SELECT fk_i_item_id FROM {item_description} WHERE fk_i_item_id NOT IN (SELECT pk_i_id FROM {item})',
      );
      expect(orphans, why).toEqual([]);
    }
  };

  it.each(Object.entries(CHANGES))(
    'anywhere in a %s, and started again, ends with all sites equal',
    async (kind, { before, act }) => {
      const emailOf = (point: number): string => `${side[0]}${kind.replaceAll(' ', '')}${point}@example.com`;
      // How many places there are: once without a crash, by a daemon that knows its peers.
      await before(cars.host, emailOf(0));
      await settle();
      await daemon.arm(0);
      await act(cars.host, emailOf(0));
      await travel();
      const places = await daemon.count();
      expect(places).toBeGreaterThan(10);
      await settle();

      const every = Array.from({ length: places }, (_, index) => index + 1);
      const points = POINTS === 'all' ? every : every.toSorted(() => random.next() - 0.5).slice(0, Number(POINTS));
      for (const point of points) await before(cars.host, emailOf(point));
      await settle();
      for (const point of points) {
        const why = `killed after statement ${point} of ${places}`;
        await daemon.arm(point);
        await act(cars.host, emailOf(point));
        await travel();
        expect(await daemon.died(), why).toBe(true);
        daemon = await daemons.start(mortal.config);
        await settle();
        await expectEqual(why);
      }
    },
    600_000,
  );
});
