/** A peer makes 2,000 accounts in one call. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTarget, recordOf, stream, type Target } from '../../support/hostile-peer.ts';

const PASSES = 500;
let target: Target;
beforeAll(async () => {
  target = await makeTarget(60, ['evil']);
}, 60_000);
afterAll(() => target.world.close());

const invented = Array.from({ length: 2000 }, (_, n) => `invented${n}@evil.example`);
const recordsOf = (emails: readonly string[], active: '0' | '1') =>
  emails.map((email) =>
    recordOf('evil', email, {
      s_email: { s_email: email },
      s_name: { s_name: 'Invented' },
      status: { b_enabled: '1', b_active: active },
    }),
  );

test('500 of 2,000 are made; of the others nothing is here, and they wait for a person', async () => {
  const { cars, count, held } = target;
  const { status, results } = await stream(cars, 'evil', recordsOf(invented, '0'));
  expect(status).toBe(200);
  expect(results.filter(({ code }) => code === 'GUARD_HELD')).toHaveLength(invented.length - PASSES);
  expect(await count('s_name', 'Invented')).toBe(PASSES);
  expect(await held('evil')).toMatchObject({ creations: invented.length - PASSES, revivals: 0 });
  const [{ n } = {}] = await cars.db.query("SELECT COUNT(*) AS n FROM oc_account_sync_outbox WHERE peer <> 'evil'");
  expect(Number(n)).toBe(0);
});

test('that those who were made are activated soon after is part of it, and of nobody else', async () => {
  const { cars, emails, count, held } = target;
  await cars.db.query('UPDATE oc_t_user SET b_active = 0 WHERE s_email IN (?)', [emails]);
  await (await cars.open()).site.drain();
  await stream(cars, 'evil', recordsOf(invented.slice(0, PASSES), '1'));
  expect(await count('b_active', '1')).toBe(PASSES);
  expect((await held('evil')).revivals).toBe(0);
  await stream(
    cars,
    'evil',
    emails.map((email) => recordOf('evil', email, { status: { b_enabled: '1', b_active: '1' } })),
  );
  // A tenth of those who were there before.
  const usual = 6;
  expect(await count('b_active', '1')).toBe(PASSES + usual);
  expect((await held('evil')).revivals).toBe(emails.length - usual);
});
