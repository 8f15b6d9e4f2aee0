import { afterEach, expect, it } from 'vitest';
import type { Daemon } from '../../src/daemon/daemon.ts';
import { deliverAll, drainAll, scanAll } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World } from '../support/world.ts';

let world: World | undefined;
afterEach(() => world?.close());

it('a daemon that is told to stop answers the request under way before it lets go of its database', async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true, manual: true });
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  let stopping: Promise<void> | undefined;
  let daemon: Daemon | undefined;
  await cars.start();
  await homes.start({
    async onStatement(statement) {
      if (!/INSERT INTO \S*t_user`/.test(statement) || stopping !== undefined) return;
      daemon = homes.daemon;
      stopping = homes.stop();
      // Until nobody can call any more.
      await eventually(() => expect(fetch(new URL('health/live', homes.url))).rejects.toThrow('fetch failed'));
    },
  });
  await scanAll(world);
  await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
  await drainAll(cars);
  await deliverAll(cars);
  await stopping;
  expect(await daemon?.lifecycle.stopped).toBe('clean');
  expect(await homes.host.user('ana@example.com')).toBeDefined();
  expect(await cars.db.query('SELECT ref FROM oc_account_sync_outbox')).toEqual([]);
});
