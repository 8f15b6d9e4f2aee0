/** What statements two daemons send to the tables of their hosts while users are compared, fed, sent and removed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deliverAll, drainAll, scanAll, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World } from '../support/world.ts';

let world: World;
let left: number;
const sent: string[] = [];
/** Those of homes while it takes edits, one transaction after the other. */
const ofEdits: string[] = [];

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { manual: true, idle: true });
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  await cars.host.seed.users({ seed: 'statements', count: 60, firstId: 1, allActive: true });
  for (const one of [cars, homes]) await one.start({ onStatement: (text) => void sent.push(text) });
  await scanAll(world);
  await (await siteOf(homes)).feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
  await cars.host.write("UPDATE {user} SET s_name = CONCAT(s_name, ' x') ORDER BY pk_i_id DESC");
  await drainAll(cars);
  const before = sent.length;
  await deliverAll(cars);
  ofEdits.push(...sent.slice(before));
  const [first] = await cars.host.select('SELECT s_email FROM {user} ORDER BY pk_i_id LIMIT 1');
  await cars.host.person.deleteAccount(String(first?.['s_email']));
  await drainAll(cars);
  await deliverAll(cars);
  left = (await homes.host.users()).users.size;
}, 120_000);
afterAll(() => world?.close());

const HOST_TABLE = /`oc_t_\w+`/;

test('S4: nothing replaces or upserts a row of the host', () => {
  expect(left).toBe(59);
  const written = sent.filter((text) => /^\s*(?:INSERT|REPLACE)/i.test(text) && HOST_TABLE.test(text));
  expect(written.length).toBeGreaterThan(0);
  expect(written.filter((text) => /^\s*REPLACE|ON DUPLICATE KEY|INSERT IGNORE/i.test(text))).toEqual([]);
});

test('S2: nothing locks rows of the queue but what deletes them, by their ids', () => {
  const ofQueue = sent.filter((text) => text.includes('account_sync_queue`'));
  expect(ofQueue.filter((text) => /FOR UPDATE|LOCK IN SHARE|FOR SHARE/i.test(text))).toEqual([]);
  const deleted = ofQueue.filter((text) => /^\s*DELETE/i.test(text));
  expect(deleted.length).toBeGreaterThan(0);
  expect(deleted.filter((text) => !/WHERE\s+`?seq`?\s+IN\s*\(/i.test(text))).toEqual([]);
});

test('S7: rows of the host are locked after the shadows, both by rising id', () => {
  const isLock = (text: string): boolean => /FOR UPDATE/i.test(text) && /account_sync_user`|oc_t_user`/.test(text);
  const several = sent.filter((text) => isLock(text) && /\bIN\s*\(/i.test(text));
  expect(several.length).toBeGreaterThan(0);
  expect(several.filter((text) => !/ORDER BY (?:user_id|pk_i_id)\s+FOR UPDATE/i.test(text))).toEqual([]);
  const tables = ofEdits.filter(isLock).map((text) => (/oc_t_user`/.test(text) ? 'host' : 'shadows'));
  expect(tables).toContain('host');
  expect(tables.filter((table, at) => table === 'host' && tables[at - 1] !== 'shadows')).toEqual([]);
});

test('S8: users of the host are read by key, a page at a time; only counts go over an index', () => {
  const reads = sent.filter((text) => /^\s*SELECT/i.test(text) && /FROM `oc_t_user(?:_description)?`/i.test(text));
  expect(reads.length).toBeGreaterThan(0);
  const byKey =
    /\b(?:pk_i_id|fk_i_user_id|s_email|s_username)`?\s*(?:IN\s*\(|=\s*\?)|\bLIMIT\b|pk_i_id > \? AND pk_i_id <= \?|SELECT (?:MAX|MIN)\(`?pk_i_id|SELECT COUNT\(\*\)/i;
  expect(reads.filter((text) => !byKey.test(text))).toEqual([]);
});
