/** Four peers in one hand, each within its own limits. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HASH, makeTarget, recordOf, removalOf, stream, type Target } from '../../support/hostile-peer.ts';

const PEERS = ['evil', 'worse', 'third', 'fourth'];
let target: Target;
beforeAll(async () => {
  target = await makeTarget(100, PEERS);
}, 60_000);
afterAll(() => target.world.close());

test('all of them at once get no further than two alone', async () => {
  const { cars, emails, count } = target;
  const calls = PEERS.map((peer, n) => {
    const some = emails.slice(n * 15, n * 15 + 15);
    return stream(
      cars,
      peer,
      some.map((email) => recordOf(peer, email, { password: { s_password: HASH } })),
    );
  });
  expect((await Promise.all(calls)).every(({ status }) => status === 200)).toBe(true);
  // A tenth of 100 users each.
  expect(await count('s_password', HASH)).toBe(20);
});

test('one record that names many accounts removes none of them for one', async () => {
  const { cars, emails } = target;
  const many = emails.slice(60, 90);
  const { results } = await stream(cars, 'evil', [removalOf('evil', ...many)]);
  expect(results).toMatchObject([{ result: 'parked', code: 'GUARD_HELD' }]);
  expect(await cars.db.query('SELECT 1 FROM oc_t_user WHERE s_email IN (?)', [many])).toHaveLength(many.length);
});
