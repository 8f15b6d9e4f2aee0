/**
 * One call in which each account takes the user name, or the address, of the next, and the last one's is taken: whoever keeps his
 * is in the way of the one before, all the way back.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UserRecord } from '../../../src/model/record.ts';
import { makeTarget, recordOf, stream, type Target } from '../../support/hostile-peer.ts';

const LENGTH = 250;
const TAKEN = 9999;

let target: Target;
let made: UserRecord[];
const emailOf = (n: number): string => `${'x'.repeat(60)}${n}@evil.example`;
const nameOf = (n: number): string => `${'é'.repeat(80)}${n}x`;
const accountOf = (n: number): UserRecord =>
  recordOf('evil', emailOf(n), { s_email: { s_email: emailOf(n) }, s_username: { s_username: nameOf(n) } });
const next = (n: number): number => (n === LENGTH - 1 ? TAKEN : n + 1);

beforeAll(async () => {
  target = await makeTarget(30, ['evil']);
  made = Array.from({ length: LENGTH }, (_, n) => accountOf(n));
  for (const records of [made, [accountOf(TAKEN)]]) {
    await stream(target.cars, 'evil', records);
  }
}, 90_000);
afterAll(() => target.world.close());

/** What comes of the chain, and the longest time that nothing else was done. */
async function sent(change: (record: UserRecord, n: number) => Partial<UserRecord>) {
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  const { results } = await stream(
    target.cars,
    'evil',
    made.map((record, n) => ({ ...record, ...change(record, n) })),
  );
  lag.disable();
  return { results, longestMs: lag.max / 1e6 };
}

const stamp = (): string => `${Date.now() + 5}-1-100-evil`;
const valuesHere = async (column: string): Promise<string[]> => {
  const rows = await target.cars.db.query(
    `SELECT ${column} AS value FROM oc_t_user WHERE s_email LIKE '%@evil.example'`,
  );
  return rows.map(({ value }) => String(value)).toSorted();
};

it('of user names: all keep theirs, without a long stop', { timeout: 60_000 }, async () => {
  const before = await valuesHere('s_username');
  expect(before).toHaveLength(LENGTH + 1);
  const { longestMs } = await sent((_record, n) => ({
    registers: { s_username: { stamp: stamp(), values: { s_username: nameOf(next(n)) } } },
  }));
  expect(await valuesHere('s_username')).toEqual(before);
  expect(await target.cars.host.user(emailOf(0))).toMatchObject({ s_username: nameOf(0) });
  expect(longestMs).toBeLessThan(1_000);
});

it('of addresses: all keep theirs, without a long stop', { timeout: 60_000 }, async () => {
  const before = await valuesHere('s_email');
  const { results, longestMs } = await sent((_record, n) => ({
    email: emailOf(next(n)),
    registers: { s_email: { stamp: stamp(), values: { s_email: emailOf(next(n)) } } },
  }));
  expect(results.every(({ result }) => result === 'parked')).toBe(true);
  expect(await valuesHere('s_email')).toEqual(before);
  expect(longestMs).toBeLessThan(1_000);
});

it('of user names that goes round: all get what they ask for', { timeout: 60_000 }, async () => {
  const before = await valuesHere('s_username');
  const round = (n: number): string => nameOf((n + 1) % LENGTH);
  const { results } = await sent((_record, n) => ({
    registers: { s_username: { stamp: stamp(), values: { s_username: round(n) } } },
  }));
  expect(results.map(({ result }) => result)).toEqual(Array.from({ length: LENGTH }, () => 'applied'));
  expect(await valuesHere('s_username')).toEqual(before);
  expect(await target.cars.host.user(emailOf(0))).toMatchObject({ s_username: nameOf(1) });
});
