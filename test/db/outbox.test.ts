/** Entries of outboxes: confirming many at once, each only in the generation that was sent; and whose are due. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import type { Pool } from '../../src/db/pool.ts';
import { CHANGE } from '../../src/model/guard.ts';
import type { OutboxEntry } from '../../src/model/route.ts';
import { confirm, dueEntries, enqueue, noteDecided, peersWithDue } from '../../src/store/outbox.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { poolOn } from '../support/pool.ts';

const NOW = Date.UTC(2026, 0, 1);
const HELD = { passed: 0, held: CHANGE.removal, isWhole: true };
let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = poolOn(database);
  await migrate(pool.db, 'oc_');
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

const entry = (kind: OutboxEntry['kind'], ref: number, peer = 'homes'): OutboxEntry => ({ peer, kind, ref });
const waiting = (peer: string) => dueEntries(pool.db, peer, NOW, 1000);
const named = async (peer: string): Promise<string[]> =>
  (await waiting(peer)).map(({ kind, ref, generation }) => `${kind} ${ref} #${generation}`).toSorted();

test('what was sent goes; what changed meanwhile, was not sent, or is for another peer stays', async () => {
  const users = Array.from({ length: 600 }, (_, n) => entry('user', n + 1));
  const all = [...users, entry('removal', 1), entry('removal', 2), entry('user', 1, 'jobs')];
  await enqueue(pool.db, all, NOW);
  // Two of them for the second time, one of these for the third.
  await enqueue(pool.db, [entry('user', 7), entry('user', 8), entry('removal', 2)], NOW);
  await enqueue(pool.db, [entry('user', 8)], NOW);
  const sent = (await waiting('homes')).filter(({ kind, ref }) => !(kind === 'user' && ref === 600));
  await enqueue(pool.db, [entry('user', 9), entry('removal', 1)], NOW);
  await confirm(pool.db, 'homes', sent);
  expect(await named('homes')).toEqual(['removal 1 #2', 'user 600 #1', 'user 9 #2']);
  expect(await named('jobs')).toEqual(['user 1 #1']);
});

test('only what is named is held, and only as it was read', async () => {
  await enqueue(pool.db, [entry('user', 1, 'cars'), entry('user', 2, 'cars'), entry('removal', 1, 'cars')], NOW);
  const read = (await waiting('cars')).filter(({ ref }) => ref === 1);
  await enqueue(pool.db, [entry('user', 1, 'cars')], NOW);
  await noteDecided(pool.db, 'cars', read, HELD);
  expect(await named('cars')).toEqual(['user 1 #2', 'user 2 #1']);
});

test('nothing to confirm is no statement', async () => {
  await confirm(pool.db, 'homes', []);
  expect(await named('jobs')).toEqual(['user 1 #1']);
});

test('of the peers that are named, those have something due whose entries wait, and wait no longer', async () => {
  const peers = ['due', 'later', 'held', 'nothing', 'far'];
  await enqueue(pool.db, [entry('user', 1, 'due'), entry('user', 2, 'due'), entry('user', 1, 'held')], NOW);
  await enqueue(pool.db, [entry('user', 1, 'later')], NOW + 1000);
  // A clock that was set back by years does not keep an entry for as long.
  await enqueue(pool.db, [entry('user', 1, 'far')], NOW + 1e11);
  await enqueue(pool.db, [entry('user', 1, 'stranger')], NOW);
  await noteDecided(pool.db, 'held', await waiting('held'), HELD);
  expect((await peersWithDue(pool.db, peers, NOW)).toSorted()).toEqual(['due', 'far']);
  expect((await peersWithDue(pool.db, peers, NOW + 1000)).toSorted()).toEqual(['due', 'far', 'later']);
  expect(await peersWithDue(pool.db, [], NOW)).toEqual([]);
});
