import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { httpStatusOf, judgeHealth, type HealthFacts } from '../../src/admin/health.ts';
import { Health } from '../../src/model/response-schemas.ts';

const NOW = 1_700_000_000_000;
const well: HealthFacts = {
  nowMs: NOW,
  database: { ok: true },
  triggers: 'ok',
  queue: { depth: 0, oldestAgeS: null },
  peersFailingSinceMs: [null, null],
  parked: 0,
  unproven: 0,
  held: 0,
  vanished: 0,
  isElsewhere: false,
  hostProblems: [],
  queueFails: null,
  configRefused: false,
  clockSkewMs: 5,
};
const judge = (changes: Partial<HealthFacts>) => judgeHealth({ ...well, ...changes });

test('a daemon without complaint is ok', () => {
  const health = judge({});
  expect([health.status, httpStatusOf(health)]).toEqual(['ok', 200]);
  expect(Object.values(health.checks).map(({ status }) => status)).toEqual(Array(9).fill('ok'));
  expect(Compile(Health).Check(health)).toBe(true);
});

test.each([
  ['something parked', { parked: 1 }, 'queue'],
  ['accounts that vanished', { vanished: 5 }, 'users'],
  ['something held', { held: 2 }, 'queue'],
  ['markers that nobody processes', { queue: { depth: 3, oldestAgeS: 300 } }, 'queue'],
  ['a queue that is full', { queueFails: 'DB_ERROR' }, 'queue'],
  ['a peer away for 5 minutes', { peersFailingSinceMs: [null, NOW - 300_000] }, 'peers'],
  ['a refused config', { configRefused: true }, 'config'],
  ['triggers being repaired', { triggers: 'mending' }, 'triggers'],
  ['triggers that cannot be made', { triggers: 'missing' }, 'triggers'],
  ['a clock that is ahead', { clockSkewMs: 30_000 }, 'clock'],
  ['a clock that is behind', { clockSkewMs: -90_000 }, 'clock'],
] as const)('%s degrades', (_what, changes, check) => {
  const health = judge(changes);
  expect([health.status, httpStatusOf(health)]).toEqual(['degraded', 200]);
  const degraded = Object.entries(health.checks).filter(([, { status }]) => status !== 'ok');
  expect(degraded.map(([name]) => name)).toEqual([check]);
});

test('a queue that cannot be written is told with its reason', () => {
  expect(judge({ queueFails: 'DB_ERROR' }).checks.queue.message).toMatch(/full, or its disk is/);
  expect(judge({ queueFails: 'DB_MISSING_RIGHT' }).checks.queue.message).toMatch(/lacks rights/);
});

test('a short absence of a peer, a busy queue and an unknown clock are ok', () => {
  const changes = {
    peersFailingSinceMs: [NOW - 299_999],
    queue: { depth: 5_000, oldestAgeS: 12 },
    clockSkewMs: null,
  };
  expect(judge(changes).status).toBe('ok');
});

test('without a database it is down, and what cannot be known is said to be unknown', () => {
  const health = judge({ database: { ok: false, code: 'DB_UNAVAILABLE' } });
  expect([health.status, httpStatusOf(health)]).toEqual(['down', 503]);
  expect(health.checks.database).toEqual({ status: 'down', message: 'DB_UNAVAILABLE' });
  expect(health.checks.triggers.message).toMatch(/not known/);
});
