/** Servers take statements up to a length, and close the connection on which a longer one comes: nobody is held up by it. */
import { afterEach, describe, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { startPacketProxy, type PacketProxy } from '../support/packet-proxy.ts';
import { makeWorld, type World } from '../support/world.ts';

const MIB = 1 << 20;

let world: World;
let proxy: PacketProxy;
afterEach(async () => {
  await world.close();
  await proxy.close();
});

/** `cars` with so many users, each with a description of 18 KB; the database of `homes` bears packets up to 1 MiB. */
async function makePair(users: number): Promise<void> {
  const ports = new Map<string, number>();
  proxy = await startPacketProxy(() => ports.get('homes') ?? 0, MIB);
  world = await makeWorld(['cars', 'homes'], {
    manual: true,
    databasePort: (site, port) => {
      ports.set(site, port);
      return site === 'homes' ? proxy.port : port;
    },
  });
  const { host } = world.site('cars');
  for (const site of world.sites) {
    await site.db.query('ALTER TABLE oc_t_user_description MODIFY s_info LONGTEXT');
    await (await siteOf(site)).refresh();
  }
  await host.seed.users({ seed: 4, count: users, firstId: 1, allActive: true });
  await host.write('DELETE FROM {user_description}');
  await host.write(
    "INSERT INTO {user_description} SELECT pk_i_id, 'en_US', REPEAT(CONCAT(pk_i_id, 'x\\'y '), 18000 / LENGTH(CONCAT(pk_i_id, 'x\\'y '))) FROM {user}",
  );
  await scanAll(world);
}

describe('a database that bears statements of 1 MiB', () => {
  it('gets 250 users with descriptions of 18 KB by stream', async () => {
    await makePair(250);
    const cars = world.site('cars');
    await cars.host.write("UPDATE {user} SET s_website = 'https://example.com/'");
    await drainAll(cars);
    await deliverAll(cars);
    expect((await world.site('homes').host.users()).users.size).toBe(250);
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
    expect(proxy.closed()).toBe(0);
  }, 120_000);

  it('gets them by a feed, and as changes of all of them', async () => {
    await makePair(250);
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    const feed = { restart: false, once: false, dryRun: false, overwrite: false };
    expect(await (await siteOf(homes)).feed('cars', feed)).toMatchObject({ inserted: 250, parked: 0 });
    await cars.host.write("UPDATE {user_description} SET s_info = CONCAT('new ', s_info)");
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
    expect(proxy.closed()).toBe(0);
  }, 120_000);

  it('parks the one user that is too large, and everybody else arrives', async () => {
    await makePair(40);
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    await cars.host.write("UPDATE {user_description} SET s_info = REPEAT('large ', 200000) WHERE fk_i_user_id = 17");
    await cars.host.write("UPDATE {user} SET s_website = 'https://example.com/'");
    await drainAll(cars);
    await deliverAll(cars);
    const arrived = await homes.host.users();
    expect(arrived.users.size).toBe(39);
    expect(proxy.closed()).toBeGreaterThan(0);
    const { body } = await homes.admin('GET', '/v1/parked');
    expect(body['parked']).toMatchObject([{ direction: 'in', peer: 'cars', code: 'VALUE_UNSTORABLE' }]);
    expect(JSON.stringify(body)).toMatch(/connection to the database was lost/);
    expect(await cars.db.query('SELECT 1 FROM oc_account_sync_outbox')).toEqual([]);
    // Once the server bears it, it comes by itself.
    proxy.mostBytes = Infinity;
    await cars.host.write("UPDATE {user} SET s_website = 'https://example.org/'");
    await settleByHand(world);
    expect(await world.differences()).toEqual([]);
  }, 120_000);
});
