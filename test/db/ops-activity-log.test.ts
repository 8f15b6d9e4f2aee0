import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import type { Pool } from '../../src/db/pool.ts';
import { inTransaction } from '../../src/db/transaction.ts';
import { SyncError } from '../../src/model/errors.ts';
import type { LogEntry } from '../../src/model/log-entry.ts';
import { makeActivityLog, type ActivityLog, type LogFilter } from '../../src/store/activity-log.ts';
import { expireLogsOnce } from '../../src/store/log-retention.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { poolOn } from '../support/pool.ts';
import { OWN } from '../support/own-tables.ts';

const START_MS = Date.UTC(2024, 4, 1, 10);
let database: TestDatabase;
let pool: Pool;
let nowMs = START_MS;
let log: ActivityLog;
const clock = { nowMs: () => nowMs };
const lease = { fence: async () => undefined };

beforeAll(async () => {
  database = await createDatabase();
  pool = poolOn(database);
  await migrate(pool.db, 'oc_');
  log = makeActivityLog({ db: pool.db, clock });
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

beforeEach(async () => {
  nowMs = START_MS;
  await database.query(`TRUNCATE TABLE ${OWN.log}`);
});

const entry = (changes: Partial<LogEntry> = {}): LogEntry => ({
  type: 'PROCESS',
  peer: 'homes',
  key: null,
  ip: null,
  status: 'OK',
  response: 'stored',
  content: {},
  trace: 'trace-1234',
  ...changes,
});
const keep = (maxRows: number) => () => ({ retentionMs: 1_000_000, maxRows });
const append = async (...entries: LogEntry[]): Promise<void> => log.append(pool.db, entries);
const responses = async (filter: LogFilter): Promise<string[]> =>
  (await log.query(filter)).logs.map(({ response }) => response);

test('a record comes back as it was written, with id and time', async () => {
  nowMs = START_MS + 123;
  const content = { uid: 'x', note: 'José 😀 "q" \\ 100%', list: [1, null] };
  await append(
    entry({ type: 'FEED', key: 'a1b2c3d4', ip: '2001:db8::1', status: '403', response: 'nein 😀', content }),
  );
  expect(await log.query({})).toEqual({
    logs: [
      {
        id: 1,
        type: 'FEED',
        peer: 'homes',
        key: 'a1b2c3d4',
        ip: '2001:db8::1',
        date: '2024-05-01T10:00:00.123Z',
        status: '403',
        response: 'nein 😀',
        content,
        trace: 'trace-1234',
      },
    ],
    next: null,
  });
});

test('records written in a transaction that is rolled back are not there', async () => {
  const work = inTransaction(pool.db, async (trx) => {
    await log.append(trx, [entry()]);
    throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  expect((await log.query({})).logs).toEqual([]);
});

test('nothing and very much can be written at once', async () => {
  await append();
  await append(...Array.from({ length: 2_500 }, (_, n) => entry({ response: `n${n}` })));
  const [row] = await database.query<{ n: string }>(`SELECT COUNT(*) AS n FROM ${OWN.log}`);
  expect(Number(row?.n)).toBe(2_500);
});

test('texts that are too long are cut, and still can be read', async () => {
  const response = `${'x'.repeat(998)}😀😀😀`;
  await append(
    entry({ response, content: { code: 'CONFLICT', big: 'y'.repeat(70_000), deep: { a: 'z'.repeat(70_000) } } }),
  );
  const [record] = (await log.query({})).logs;
  expect(record?.response).toBe(`${'x'.repeat(998)}…`);
  expect(record?.content).toMatchObject({ code: 'CONFLICT', truncated: true });
});

test('pages go from the newest to the oldest and end with null', async () => {
  await append(...[1, 2, 3, 4, 5].map((n) => entry({ response: `n${n}` })));
  const first = await log.query({ limit: 2 });
  expect([first.logs.map(({ response }) => response), first.next]).toEqual([['n5', 'n4'], 4]);
  const second = await log.query({ limit: 2, before: first.next ?? 0 });
  expect([second.logs.map(({ response }) => response), second.next]).toEqual([['n3', 'n2'], 2]);
  const third = await log.query({ limit: 2, before: second.next ?? 0 });
  expect([third.logs.map(({ response }) => response), third.next]).toEqual([['n1'], null]);
  expect((await log.query({ limit: 5 })).next).toBeNull();
});

test('following the log reads what is new, oldest first', async () => {
  await append(...[1, 2, 3, 4].map((n) => entry({ response: `n${n}` })));
  const page = await log.query({ after: 1, limit: 2 });
  expect([page.logs.map(({ response }) => response), page.next]).toEqual([['n2', 'n3'], 3]);
  expect(await responses({ after: 3 })).toEqual(['n4']);
  expect(await log.query({ after: 4 })).toEqual({ logs: [], next: null });
});

test('type, peer, status and time each narrow what is found', async () => {
  await append(entry({ response: 'a', type: 'FEED', peer: null, status: '403' }));
  nowMs += 1_000;
  await append(entry({ response: 'b', type: 'STREAM', peer: 'cars', status: '200' }));
  nowMs += 1_000;
  await append(entry({ response: 'c', status: 'ERR' }), entry({ response: 'd', status: 'OK' }));
  expect(await responses({ type: 'FEED' })).toEqual(['a']);
  expect(await responses({ peer: 'cars' })).toEqual(['b']);
  expect(await responses({ status: '200' })).toEqual(['b']);
  expect(await responses({ status: 'ERR' })).toEqual(['c']);
  expect(await responses({ status: 'OK', peer: 'homes', type: 'PROCESS' })).toEqual(['d']);
  expect(await responses({ fromMs: START_MS + 1_000, toMs: START_MS + 1_000 })).toEqual(['b']);
  expect(await responses({ toMs: START_MS + 999 })).toEqual(['a']);
  expect(await responses({ peer: "x' OR 1=1 -- " })).toEqual([]);
});

test('search looks into response and content, whatever the case, and takes signs as they are', async () => {
  await append(
    entry({ response: 'Ärger mit 100%' }),
    entry({ response: 'b', content: { email: 'J***@e***.com', path: 'c:\\x "y"' } }),
    entry({ response: 'under_score | pipe' }),
  );
  expect(await responses({ search: 'ÄRGER' })).toEqual(['Ärger mit 100%']);
  expect(await responses({ search: 'j***@E***' })).toEqual(['b']);
  expect(await responses({ search: 'c:\\x "Y"' })).toEqual(['b']);
  expect(await responses({ search: '100%' })).toEqual(['Ärger mit 100%']);
  expect(await responses({ search: '%' })).toEqual(['Ärger mit 100%']);
  expect(await responses({ search: '_' })).toEqual(['under_score | pipe']);
  expect(await responses({ search: '|' })).toEqual(['under_score | pipe']);
  expect(await responses({ search: "'" })).toEqual([]);
});

test('a search finds rare records among very many, page by page, in both directions', async () => {
  const ids = [1, 19_999, 20_000, 20_001, 60_000];
  for (const id of ids) {
    await database.query(
      `INSERT INTO ${OWN.log} (id, type, date, status, response, content, trace) VALUES (?, 'PROCESS', NOW(3), 'OK', ?, '{}', 't')`,
      [id, `rare ${id}`],
    );
  }
  await append(entry({ response: 'other' }));
  const found: number[] = [];
  for (let before: number | null | undefined; before !== null;) {
    const page = await log.query({ search: 'RARE', limit: 2, ...(before === undefined ? {} : { before }) });
    found.push(...page.logs.map(({ id }) => id));
    before = page.next;
  }
  expect(found).toEqual(ids.toReversed());
  expect((await log.query({ search: 'rare', after: 1, limit: 3 })).logs.map(({ id }) => id)).toEqual([
    19_999, 20_000, 20_001,
  ]);
  await database.query(`TRUNCATE TABLE ${OWN.log}`);
  expect(await log.query({ search: 'rare' })).toEqual({ logs: [], next: null });
});

test('records go when they are too old, and the oldest go when there are too many', async () => {
  const limits = { retentionMs: 10_000, maxRows: 3 };
  const deps = { db: pool.db, clock, lease, limits: () => limits };
  await append(entry({ response: 'a' }));
  nowMs += 10_000;
  await append(...['b', 'c', 'd'].map((response) => entry({ response })));
  expect(await expireLogsOnce(deps)).toEqual({ done: 1, full: false });
  await append(entry({ response: 'e' }));
  expect(await expireLogsOnce(deps)).toEqual({ done: 1, full: false });
  expect(await responses({})).toEqual(['e', 'd', 'c']);
  expect(await expireLogsOnce(deps)).toEqual({ done: 0, full: false });
  nowMs += 10_001;
  expect(await expireLogsOnce(deps)).toEqual({ done: 3, full: false });
  expect(await expireLogsOnce(deps)).toEqual({ done: 0, full: false });
});

test('gaps between the ids do not count as records', async () => {
  await append(entry({ response: 'a' }));
  await database.query(`ALTER TABLE ${OWN.log} AUTO_INCREMENT = 1000`);
  await append(entry({ response: 'b' }));
  expect(await expireLogsOnce({ db: pool.db, clock, lease, limits: keep(2) })).toEqual({ done: 0, full: false });
  await append(entry({ response: 'c' }));
  expect(await expireLogsOnce({ db: pool.db, clock, lease, limits: keep(2) })).toEqual({ done: 1, full: false });
  expect(await responses({})).toEqual(['c', 'b']);
});

test('very many old records go in several passes', async () => {
  for (let n = 0; n < 12; n += 1) await append(...Array.from({ length: 1_000 }, () => entry()));
  const deps = { db: pool.db, clock, lease, limits: keep(100) };
  expect(await expireLogsOnce(deps)).toEqual({ done: 10_000, full: true });
  expect(await expireLogsOnce(deps)).toEqual({ done: 1_900, full: false });
});

test('who lost the work deletes nothing any more, however many records there were when it counted', async () => {
  await append(...Array.from({ length: 5 }, () => entry()));
  const lost = { fence: () => Promise.reject(new SyncError('LEASE_LOST')) };
  const deps = { db: pool.db, clock, lease: lost, limits: keep(2) };
  await expect(expireLogsOnce(deps)).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect((await log.query({})).logs).toHaveLength(5);
});
