/** What daemons at several nodes of a cluster may do at once, on one server that says it is a node. */
import type { Kysely } from 'kysely';
import { expect, test } from 'vitest';
import { mayMakeTriggers } from '../../src/capture/rights.ts';
import { inspectTriggers, repairTriggers } from '../../src/capture/triggers.ts';
import { checkTriggersOnce } from '../../src/capture/trigger-health.ts';
import { makeLeases } from '../../src/store/lease.ts';
import { migrate } from '../../src/db/migrate.ts';
import { openPool } from '../../src/db/pool.ts';
import { readServerFacts } from '../../src/db/server-facts.ts';
import { hostPool, type HostPool } from '../support/host-pool.ts';
import { databaseConfig } from '../support/pool.ts';

/** The database, except that it says to be a node. */
function asNode(db: Kysely<unknown>): Kysely<unknown> {
  const asked = new WeakSet<object>();
  return db.withPlugin({
    transformQuery({ node, queryId }) {
      if (JSON.stringify(node).includes('wsrep_on')) asked.add(queryId);
      return node;
    },
    async transformResult({ result, queryId }) {
      return asked.has(queryId) ? { ...result, rows: [{ Variable_name: 'wsrep_on', Value: 'ON' }] } : result;
    },
  });
}

async function installed(): Promise<HostPool> {
  const site = await hostPool();
  await migrate(site.db, 'oc_');
  return site;
}

test('daemons that repair triggers at two nodes of a cluster never make two of one name', async () => {
  const { db, catalog } = await installed();
  const state = await inspectTriggers(db, catalog);
  // Neither sees what the other makes.
  await repairTriggers(asNode(db), catalog, state);
  await repairTriggers(asNode(db), catalog, state);
  const { missing, outdated, surplus } = await inspectTriggers(db, catalog);
  expect([missing, outdated]).toEqual([[], []]);
  // And the one on our own table.
  expect(surplus).toHaveLength(state.missing.length + 1);
});

test('where the triggers are seen, no statement is tried to find out whether they may be made', async () => {
  const { database, db, catalog } = await installed();
  const statements: string[] = [];
  const watched = openPool(databaseConfig(database), { onStatement: (statement) => void statements.push(statement) });
  expect(await mayMakeTriggers(watched.db, catalog)).toBe(true);
  expect(statements.join(';')).toContain('CREATE TRIGGER');
  await repairTriggers(db, catalog, await inspectTriggers(db, catalog));
  statements.length = 0;
  expect(await mayMakeTriggers(watched.db, catalog)).toBe(true);
  expect(statements.join(';')).not.toContain('CREATE');
  await watched.close();
});

test('triggers are repaired at one node of a cluster at a time', async () => {
  const { db, catalog } = await installed();
  const leases = makeLeases({ db, holder: 'a daemon at another node' });
  const lease = await leases.tryAcquire('triggers');
  await expect(checkTriggersOnce(asNode(db), catalog)).rejects.toMatchObject({ code: 'TABLE_BUSY' });
  expect((await inspectTriggers(db, catalog)).missing).toHaveLength(9);
  await lease?.release();
  expect(await checkTriggersOnce(asNode(db), catalog)).toMatchObject({ kind: 'lost' });
  expect(await checkTriggersOnce(asNode(db), catalog)).toEqual({ kind: 'well' });
});

test('check is told how many nodes there are, and whether they number rows apart', async () => {
  const { db } = await installed();
  expect((await readServerFacts(db)).cluster).toBeUndefined();
  expect((await readServerFacts(asNode(db))).cluster).toMatchObject({ nodes: expect.any(Number) });
});
