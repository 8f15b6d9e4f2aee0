/** A call whose records are all of one account, among others: nobody else's row is locked until the last of them is through. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeTarget, recordOf, stream, type Target } from '../../support/hostile-peer.ts';

const TIMES = 100;

let target: Target;
beforeAll(async () => {
  target = await makeTarget(30, ['evil']);
}, 90_000);
afterAll(() => target.world.close());

it('is carried out one by one, in order', { timeout: 60_000 }, async () => {
  const email = 'one@evil.example';
  const at = Date.now();
  const one = recordOf('evil', email, { s_email: { s_email: email }, s_name: { s_name: 'first' } });
  const [other = ''] = target.emails;
  const named = (n: number, values: object): typeof one => ({
    ...one,
    registers: { s_name: { stamp: `${at + 2_000}-${n}-100-evil`, values: values as Record<string, string> } },
  });
  const copies = Array.from({ length: TIMES }, (_, n) => named(n + 1, { s_name: `name ${n}` }));
  const { results } = await stream(target.cars, 'evil', [
    one,
    recordOf('evil', other, { s_name: { s_name: 'Other' } }),
    ...copies,
  ]);
  expect(results.map(({ result }) => result)).toEqual(Array.from({ length: TIMES + 2 }, () => 'applied'));
  expect(await target.cars.host.user(email)).toMatchObject({ s_name: `name ${TIMES - 1}` });
  // A transaction each, seen by the records that it leaves: those of one carry the same moment.
  const rows = await target.cars.db.query<{ n: string }>(
    `SELECT COUNT(DISTINCT date) AS n FROM oc_account_sync_log WHERE type = 'PROCESS' AND content LIKE '%s_name%'`,
  );
  expect(Number(rows[0]?.n)).toBeGreaterThan(10);
});
