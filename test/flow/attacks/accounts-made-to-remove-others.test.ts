/** A peer makes accounts first, so that a share of all users is more, and then removes those who were there before. */
import { afterEach, expect, it } from 'vitest';
import { HASH, makeTarget, recordOf, removalOf, stream, type Target } from '../../support/hostile-peer.ts';

/** A tenth of them may go, or get another password, within an hour. */
const USERS = 60;

let target: Target;
afterEach(() => target.world.close());

async function makeMany(): Promise<void> {
  const emails = Array.from({ length: 500 }, (_, n) => `made${n}@evil.example`);
  const { results } = await stream(
    target.cars,
    'evil',
    emails.map((email) => recordOf('evil', email, { s_email: { s_email: email }, s_name: { s_name: 'X' } })),
  );
  expect(results.filter(({ result }) => result === 'applied')).toHaveLength(500);
}

it('no more are removed than without', { timeout: 90_000 }, async () => {
  target = await makeTarget(USERS, ['evil']);
  await makeMany();
  const { results } = await stream(
    target.cars,
    'evil',
    target.emails.map((email) => removalOf('evil', email)),
  );
  expect(results.filter(({ result }) => result === 'applied')).toHaveLength(USERS / 10);
});

it('no more get another password than without', { timeout: 90_000 }, async () => {
  target = await makeTarget(USERS, ['evil']);
  await makeMany();
  await stream(
    target.cars,
    'evil',
    target.emails.map((email) => recordOf('evil', email, { password: { s_password: HASH } })),
  );
  expect(await target.count('s_password', HASH)).toBe(USERS / 10);
});
