/**
 * Connections to the database end as the protocol wants it: a server writes a warning, and counts in Aborted_clients, each
 * one that only breaks off.
 */
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { freePort } from '../../scripts/free-port.js';
import { configOf, makeCli } from '../support/cli.ts';
import { createAccount, createDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { startGoodbyeProxy, type GoodbyeProxy } from '../support/goodbye-proxy.ts';
import { databaseConfig } from '../support/pool.ts';
import { keyOf, makeWorld } from '../support/world.ts';

const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

async function proxied(silenceS?: number): Promise<{ pool: Pool; proxy: GoodbyeProxy }> {
  const database = await createDatabase();
  releases.push(() => database.drop());
  const account = await createAccount(database, ['SELECT', 'CREATE']);
  const proxy = await startGoodbyeProxy(database.port);
  releases.push(() => proxy.close());
  const config = databaseConfig(account, { port: proxy.port });
  return { proxy, pool: openPool(config, silenceS === undefined ? {} : { silenceS }) };
}

/** Four connections at once. */
const atOnce = async ({ db }: Pool): Promise<void> => {
  await Promise.all(Array.from({ length: 4 }, () => sql`SELECT SLEEP(0.1) AS nap`.execute(db)));
};

describe('a connection says goodbye', () => {
  it('when it has been idle, and when the pool is closed', async () => {
    const { pool, proxy } = await proxied(3);
    await atOnce(pool);
    expect(proxy.open()).toBe(4);
    await eventually(() => expect(proxy.ended().all).toBe(4), { timeoutMs: 10_000 });
    await atOnce(pool);
    await pool.close();
    await eventually(() => expect(proxy.open()).toBe(0));
    expect(proxy.ended()).toEqual({ all: 8, abrupt: 0 });
  });

  it('when it is replaced after a right was missing, or because the server may be another one', async () => {
    const { pool, proxy } = await proxied();
    await sql`CREATE TABLE guarded (n INT)`.execute(pool.db);
    await expect(sql`INSERT INTO guarded VALUES (1)`.execute(pool.db)).rejects.toThrow(/denied/);
    await eventually(() => expect(proxy.ended().all).toBe(1));
    await atOnce(pool);
    pool.renew();
    await atOnce(pool);
    await pool.close();
    await eventually(() => expect(proxy.open()).toBe(0));
    expect(proxy.ended()).toEqual({ all: 9, abrupt: 0 });
  });

  it('so that the server counts none as aborted', async () => {
    const database = await createDatabase();
    releases.push(() => database.drop());
    const aborted = async (): Promise<unknown> =>
      (await database.query<{ Value: string }>(`SHOW GLOBAL STATUS LIKE 'Aborted_clients'`))[0]?.Value;
    // Other tests on this server may abort some of theirs: one clean try is enough, and ours would spoil each.
    const once = async (): Promise<void> => {
      const before = await aborted();
      const pool = openPool(databaseConfig(database));
      await atOnce(pool);
      pool.renew();
      await atOnce(pool);
      await pool.close();
      await database.query('DO SLEEP(0.2)');
      expect(await aborted()).toBe(before);
    };
    await eventually(once, { timeoutMs: 20_000 });
  });

  it('in an idle daemon with a peer that runs the PHP plugin, and in commands', async () => {
    const world = await makeWorld(['cars', 'homes'], { idle: true });
    releases.push(() => world.close());
    const cars = world.site('cars');
    const proxy = await startGoodbyeProxy(cars.db.port);
    releases.push(() => proxy.close());
    const port = await freePort();
    const text = configOf(cars, [], { port })
      .replace(`port: ${cars.db.port}`, `port: ${proxy.port}`)
      .replace(
        'peers: []',
        `peers: [{ name: jobs, url: "http://127.0.0.1:9/", api_key: ${keyOf('jobs')}, protocol: plugin, feed_schedule: 24h }]`,
      );
    const cli = makeCli(text);
    releases.push(async () => cli.close());
    for (const command of ['install', 'check', 'status']) await cli.run(command);
    const daemon = cli.start('run');
    const before = proxy.ended().all;
    const health = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/health`);
    await eventually(
      async () => {
        await Promise.all([health(), health(), health(), health()]);
        expect(proxy.ended().all).toBeGreaterThan(before + 4);
      },
      { timeoutMs: 30_000 },
    );
    daemon.kill('SIGTERM');
    await daemon.ended;
    await eventually(() => expect(proxy.open()).toBe(0));
    expect(proxy.ended().abrupt).toBe(0);
  }, 90_000);
});
