import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Compile } from 'typebox/compile';
import { readCatalog, type Ident } from '../../src/db/catalog.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { Pool } from '../../src/db/pool.ts';
import { parseParkedId } from '../../src/store/entry-cursor.ts';
import { listParked } from '../../src/admin/parked.ts';
import { makePeerStatus } from '../../src/store/peer-status.ts';
import { listPending } from '../../src/admin/pending.ts';
import { CHANGE } from '../../src/model/guard.ts';
import * as answers from '../../src/model/response-schemas.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createHost, type Host } from '../support/osclass/host.ts';
import { poolOn } from '../support/pool.ts';
import { OWN } from '../support/own-tables.ts';

const START_MS = Date.UTC(2024, 4, 1, 10);
let database: TestDatabase;
let host: Host;
let pool: Pool;
let nowMs = START_MS;
let users: Ident;
const userTable = () => users;
let ana: number;
let bob: number;

beforeAll(async () => {
  database = await createDatabase();
  host = await createHost(database);
  ana = await host.admin.createUser({ email: 'ana@example.com', name: 'Ana' });
  bob = await host.admin.createUser({ email: 'bob@example.com', name: 'Bob' });
  pool = poolOn(database);
  await migrate(pool.db, 'oc_');
  users = (await readCatalog(pool.db, database.name, 'oc_')).requireTable('t_user').name;
});

afterAll(async () => {
  await pool.close();
  await host.close();
  await database.drop();
});

beforeEach(async () => {
  nowMs = START_MS;
  for (const table of [OWN.outbox, OWN.parked, OWN.peer]) await database.query(`DELETE FROM ${table}`);
});

const T1 = '2024-05-01 09:59:00.000';
const T2 = '2024-05-01 10:01:00.500';

async function waits(
  peer: string,
  kind: string,
  ref: number,
  state: string,
  reason: [string, string] | [null, null],
  due = T2,
) {
  await database.query(
    `INSERT INTO ${OWN.outbox} (peer, kind, ref, state, held, changed_at, due_at, attempts, code, message)
     VALUES (?,?,?,?,?,?,?,2,?,?)`,
    [peer, kind, ref, state, state === 'h' ? CHANGE.removal : 0, T1, due, ...reason],
  );
}

async function parks(peer: string, code: string, record: string, userId: number | null = null) {
  const uid = Buffer.alloc(16, (await database.query(`SELECT id FROM ${OWN.parked}`)).length + 1);
  await database.query(
    `INSERT INTO ${OWN.parked} (peer, uid, user_id, code, message, record, held, created_at, tried_at, attempts)
     VALUES (?,?,?,?,'why',?,?,?,?,3)`,
    [peer, uid, userId, code, record, code === 'GUARD_HELD' ? CHANGE.removal : 0, T1, T2],
  );
}

test('pending entries tell who waits, masked, since when and why', async () => {
  await waits('homes', 'u', ana, 'w', ['PEER_UNREACHABLE', 'connection refused']);
  await waits('homes', 'u', 999_999, 'w', [null, null], T1);
  await waits('homes', 'r', 5, 'h', ['GUARD_HELD', 'too many']);
  await waits('homes', 'u', bob, 'p', ['EMAIL_TAKEN', 'taken']);
  const page = await listPending({ db: pool.db, userTable, nowMs: () => nowMs }, {});
  const common = { peer: 'homes', since: '2024-05-01T09:59:00.000Z', attempts: 2 };
  expect(page).toEqual({
    pending: [
      {
        ...common,
        kind: 'removal',
        user_id: null,
        email: null,
        state: 'held',
        due: '2024-05-01T10:01:00.500Z',
        code: 'GUARD_HELD',
        message: 'too many',
      },
      {
        ...common,
        kind: 'user',
        user_id: ana,
        email: 'a***@e***.com',
        state: 'waiting',
        due: '2024-05-01T10:01:00.500Z',
        code: 'PEER_UNREACHABLE',
        message: 'connection refused',
      },
      {
        ...common,
        kind: 'user',
        user_id: 999_999,
        email: null,
        state: 'waiting',
        due: '2024-05-01T09:59:00.000Z',
        code: null,
        message: 'Is sent next.',
      },
    ],
    next: null,
  });
  expect(Compile(answers.PendingPage).Check(page)).toBe(true);
});

test('pending entries are paged by peer, kind and id, each seen once', async () => {
  const keys = [
    ['cars', 'u', 3],
    ['homes', 'r', 1],
    ['homes', 'r', 12],
    ['homes', 'u', 2],
    ['jobs', 'r', 2],
  ] as const;
  for (const [peer, kind, ref] of keys) await waits(peer, kind, ref, 'w', [null, null]);
  const deps = { db: pool.db, userTable, nowMs: () => nowMs };
  const seen: string[] = [];
  const cursors: (string | null)[] = [];
  for (let after: string | undefined | null; after !== null;) {
    const page = await listPending(deps, { limit: 2, ...(after === undefined ? {} : { after }) });
    seen.push(...page.pending.map(({ peer, kind }) => `${peer} ${kind}`));
    after = page.next;
    cursors.push(after);
  }
  expect(seen).toEqual(['cars user', 'homes removal', 'homes removal', 'homes user', 'jobs removal']);
  expect(cursors).toEqual(['homes:r:1', 'homes:u:2', null]);
  expect((await listPending(deps, { peer: 'jobs' })).pending).toHaveLength(1);
});

test('parked records and parked entries are one list, with a remedy and an id for each', async () => {
  await parks(
    'homes',
    'EMAIL_TAKEN',
    JSON.stringify({ kind: 'user', email: 'cleo@example.com', registers: { s_password: 'secret' } }),
    ana,
  );
  await parks('cars', 'FOREIGN_KEY', JSON.stringify({ kind: 'removal' }));
  await parks('cars', 'OLD_CODE', 'no json');
  await waits('homes', 'u', bob, 'p', ['VALUE_UNSTORABLE', 'too long']);
  await waits('homes', 'u', ana, 'w', [null, null]);
  const deps = { db: pool.db, userTable };
  const page = await listParked(deps, {});
  expect(
    page.parked.map(({ direction, peer, kind, user_id: userId, email, code }) => [
      direction,
      peer,
      kind,
      userId,
      email,
      code,
    ]),
  ).toEqual([
    ['in', 'homes', 'user', ana, 'c***@e***.com', 'EMAIL_TAKEN'],
    ['in', 'cars', 'removal', null, null, 'FOREIGN_KEY'],
    ['in', 'cars', 'user', null, null, 'OLD_CODE'],
    ['out', 'homes', 'user', bob, 'b***@e***.com', 'VALUE_UNSTORABLE'],
  ]);
  expect(page.parked[0]).toMatchObject({
    message: 'why',
    remedy: expect.stringContaining('another address') as string,
    since: '2024-05-01T09:59:00.000Z',
    tried: '2024-05-01T10:01:00.500Z',
    attempts: 3,
  });
  expect(Compile(answers.ParkedPage).Check(page)).toBe(true);
  expect(JSON.stringify(page)).not.toContain('secret');
  expect(page.parked.map(({ id }) => parseParkedId(id))).toEqual([
    { direction: 'in', id: expect.any(Number) as number },
    { direction: 'in', id: expect.any(Number) as number },
    { direction: 'in', id: expect.any(Number) as number },
    { direction: 'out', peer: 'homes', kind: 'u', ref: bob },
  ]);

  const ids: string[] = [];
  for (let after: string | undefined | null; after !== null;) {
    const part = await listParked(deps, { limit: 1, ...(after === undefined ? {} : { after }) });
    ids.push(...part.parked.map(({ id }) => id));
    after = part.next;
  }
  expect(ids).toEqual(page.parked.map(({ id }) => id));
  expect((await listParked(deps, { peer: 'homes' })).parked).toHaveLength(2);
});

test.each(['', 'x', '1.5', '-1', 'homes:u', 'homes:x:1', 'HOMES:u:1', 'homes:u:1:2', '1'.repeat(30)])(
  '%j names nothing that is parked',
  (text) => {
    expect(parseParkedId(text)).toBeUndefined();
  },
);

const facts = (name: string) => ({
  name,
  url: `https://${name}.example.com/`,
  protocol: 'native' as const,
  receive: true,
  columns: ['s_name'],
  sendColumns: ['s_name', 's_email'],
});

test('of a peer that was never called nothing is known', async () => {
  const status = makePeerStatus({ db: pool.db, clock: { nowMs: () => nowMs } });
  const summaries = await status.summaries([facts('homes')]);
  expect(summaries).toEqual([
    {
      name: 'homes',
      url: 'https://homes.example.com/',
      protocol: 'native',
      columns: ['s_name'],
      send_columns: ['s_name', 's_email'],
      last_user_id: 0,
      feed_due: true,
      feed_due_reason: 'No feed from it has come to its end yet.',
      synced_from: null,
      synced_to: null,
      received_total: 0,
      sent_total: 0,
      status: null,
      message: null,
      date: null,
      failing_since: null,
      pending: 0,
      oldest_pending_age: null,
      unknown_locations: 0,
      parked: 0,
      unproven: 0,
      held: 0,
      held_by_class: { removals: 0, credentials: 0, revivals: 0, creations: 0 },
    },
  ]);
  expect(Compile(answers.PeerSummary).Check(summaries[0])).toBe(true);
});

test('the first failure since the last success is kept until a call succeeds', async () => {
  const status = makePeerStatus({ db: pool.db, clock: { nowMs: () => nowMs } });
  const failing = async () => (await status.failingSince(['homes', 'cars']))[0];
  const failed = { ok: false, status: 'ERR', message: 'refused' };
  await status.recordCall('homes', failed);
  nowMs += 60_000;
  await status.recordCall('homes', { ...failed, message: '😀'.repeat(600) });
  expect(await failing()).toBe(START_MS);
  await status.recordCall('homes', { ok: true, status: '200', message: 'fine' });
  expect(await failing()).toBeNull();
  nowMs += 1_000;
  await status.recordCall('homes', failed);
  expect(await failing()).toBe(nowMs);
  expect(await status.summaries([facts('homes')])).toMatchObject([
    { status: 'ERR', message: 'refused', date: '2024-05-01T10:01:01.000Z', failing_since: '2024-05-01T10:01:01.000Z' },
  ]);
});

test('a summary counts what waits, is parked or held, in both directions, for that peer alone', async () => {
  const status = makePeerStatus({ db: pool.db, clock: { nowMs: () => nowMs } });
  await status.recordSynced(pool.db, 'homes', 'from', { records: 3, isNews: true });
  nowMs += 1_000;
  await status.recordSynced(pool.db, 'homes', 'to', { records: 2, isNews: true });
  nowMs += 1_000;
  await status.recordSynced(pool.db, 'homes', 'from', { records: 4, isNews: false });
  await status.recordSynced(pool.db, 'homes', 'to', { records: 0, isNews: false });
  await database.query(`UPDATE ${OWN.peer} SET last_user_id = 4294967295`);
  await waits('homes', 'u', ana, 'w', [null, null]);
  await waits('homes', 'u', bob, 'p', ['EMAIL_TAKEN', 'taken']);
  await waits('homes', 'r', 1, 'h', ['GUARD_HELD', 'held']);
  await waits('homes', 'r', 2, 'h', ['GUARD_HELD', 'held']);
  await waits('cars', 'u', bob, 'w', [null, null]);
  await parks('homes', 'GUARD_HELD', '{}');
  await parks('homes', 'EMAIL_TAKEN', '{}');
  await parks('homes', 'EMAIL_UNPROVEN', '{}');
  await parks('cars', 'EMAIL_TAKEN', '{}');
  const [cars, homes] = await status.summaries([facts('cars'), facts('homes')]);
  expect(homes).toMatchObject({
    last_user_id: 4_294_967_295,
    synced_from: '2024-05-01T10:00:00.000Z',
    synced_to: '2024-05-01T10:00:01.000Z',
    pending: 1,
    received_total: 7,
    sent_total: 2,
    oldest_pending_age: 62,
    unknown_locations: 0,
    parked: 2,
    unproven: 1,
    held: 3,
    held_by_class: { removals: 3, credentials: 0 },
  });
  expect(cars).toMatchObject({ pending: 1, parked: 1, held: 0, synced_from: null });
  expect(await status.personNeeded(['homes', 'cars'])).toEqual({ parked: 3, held: 3, unproven: 1 });
  expect(await status.personNeeded(['cars'])).toEqual({ parked: 1, held: 0, unproven: 0 });
  expect(await status.personNeeded([])).toEqual({ parked: 0, held: 0, unproven: 0 });
});
