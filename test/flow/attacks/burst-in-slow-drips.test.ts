/** A burst in small calls, and between restarts of the daemon: what counts is the window, not the call. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTarget, recordOf, stream, type Target } from '../../support/hostile-peer.ts';

const PASSES = 6;
let target: Target;
beforeAll(async () => {
  target = await makeTarget(60, ['evil']);
}, 60_000);
afterAll(() => target.world.close());

const later = (minutes: number): Promise<unknown> =>
  target.cars.db.query(`UPDATE oc_account_sync_guard SET happened_at = happened_at - INTERVAL ${minutes} MINUTE`);
const blocked = (): Promise<number> => target.count('b_enabled', '0');
const setStatus = (email: string, enabled: '0' | '1') =>
  stream(target.cars, 'evil', [recordOf('evil', email, { status: { b_enabled: enabled, b_active: '1' } })]);

test('one block every ten minutes: within an hour as many as at once', async () => {
  for (const email of target.emails.slice(0, PASSES)) {
    await setStatus(email, '0');
    await later(10);
  }
  expect(await blocked()).toBe(PASSES);
  // The first is not yet an hour ago.
  await later(-1);
  await setStatus(target.emails[PASSES] as string, '0');
  expect(await blocked()).toBe(PASSES);
});

test('the daemon is started again in between, and remembers', async () => {
  const { cars, emails } = target;
  await cars.stop();
  await cars.start();
  for (const email of emails.slice(PASSES + 1, PASSES + 5)) await setStatus(email, '0');
  expect(await blocked()).toBe(PASSES);
});

test('an hour later those that are new pass again; those that are held still wait for a person', async () => {
  await later(60);
  const { emails } = target;
  for (const email of emails.slice(PASSES, PASSES + 5)) await setStatus(email, '0');
  expect(await blocked()).toBe(PASSES);
  await setStatus(emails[30] as string, '0');
  expect(await blocked()).toBe(PASSES + 1);
});

test('blocks and unblocks of the same accounts are two things, each with its limit', async () => {
  const { emails, held } = target;
  await later(60);
  for (const email of emails.slice(0, PASSES)) await setStatus(email, '1');
  expect(await blocked()).toBe(1);
  for (const email of emails.slice(0, PASSES)) await setStatus(email, '0');
  expect(await blocked()).toBe(1 + PASSES);
  for (const email of emails.slice(0, PASSES)) await setStatus(email, '1');
  expect(await blocked()).toBe(1 + PASSES);
  expect((await held('evil')).revivals).toBe(PASSES);
});
