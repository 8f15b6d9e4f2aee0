import { afterEach, describe, expect, it } from 'vitest';
import { heldOf } from '../../src/store/parked.ts';
import { countVanished } from '../../src/store/vanished.ts';
import { approvePeer } from '../../src/admin/approve.ts';
import { ALL_CHANGES } from '../../src/model/guard.ts';
import { makeKeyDigest } from '../../src/peer/key-digest.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openSite } from '../../src/site/site.ts';
import { drainAll, scanAll, settleByHand } from '../support/by-hand.ts';
import { configOf, makeCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { makeStatementStop } from '../support/statement-stop.ts';
import { makeWorld, tokenOf, type World } from '../support/world.ts';

describe('the guard', () => {
  let world: World;
  afterEach(() => world.close());

  const countOf = async (name: string): Promise<number> => (await world.site(name).host.users()).users.size;
  const feedAll = async (to: string, from: string): Promise<void> => {
    const { site } = await world.site(to).open();
    await site.feed(from, { restart: false, once: false, dryRun: false, overwrite: false });
  };

  it(
    'holds what exceeds its limits on the peers, and approve lets exactly that through',
    { timeout: 90_000 },
    async () => {
      // The site itself lets all of them go.
      world = await makeWorld(['cars', 'homes'], { idle: true, extra: { cars: 'guard: { removals: 1000 }' } });
      const cars = world.site('cars');
      const users = await cars.host.seed.users({ seed: 3, count: 100, allActive: true });
      await Promise.all(world.sites.map((site) => site.start()));
      await feedAll('homes', 'cars');
      expect(await countOf('homes')).toBe(100);

      for (const user of users.slice(0, 60)) await cars.host.person.deleteAccount(user.id);
      await world.settle();
      expect(await countOf('homes')).toBe(80);
      const [peer] = ((await world.site('homes').admin('GET', '/v1/peers')).body['peers'] as { held: number }[]) ?? [];
      expect(peer?.held).toBe(40);
      await eventually(async () =>
        expect((await world.site('homes').admin('GET', '/health')).body).toMatchObject({ status: 'degraded' }),
      );
      const cli = makeCli(configOf(world.site('homes'), [cars]));
      const status = await cli.run('status');
      const wrong = await cli.run('approve', 'cars', '--class', 'secrets');
      const planned = await cli.run('approve', 'cars', '--class', 'removals', '--dry-run', '--json');
      cli.close();
      expect(status).toMatchObject({ code: 3, out: expect.stringMatching(/40 removals held for cars.*approve cars/) });
      expect(wrong).toMatchObject({
        code: 2,
        err: expect.stringMatching(/removals, credentials, revivals, creations/),
      });
      expect(JSON.parse(planned.out)).toMatchObject({ peer: 'cars', released: 40, dry_run: true });
      const { logs } = (await world.site('homes').admin('GET', '/v1/logs?search=GUARD_HELD&limit=1000')).body;
      expect(logs).toHaveLength(40);

      const { body } = await world.site('homes').admin('POST', '/v1/peers/cars/approve');
      expect(body['released']).toBe(40);
      expect((await world.site('homes').admin('GET', '/v1/logs?search=Approved%20by')).body.logs).toMatchObject([
        {
          type: 'PROCESS',
          peer: 'cars',
          status: 'OK',
          ip: '127.0.0.1',
          key: makeKeyDigest(world.site('homes').config)(tokenOf('homes')),
          content: { operation: 'approve', by: 'admin', released: 40 },
        },
      ]);
      await eventually(async () => expect(await countOf('homes')).toBe(40));
      await eventually(async () =>
        expect((await world.site('homes').admin('GET', '/health')).body).toMatchObject({ status: 'ok' }),
      );
      expect(await world.differences()).toEqual([]);
    },
  );

  it('holds at the sender what is stricter there', async () => {
    world = await makeWorld(['cars', 'homes'], { extra: { cars: 'guard: { removals: 2, percent: 1 }' } });
    const cars = world.site('cars');
    const ids: number[] = [];
    for (let n = 0; n < 6; n++) {
      const id = await cars.host.person.register({ email: `u${n}@example.com`, name: `U ${n}` });
      await cars.host.person.clickValidationLink(id);
      ids.push(id);
    }
    await world.settle();
    for (const id of ids) await cars.host.admin.block(id);
    await world.settle();
    const blocked = async (): Promise<number> =>
      (await world.site('homes').db.query('SELECT 1 FROM oc_t_user WHERE b_enabled = 0')).length;
    expect(await blocked()).toBe(2);
    const pending = (await cars.admin('GET', '/v1/pending')).body['pending'] as { state: string; code: string }[];
    expect(pending.map((entry) => [entry.state, entry.code])).toEqual(
      Array.from({ length: 4 }, () => ['held', 'GUARD_HELD']),
    );
    await cars.admin('POST', '/v1/peers/homes/approve');
    expect((await cars.admin('GET', '/v1/logs?search=Approved%20by')).body.logs).toMatchObject([
      { type: 'STREAM', peer: 'homes', content: { operation: 'approve', by: 'admin', released: 4 } },
    ]);
    await world.settle();
    expect(await blocked()).toBe(6);
  });

  it('was passed by whatever somebody approved, also if the daemon is killed halfway', async () => {
    world = await makeWorld(['cars', 'homes'], {
      manual: true,
      extra: { homes: 'guard: { removals: 1, percent: 1 }' },
    });
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    await scanAll(world);
    for (let n = 0; n < 8; n++) {
      const email = `u${n}@example.com`;
      await cars.host.person.register({ email, name: `U ${n}`, validation: false });
    }
    await settleByHand(world);
    for (let n = 0; n < 8; n++) await cars.host.person.deleteAccount(`u${n}@example.com`);
    await settleByHand(world);
    expect(await countOf('homes')).toBe(7);

    const stop = makeStatementStop('throw');
    const fragile = await openSite(homes.config, { clock: systemClock, onStatement: stop.onStatement });
    stop.arm(30);
    const by = { name: 'ana', keyDigest: null, ip: null, trace: 'test' };
    await expect(approvePeer(fragile, 'cars', Date.now(), by)).rejects.toThrow('stopped after statement');
    await fragile.close();
    const held = await heldOf((await homes.open()).site.db, 'cars', ALL_CHANGES);
    expect(held.length).toBeGreaterThan(0);
    // One more removal is not what somebody approved.
    await cars.host.person.register({ email: 'late@example.com', name: 'Late', validation: false });
    await settleByHand(world);
    await cars.host.person.deleteAccount('late@example.com');
    await drainAll(cars);
    expect((await homes.admin('POST', '/v1/peers/cars/approve')).body['released']).toBe(held.length);
    expect(await countOf('homes')).toBe(1);
    await settleByHand(world);
    expect(await countOf('homes')).toBe(1);
    await homes.admin('POST', '/v1/peers/cars/approve');
    expect(await countOf('homes')).toBe(0);
  });

  it('removes nobody anywhere when the table is truncated, health says what happened, and a feed ends it', async () => {
    world = await makeWorld(['cars', 'homes']);
    const cars = world.site('cars');
    for (let n = 0; n < 5; n++)
      await cars.host.person.register({ email: `u${n}@example.com`, name: `U ${n}`, validation: false });
    await world.settle();
    await cars.db.query('SET FOREIGN_KEY_CHECKS = 0');
    await cars.db.query('TRUNCATE TABLE oc_t_user');
    await cars.db.query('SET FOREIGN_KEY_CHECKS = 1');
    await cars.stop();
    const { site } = await cars.start();
    await site.drain();
    await world.settle();
    expect(await countOf('homes')).toBe(5);
    const users = async (): Promise<unknown> => {
      const { checks } = (await cars.admin('GET', '/health')).body as { checks?: Record<string, { message?: string }> };
      return checks?.['users'];
    };
    await eventually(async () =>
      expect(await users()).toMatchObject({
        status: 'degraded',
        message: expect.stringMatching(/^5 accounts are gone .*nobody was removed elsewhere/),
      }),
    );
    // Ids go on where they were, as after DELETE without triggers.
    await cars.db.query('ALTER TABLE oc_t_user AUTO_INCREMENT = 100');
    await site.feed('homes', { restart: true, once: false, dryRun: false, overwrite: false });
    expect(await countOf('cars')).toBe(5);
    expect(await countVanished(site.db, site.snapshot().catalog)).toBe(0);
    await world.settle();
    expect(await world.differences()).toEqual([]);
  });
});
