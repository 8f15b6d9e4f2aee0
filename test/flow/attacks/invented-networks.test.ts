/** A stranger says in X-Forwarded-For to be somebody else each time, to have tries without end and to fill the log. */
import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expireLogsOnce } from '../../../src/store/log-retention.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const CALLS = 1_500;
let world: World;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes', 'jobs'], {
    manual: true,
    // The calls of this test come from 127.0.0.1, which one site believes and the others do not.
    httpExtra: { cars: 'trust_proxy: [127.0.0.1]', homes: 'trust_proxy: [127.0.0.2, 10.0.0.0/8]' },
  });
}, 120_000);
afterAll(() => world.close());

async function flood(site: WorldSite, addressOf: (n: number) => string): Promise<Map<number | undefined, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const statuses = new Map<number | undefined, number>();
  let n = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (n < CALLS) {
        n += 1;
        const headers = { 'x-forwarded-for': addressOf(n), authorization: `Bearer a-guess-of-twenty-${n}` };
        const request = ask(new URL('v1/hello', site.url), { agent, headers });
        request.end();
        const [answer] = (await once(request, 'response')) as [IncomingMessage];
        answer.resume();
        await once(answer, 'end');
        statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
      }
    }),
  );
  agent.destroy();
  return statuses;
}

const invented = (n: number): string => `2001:db8:${(n >> 8).toString(16)}:${(n & 255).toString(16)}::1`;
const rows = async ({ db }: WorldSite, where = 'TRUE'): Promise<number> =>
  Number((await db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM oc_account_sync_log WHERE ${where}`))[0]?.n);

test('whom nobody was told to believe has twenty tries, whatever it says', async () => {
  for (const name of ['homes', 'jobs']) {
    const site = world.site(name);
    const statuses = await flood(site, invented);
    expect([name, statuses.get(403), statuses.get(429)]).toEqual([name, 20, CALLS - 20]);
    expect(await rows(site, `peer IS NULL AND ip <> '127.0.0.1'`)).toBe(0);
  }
});

test('behind a proxy that passes on what it was told, the log stays small, and keeps everything else', async () => {
  const cars = world.site('cars');
  const { site } = await cars.open();
  const entry = { type: 'FEED', key: null, ip: null, content: {}, trace: 'trace-of-others' } as const;
  await site.activity.append(site.db, [
    { ...entry, peer: 'homes', status: '200', response: 'Received 1 user' },
    { ...entry, peer: null, status: 'OK', response: 'Dropped by a person' },
  ]);
  await flood(cars, invented);
  const failures = await rows(cars, `peer IS NULL AND status IN ('401', '403', '429')`);
  expect(failures).toBeGreaterThan(0);
  expect(failures).toBeLessThanOrEqual(1_000);

  const expire = async (maxRows: number) =>
    expireLogsOnce({
      db: site.db,
      clock: systemClock,
      lease: { fence: async () => undefined },
      limits: () => ({ retentionMs: 86_400_000, maxRows }),
    });
  await expire(10);
  expect(await rows(cars, `trace = 'trace-of-others'`)).toBe(2);
  expect(await rows(cars)).toBeLessThanOrEqual(20);
});
