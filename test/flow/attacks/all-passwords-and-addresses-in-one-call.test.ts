/** A peer that was broken into changes password and address of everybody in one call. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { HASH, makeTarget, recordOf, stream, type Target } from '../../support/hostile-peer.ts';

const NONE = { removals: 0, credentials: 0, revivals: 0, creations: 0 };
const USERS = 60;
let target: Target;
beforeAll(async () => {
  target = await makeTarget(USERS, ['evil', 'worse']);
}, 60_000);
afterAll(() => target.world.close());

test('changes 60 of 60: one account has both, all others keep theirs, and every other edit arrives', async () => {
  const { cars, emails, count, held } = target;
  const { status, results } = await stream(
    cars,
    'evil',
    emails.map((email, n) =>
      recordOf('evil', email, {
        s_name: { s_name: 'Edited there' },
        password: { s_password: HASH },
        s_email: { s_email: `stolen${n}@evil.example` },
      }),
    ),
  );
  expect(status).toBe(200);
  expect(results.filter(({ code }) => code === 'GUARD_HELD')).toHaveLength(USERS - 1);
  expect(await count('s_password', HASH)).toBe(1);
  const [{ n: moved } = {}] = await cars.db.query("SELECT COUNT(*) AS n FROM oc_t_user WHERE s_email LIKE 'stolen%'");
  expect(Number(moved)).toBe(1);
  expect(await count('s_name', 'Edited there')).toBe(USERS);
  expect(await held('evil')).toEqual({ ...NONE, credentials: USERS - 1 });
});

test('sends it again, and once more in small calls, and gets no further: what is held stays so, and is counted once', async () => {
  const { cars, emails, count, held } = target;
  const [{ used: before } = {}] = await cars.db.query('SELECT SUM(weight) AS used FROM oc_account_sync_guard');
  for (let at = 1; at < USERS; at += 10) {
    const some = emails.slice(at, at + 10);
    await stream(
      cars,
      'evil',
      some.map((email) => recordOf('evil', email, { password: { s_password: HASH } })),
    );
  }
  // An hour later there would be room, and still nobody said yes.
  await cars.db.query('UPDATE oc_account_sync_guard SET happened_at = happened_at - INTERVAL 2 HOUR');
  await stream(
    cars,
    'evil',
    emails.slice(1).map((email) => recordOf('evil', email, { password: { s_password: HASH } })),
  );
  expect(await count('s_password', HASH)).toBe(1);
  expect((await held('evil')).credentials).toBe(USERS - 1);
  const [{ used } = {}] = await cars.db.query('SELECT SUM(weight) AS used FROM oc_account_sync_guard');
  expect(used).toEqual(before);
});

test('somebody is told: health, the list of peers, metrics and the log', async () => {
  const { cars } = target;
  await eventually(async () => expect((await cars.admin('GET', '/health')).body).toMatchObject({ status: 'degraded' }));
  const response = await fetch(new URL('metrics', cars.url), {
    headers: { authorization: `Bearer ${cars.adminToken}` },
  });
  const metrics = await response.text();
  expect(metrics).toContain(`account_sync_held{peer="evil",class="credentials"} ${USERS - 1}`);
  expect(metrics).toContain('account_sync_held{peer="evil",class="removals"} 0');
  const { logs } = (await cars.admin('GET', '/v1/logs?search=GUARD_HELD&limit=1')).body;
  expect(JSON.stringify(logs)).toContain('--class credentials');
});

test('approve lets through exactly what is held of that class, and says beforehand how much', async () => {
  const { cars, emails, count, held } = target;
  const approve = (body: object) => cars.admin('POST', '/v1/peers/evil/approve', body);
  const mine = emails[7] as string;
  expect((await approve({ class: 'creations' })).body).toMatchObject({ released: 0, by_class: NONE });
  const planned = { released: USERS - 1, by_class: { ...NONE, credentials: USERS - 1 } };
  expect((await approve({ class: 'credentials', dry_run: true })).body).toMatchObject({ ...planned, dry_run: true });
  expect(await count('s_password', HASH)).toBe(1);
  // Another peer did the same: that is not what was approved.
  await stream(cars, 'worse', [recordOf('worse', mine, { status: { b_enabled: '0', b_active: '1' } })]);
  expect((await approve({ class: 'credentials' })).body).toMatchObject({ ...planned, dry_run: false });
  expect(await count('s_password', HASH)).toBe(USERS);
  expect((await held('evil')).credentials).toBe(0);
  const [log] = (await cars.admin('GET', '/v1/logs?search=Approved%20by&limit=1')).body.logs ?? [];
  expect(log).toMatchObject({
    peer: 'evil',
    content: { operation: 'approve', classes: ['credentials'], released: USERS - 1 },
  });
});
