/** Small compressed calls whose records are large and have to be parked: 94 KB each, 87 MB after six. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTarget, recordOf, type Target } from '../../support/hostile-peer.ts';
import { keyOf } from '../../support/world.ts';

const KIB = 1024;
const QUOTA = 2 * KIB * KIB;
let target: Target;
beforeAll(async () => {
  target = await makeTarget(60, ['evil', 'good'], {
    extra: { cars: 'quotas: { parked_size: 2MiB }' },
  });
}, 60_000);
afterAll(() => target.world.close());

const parked = async (): Promise<{ rows: number; bytes: number }> => {
  const [row] = await target.cars.db.query<{ n: string; bytes: string | null }>(
    'SELECT COUNT(*) AS n, SUM(LENGTH(record)) AS bytes FROM oc_account_sync_parked',
  );
  return { rows: Number(row?.n), bytes: Number(row?.bytes ?? 0) };
};

const send = async (peer: string, emails: readonly string[], registers: Parameters<typeof recordOf>[2]) => {
  const records = emails.map((email) => recordOf(peer, email, registers));
  const response = await fetch(new URL('v1/stream', target.cars.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${keyOf(peer)}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    },
    body: new Uint8Array(gzipSync(JSON.stringify({ site: peer, records }))),
  });
  const { code, results } = (await response.json()) as { code?: string; results?: { result: string; code?: string }[] };
  return { status: response.status, retryAfter: Number(response.headers.get('retry-after')), code, results };
};

/** Too long for the column; compresses to nothing. */
const LARGE = { s_name: { s_name: 'x'.repeat(60 * KIB) } };

test('no more than the quota is parked; what is beyond is left with its sender, and then the peer has to wait', async () => {
  const { emails } = target;
  const first = await send('evil', emails, LARGE);
  expect(first.status).toBe(200);
  const left = first.results?.filter(({ result, code }) => result === 'retry' && code === 'QUOTA') ?? [];
  const { rows, bytes } = await parked();
  expect(bytes).toBeLessThanOrEqual(QUOTA);
  expect(rows + left.length).toBe(emails.length);
  expect(left.length).toBeGreaterThan(0);
  for (let call = 0; call < 2; call++) await send('evil', emails, { s_name: { s_name: `${call}`.repeat(50 * KIB) } });
  expect((await parked()).bytes).toBeLessThanOrEqual(QUOTA);
});

test('a peer whose parked records are as many as they may be gets 429 and a time; another peer does not', async () => {
  const { cars, emails, count } = target;
  await cars.db.query("UPDATE oc_account_sync_parked SET bytes = bytes + 1000000 WHERE peer = 'evil'");
  const refused = await send('evil', emails.slice(0, 1), { s_name: { s_name: 'Later' } });
  expect(refused).toMatchObject({ status: 429, code: 'QUOTA' });
  expect(refused.retryAfter).toBeGreaterThan(0);
  expect((await send('good', emails.slice(0, 1), { s_name: { s_name: 'Now' } })).status).toBe(200);
  expect(await count('s_name', 'Now')).toBe(1);
  // A person looks through them.
  await cars.db.query('DELETE FROM oc_account_sync_parked');
  expect((await send('evil', emails.slice(1, 2), { s_name: { s_name: 'Later' } })).status).toBe(200);
  expect(await count('s_name', 'Later')).toBe(1);
});
