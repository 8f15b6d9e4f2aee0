/** A peer says of accounts what no account has: times that are no dates, and as many registrations as a record may name. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MOST_BIRTHS } from '../../../src/model/births.ts';
import { HELD_MS } from '../../../src/model/proof.ts';
import type { UserRecord } from '../../../src/model/record.ts';
import { MAX_MS } from '../../../src/model/stamp.ts';
import { makeTarget, recordOf, removalOf, stream, type Target } from '../../support/hostile-peer.ts';

let target: Target;
beforeAll(async () => {
  target = await makeTarget(300, ['evil'], { extra: { cars: 'guard: { creations: { number: 100000 } }' } });
}, 60_000);
afterAll(() => target.world.close());

const accountOf = (email: string, name = 'Evil'): UserRecord =>
  recordOf('evil', email, { s_email: { s_email: email }, s_name: { s_name: name } });

it.each([9e15, 1.7e308])('a time that is no date is refused, and no error of the server: %s', async (ms) => {
  const record = accountOf('dated@evil.example');
  const said = [
    await stream(target.cars, 'evil', [{ ...record, heldUntil: ms }]),
    await stream(target.cars, 'evil', [{ ...record, proof: { site: 'evil', at: ms } }]),
    await stream(target.cars, 'evil', [{ ...removalOf('evil', record.email), heldUntil: ms }]),
  ];
  expect(said.map(({ status, code }) => `${status} ${code ?? ''}`)).toEqual(said.map(() => '422 REQUEST_INVALID'));
});

it('what waits until the end of time waits for 30 days', async () => {
  const [moving, other] = [accountOf('moving@evil.example'), accountOf('other@evil.example')];
  await stream(target.cars, 'evil', [moving, other]);
  const stamp = `${Date.now()}-1-100-evil`;
  const moved: UserRecord = {
    ...moving,
    email: 'moved@evil.example',
    heldUntil: MAX_MS,
    registers: { s_email: { stamp, values: { s_email: 'moved@evil.example' } } },
  };
  const renamed: UserRecord = { ...other, registers: { s_name: { stamp, values: { s_name: 'Renamed' } } } };
  const removal = { ...removalOf('evil', other.email), heldUntil: MAX_MS };
  const changes = await stream(target.cars, 'evil', [moved, renamed]);
  const removals = await stream(target.cars, 'evil', [removal]);
  expect([...changes.results, ...removals.results].map(({ result }) => result)).toEqual([
    'parked',
    'applied',
    'parked',
  ]);
  const waiting = await target.cars.db.query<{ message: string }>('SELECT message FROM oc_account_sync_parked');
  const until = waiting.map(({ message }) => Date.parse(/until (\S+)\.$/.exec(message)?.[1] ?? ''));
  expect(until).toHaveLength(2);
  for (const ms of until) expect(ms).toBeLessThanOrEqual(Date.now() + HELD_MS);
});

it('as many registrations as a record may name do not stop the daemon', { timeout: 120_000 }, async () => {
  const birthsAt = (origin: string): string[] =>
    Array.from({ length: MOST_BIRTHS }, (_, i) => `${1_600_000_000_000 + i * 10_000}-0-100-${origin.padEnd(32, 'x')}`);
  const accounts = (origin: string): UserRecord[] =>
    Array.from({ length: 300 }, (_, i): UserRecord => {
      const births = birthsAt(origin);
      const record = accountOf(`birth${i}@evil.example`, `Of ${origin}`);
      return { ...record, born: births[0] as string, births, proof: { site: 'evil', at: 1 } };
    });
  for (const origin of ['a', 'b', 'c']) {
    const under = { way: true };
    const call = stream(target.cars, 'evil', accounts(origin)).finally(() => (under.way = false));
    let lives = 0;
    while (under.way) {
      expect((await fetch(new URL('health/live', target.cars.url))).status).toBe(200);
      if (under.way) lives += 1;
    }
    expect(await call).toMatchObject({ status: 200 });
    // Others get their answers while it works on these.
    expect(lives).toBeGreaterThan(1);
  }
});
