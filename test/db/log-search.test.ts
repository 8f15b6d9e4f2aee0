/** The log with very many records: LOG_ROWS=1000000 for as many as an administrator may have. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { openPool, type Pool } from '../../src/db/pool.ts';
import { toSqlTime } from '../../src/db/time.ts';
import type { LogEntry } from '../../src/model/log-entry.ts';
import { makeActivityLog, type ActivityLog, type LogFilter } from '../../src/store/activity-log.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { databaseConfig } from '../support/pool.ts';
import { OWN } from '../support/own-tables.ts';

const ROWS = Number(process.env['LOG_ROWS'] ?? 100_000);
/** Whatever is asked for and however much there is, a page costs no more than so many rows of tables and indexes. */
const READS = 45_000;
/** Promised are 200 ms at a million records; three times as much is left for machines that have other work. */
const MOST_MS = 600;

const START_MS = Date.UTC(2026, 0, 1);
const PEERS = ['homes', 'jobs', 'boats', 'pets', 'farms', null];
let database: TestDatabase;
let pool: Pool;
let log: ActivityLog;
let nowMs = START_MS;

beforeAll(async () => {
  database = await createDatabase();
  // One connection, so that the counters of the session are those of the query.
  pool = openPool(databaseConfig(database), { connectionLimit: 1 });
  await migrate(pool.db, 'oc_');
  log = makeActivityLog({ db: pool.db, clock: { nowMs: () => nowMs } });
  for (let n = 0; n < ROWS; n += 1000) {
    nowMs = START_MS + n * 5_000;
    await log.append(
      pool.db,
      Array.from({ length: 1000 }, (_, k) => entryOf(n + k)),
    );
  }
}, 300_000);
afterAll(async () => {
  await pool.close();
  await database.drop();
});

function entryOf(n: number): LogEntry {
  const isSent = n % 3 === 1;
  const failed = !isSent && n % 1009 === 0;
  return {
    type: isSent ? 'STREAM' : 'PROCESS',
    peer: PEERS[n % PEERS.length] ?? null,
    key: 'd9dc5f2f',
    ip: '192.0.2.7',
    status: isSent ? (n % 997 === 0 ? '503' : '200') : failed ? 'ERR' : 'OK',
    response: isSent ? 'applied' : 'Account updated',
    content: { operation: 'update', userId: n, email: 'a***@e***.com', ...(failed ? { code: 'EMAIL_TAKEN' } : {}) },
    trace: `trace-${Math.floor(n / 500)}`,
  };
}

const at = (share: number): number => START_MS + ROWS * share * 5_000;
const FILTERS: readonly LogFilter[] = [
  {},
  { type: 'STREAM' },
  { type: 'FEED' },
  { peer: 'homes' },
  { peer: 'nobody' },
  { status: 'ERR' },
  { status: '503' },
  { status: '404' },
  { type: 'STREAM', status: '503' },
  { type: 'STREAM', status: 'OK' },
  { peer: 'jobs', status: 'ERR' },
  { type: 'PROCESS', peer: 'boats' },
  { type: 'PROCESS', peer: 'boats', status: 'ERR' },
  { fromMs: at(0.2) },
  { toMs: at(0.3) },
  { fromMs: at(0.2), toMs: at(0.3) },
  { fromMs: at(2) },
  { toMs: at(-1) },
  { status: 'ERR', toMs: at(0.3) },
  { type: 'STREAM', fromMs: at(0.2), toMs: at(0.3) },
  { peer: 'pets', status: 'ERR', fromMs: at(0.2), toMs: at(0.9) },
  { trace: 'trace-20' },
  { trace: 'trace-20', type: 'STREAM', peer: 'jobs' },
  { trace: 'nobody-had-this' },
];

/** Rows that the server read for what `act` does. */
async function readsOf(act: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const { rows } = await sql<{ Value: string }>`SHOW SESSION STATUS LIKE 'Handler_read%'`.execute(pool.db);
    return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  };
  const before = await count();
  await act();
  return (await count()) - before;
}

const plainly = async (filter: LogFilter, limit: number): Promise<number[]> => {
  const { type, peer, status, trace, fromMs, toMs } = filter;
  const wanted: [string, unknown][] = [
    ['type = ?', type],
    ['peer = ?', peer],
    ['status = ?', status],
    ['trace = ?', trace],
    ['date >= ?', fromMs === undefined ? undefined : toSqlTime(fromMs)],
    ['date <= ?', toMs === undefined ? undefined : toSqlTime(Math.max(0, toMs))],
  ];
  const given = wanted.filter(([, value]) => value !== undefined);
  const where = ['TRUE', ...given.map(([condition]) => condition)].join(' AND ');
  const rows = await database.query<{ id: string }>(
    `SELECT id FROM ${OWN.log} WHERE ${where} ORDER BY date DESC, id DESC LIMIT ?`,
    [...given.map(([, value]) => value), limit],
  );
  return rows.map(({ id }) => Number(id));
};

test.each(FILTERS.map((filter) => [JSON.stringify(filter), filter] as const))(
  '%s gives the right pages, for a bounded number of reads',
  async (_name, filter) => {
    const found: number[] = [];
    let before: number | null = null;
    for (let pages = 0; pages < 3; pages++) {
      const from: LogFilter = before === null ? filter : { ...filter, before };
      const began = performance.now();
      expect(await readsOf(() => log.query({ ...from, limit: 100 }))).toBeLessThan(READS);
      expect(performance.now() - began).toBeLessThan(MOST_MS);
      const page = await log.query({ ...from, limit: 100 });
      found.push(...page.logs.map(({ id }) => id));
      before = page.next;
      if (before === null) break;
    }
    expect(found).toEqual(await plainly(filter, 300));
  },
);

test('a page of a search costs no more either, and says where to go on', async () => {
  for (const filter of [{ search: 'nowhere' }, { search: 'nowhere', peer: 'homes' }, { search: 'nowhere', after: 0 }]) {
    const began = performance.now();
    expect(await readsOf(() => log.query(filter))).toBeLessThan(READS);
    expect(performance.now() - began).toBeLessThan(MOST_MS);
    const { logs, next } = await log.query(filter);
    expect([logs, typeof next]).toEqual([[], ROWS > 20_000 ? 'number' : 'object']);
  }
});

test.each([{}, { type: 'PROCESS' }, { after: 0 }] as const)(
  'a search finds every record in the end: %o',
  async (kind) => {
    const found: number[] = [];
    let next: number | null = null;
    do {
      const from: LogFilter = next === null ? {} : 'after' in kind ? { after: next } : { before: next };
      const page = await log.query({ ...kind, ...from, search: 'email_taken', limit: 7 });
      found.push(...page.logs.map(({ id }) => id));
      next = page.next;
    } while (next !== null);
    const all = await plainly({ status: 'ERR' }, ROWS);
    expect(found).toEqual('after' in kind ? all.toReversed() : all);
  },
  120_000,
);

test('a page goes on where the last one ended although that record is gone meanwhile', async () => {
  const first = await log.query({ type: 'STREAM', limit: 5 });
  const rest = await plainly({ type: 'STREAM' }, 10);
  await database.query(`DELETE FROM ${OWN.log} WHERE id = ?`, [first.next]);
  const second = await log.query({ type: 'STREAM', limit: 5, before: first.next ?? 0 });
  expect(second.logs.map(({ id }) => id)).toEqual(rest.slice(5));
});
