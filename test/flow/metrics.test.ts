/** Every metric by name and meaning: something is made to happen, and the figures say exactly that. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gaugesOf, gaugesOfHealth } from '../../src/daemon/gauges.ts';
import { METRICS } from '../../src/metrics/metric-names.ts';
import { makeMetrics, type Sample } from '../../src/metrics/metrics.ts';
import { VERSION } from '../../src/version.ts';
import { healthOf, noDatabase } from '../../src/admin/gather-health.ts';
import { deliverAll, drainAll, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { readScrape, type Scrape } from '../support/prometheus.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

/** The clock of cars stands so far ahead of that of everybody else. */
const AHEAD_MS = 20_000;
const STREAMED = { type: 'user', result: 'applied' } as const;

let world: World;
let cars: WorldSite;
let homes: WorldSite;
const told = new Set<string>();

beforeAll(async () => {
  const extra = { homes: 'guard: { removals: 1, percent: 1 }' };
  world = await makeWorld(['cars', 'homes'], { idle: true, manual: true, extra });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await cars.start({ clock: { nowMs: () => Date.now() + AHEAD_MS } });
  await homes.start();
  await scanAll(world);
});
afterAll(() => world.close());

/** What a site tells now. Names that are looked up count as asserted. */
async function scrape(site: WorldSite): Promise<Scrape> {
  const answer = await fetch(new URL('metrics', site.url), { headers: { authorization: `Bearer ${site.adminToken}` } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return noting(readScrape(await answer.text()));
}

function noting(read: Scrape): Scrape {
  const note = (name: string): string => {
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    told.add(Object.hasOwn(METRICS, name) ? name : base);
    return name;
  };
  return {
    ...read,
    value: (name, labels) => read.value(note(name), labels),
    sum: (name, labels) => read.sum(note(name), labels),
  };
}

const rendered = async (samples: readonly Sample[]): Promise<Scrape> =>
  noting(readScrape(await makeMetrics().render(samples)));

const register = (site: WorldSite, name: string): Promise<number> =>
  site.host.person.register({ email: `${name}@example.com`, name, validation: false });

test('a change waits in the queue, then in the outbox, then is confirmed', async () => {
  await register(cars, 'ana');
  await register(cars, 'bob');
  const [row] = await cars.db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_queue');
  const markers = Number(row?.n);
  let seen = await scrape(cars);
  expect(markers).toBeGreaterThan(1);
  expect(seen.value('account_sync_queue_markers')).toBe(markers);
  expect(seen.value('account_sync_queue_oldest_age_seconds')).toBeGreaterThanOrEqual(AHEAD_MS / 1000);
  expect(seen.value('account_sync_markers_drained_total')).toBe(0);
  expect(seen.value('account_sync_outbox_entries', { peer: 'homes' })).toBe(0);
  expect(seen.value('account_sync_outbox_oldest_age_seconds', { peer: 'homes' })).toBe(0);

  await drainAll(cars);
  seen = await scrape(cars);
  expect(seen.value('account_sync_queue_markers')).toBe(0);
  expect(seen.value('account_sync_queue_oldest_age_seconds')).toBe(0);
  expect(seen.value('account_sync_markers_drained_total')).toBe(markers);
  expect(seen.value('account_sync_users_changed_total')).toBe(2);
  expect(seen.value('account_sync_outbox_entries', { peer: 'homes' })).toBe(2);
  expect(seen.value('account_sync_outbox_oldest_age_seconds', { peer: 'homes' })).toBeGreaterThanOrEqual(0);
  expect(seen.value('account_sync_records_sent_total', { peer: 'homes', ...STREAMED })).toBeUndefined();

  await deliverAll(cars);
  seen = await scrape(cars);
  expect(seen.value('account_sync_outbox_entries', { peer: 'homes' })).toBe(0);
  expect(seen.value('account_sync_records_sent_total', { peer: 'homes', ...STREAMED })).toBe(2);
  expect(seen.value('account_sync_lag_seconds_count', { peer: 'homes' })).toBe(2);
  expect(seen.value('account_sync_lag_seconds_sum', { peer: 'homes' })).toBeGreaterThanOrEqual(0);
  expect(seen.value('account_sync_lag_seconds_bucket', { peer: 'homes', le: '86400' })).toBe(2);
});

test('the other end counts what it merged, how long that took, and every request', async () => {
  const seen = await scrape(homes);
  const labels = { peer: 'cars', via: 'stream', ...STREAMED };
  expect(seen.value('account_sync_records_received_total', labels)).toBe(2);
  expect(seen.value('account_sync_apply_duration_seconds_count', { via: 'stream' })).toBe(1);
  expect(seen.value('account_sync_apply_duration_seconds_sum', { via: 'stream' })).toBeGreaterThanOrEqual(0);
  const requests = 'account_sync_http_request_duration_seconds_count';
  expect(seen.value(requests, { method: 'POST', route: '/v1/stream', status: '200' })).toBe(1);

  await fetch(new URL('no/such/route', homes.url));
  await fetch(new URL('v1/peers/anybody', homes.url));
  await eventually(async () => {
    const after = await scrape(homes);
    expect(after.value(requests, { method: 'any', route: 'unknown', status: '404' })).toBe(1);
    expect(after.value(requests, { method: 'GET', route: '/v1/peers/:name', status: '401' })).toBe(1);
  });
});

test('both sites change one register: one conflict, told by the site that found it', async () => {
  await cars.host.person.editProfile('ana@example.com', { phoneMobile: '1' });
  await homes.host.person.editProfile('ana@example.com', { phoneMobile: '2' });
  await settleByHand(world);
  const [one, other] = [await scrape(cars), await scrape(homes)];
  const all = one.sum('account_sync_conflicts_total') + other.sum('account_sync_conflicts_total');
  expect(all).toBeGreaterThan(0);
  const codes = { code: 'CONFLICT' };
  expect(one.sum('account_sync_codes_total', codes) + other.sum('account_sync_codes_total', codes)).toBeGreaterThan(0);
});

test('a place that the other site does not know', async () => {
  await cars.host.person.editProfile('bob@example.com', { country: 'Nowhere', city: 'Atlantis' });
  await settleByHand(world);
  const seen = await scrape(homes);
  expect(seen.value('account_sync_unknown_locations', { peer: 'cars' })).toBeGreaterThan(0);
  expect(seen.value('account_sync_codes_total', { peer: 'cars', code: 'LOCATION_UNKNOWN' })).toBe(1);
});

test('a record that waits for a person, however often it is tried, is one', async () => {
  await homes.host.person.register({ email: 'taken@example.com', name: 'Other', validation: false });
  await drainAll(homes);
  await cars.host.person.changeEmail('bob@example.com', 'taken@example.com');
  await drainAll(cars);
  await deliverAll(cars);
  await homes.db.query("UPDATE oc_account_sync_parked SET tried_at = '1970-01-01'");
  await (await siteOf(homes)).retryParked();
  const seen = await scrape(homes);
  expect(seen.value('account_sync_parked', { peer: 'cars' })).toBe(1);
  expect(seen.sum('account_sync_held', { peer: 'cars' })).toBe(0);
  expect(seen.value('account_sync_unproven', { peer: 'cars' })).toBe(0);
  expect(seen.value('account_sync_codes_total', { peer: 'cars', code: 'EMAIL_TAKEN' })).toBe(1);
  const parked = { peer: 'cars', type: 'user', result: 'parked' };
  expect(seen.value('account_sync_records_received_total', { ...parked, via: 'stream' })).toBe(1);
  expect(seen.value('account_sync_records_received_total', { ...parked, via: 'parked' })).toBe(1);
  expect(seen.value('account_sync_health', { check: 'queue' })).toBe(1);
  expect(seen.value('account_sync_health', { check: 'database' })).toBe(0);
  expect(seen.value('account_sync_health', { check: 'all' })).toBe(1);
  await homes.host.person.changeEmail('taken@example.com', 'free@example.com');
  await settleByHand(world);
  expect((await scrape(homes)).value('account_sync_parked', { peer: 'cars' })).toBe(0);
});

test('removals that the guard holds', async () => {
  for (const name of ['u1', 'u2', 'u3', 'u4']) await register(cars, name);
  await settleByHand(world);
  for (const name of ['u1', 'u2', 'u3', 'u4']) await cars.host.person.deleteAccount(`${name}@example.com`);
  await settleByHand(world);
  const [sender, receiver] = [await scrape(cars), await scrape(homes)];
  expect(receiver.value('account_sync_held', { peer: 'cars', class: 'removals' })).toBe(3);
  expect(sender.sum('account_sync_records_sent_total', { peer: 'homes', type: 'removal' })).toBe(4);
  const removals = { peer: 'cars', type: 'removal', via: 'stream' };
  expect(receiver.value('account_sync_records_received_total', { ...removals, result: 'applied' })).toBe(1);
  expect(receiver.value('account_sync_records_received_total', { ...removals, result: 'parked' })).toBe(3);
});

test('a feed', async () => {
  const users = (await cars.host.users()).users.size;
  const [row] = await cars.db.query<{ id: string }>('SELECT MAX(pk_i_id) AS id FROM oc_t_user');
  expect((await scrape(homes)).value('account_sync_feed_users', { peer: 'cars' })).toBe(0);
  await homes.admin('POST', 'v1/peers/cars/feed', { restart: true });
  await eventually(async () => {
    const seen = await scrape(homes);
    expect(seen.value('account_sync_feed_running', { peer: 'cars' })).toBe(0);
    expect(seen.value('account_sync_feed_users', { peer: 'cars' })).toBe(users);
    expect(seen.value('account_sync_feed_remaining_users', { peer: 'cars' })).toBe(0);
    expect(seen.value('account_sync_feed_last_user_id', { peer: 'cars' })).toBe(Number(row?.id));
    expect(seen.value('account_sync_apply_duration_seconds_count', { via: 'feed' })).toBe(1);
  });
  const { site, loops } = await homes.open();
  const under = { peer: 'cars', running: true, total: 10, remaining: 4 };
  const feeds = { progress: () => ({ ...under, message: null, retrieved: 6, last_user_id: 6, error: null }) };
  const clock = { nowMs: () => Date.now() };
  const seen = await rendered(await gaugesOf(site, loops, feeds, clock, await healthOf(site, loops.state, clock)));
  expect(seen.value('account_sync_feed_running', { peer: 'cars' })).toBe(1);
  expect(seen.value('account_sync_feed_remaining_users', { peer: 'cars' })).toBe(4);
});

test('clocks: ours minus theirs', async () => {
  await (await siteOf(homes)).helloCache.hello('cars');
  await (await siteOf(cars)).helloCache.hello('homes');
  const [ahead, behind] = [await scrape(cars), await scrape(homes)];
  expect(ahead.value('account_sync_peer_clock_skew_seconds', { peer: 'homes' })).toBeCloseTo(20, -1);
  expect(behind.value('account_sync_peer_clock_skew_seconds', { peer: 'cars' })).toBeCloseTo(-20, -1);
  expect(ahead.value('account_sync_database_clock_skew_seconds')).toBeCloseTo(20, -1);
  expect(behind.value('account_sync_database_clock_skew_seconds')).toBeCloseTo(0, -1);
});

test('a peer that is away, and one that is back', async () => {
  await homes.stop();
  await cars.host.person.editProfile('ana@example.com', { phoneMobile: '3' });
  await drainAll(cars);
  await expect(deliverAll(cars)).rejects.toThrow('cannot be reached');
  await cars.db.query('UPDATE oc_account_sync_peer SET failing_since = failing_since - INTERVAL 1 HOUR');
  const seen = await scrape(cars);
  expect(seen.value('account_sync_peer_failing_seconds', { peer: 'homes' })).toBeGreaterThanOrEqual(3600);
  expect(seen.value('account_sync_health', { check: 'peers' })).toBe(1);
  expect(seen.value('account_sync_outbox_entries', { peer: 'homes' })).toBe(1);
  await homes.start();
  await settleByHand(world);
  expect((await scrape(cars)).value('account_sync_peer_failing_seconds', { peer: 'homes' })).toBe(0);
});

test('triggers and accounts, as the work last saw them', async () => {
  expect((await scrape(cars)).value('account_sync_triggers', { state: 'ok' })).toBe(1);
  const { site, loops } = await cars.open();
  const clock = { nowMs: () => Date.now() };
  const ill = { ...loops, state: { ...loops.state, triggers: 'missing' as const, vanished: 7 } };
  const feeds = { progress: (peer: string) => ({ ...quiet, peer }) };
  const seen = await rendered(await gaugesOf(site, ill, feeds, clock, await healthOf(site, ill.state, clock)));
  expect(seen.value('account_sync_triggers', { state: 'ok' })).toBe(0);
  expect(seen.value('account_sync_triggers', { state: 'mending' })).toBe(0);
  expect(seen.value('account_sync_triggers', { state: 'missing' })).toBe(1);
  expect(seen.value('account_sync_triggers', { state: 'unused' })).toBe(0);
  expect(seen.value('account_sync_vanished_accounts')).toBe(7);
  expect(seen.value('account_sync_health', { check: 'triggers' })).toBe(1);
});

const quiet = { running: false, message: null, retrieved: 0, remaining: 0, total: 0, last_user_id: 0, error: null };

test('the connections of the pool', async () => {
  const { site } = await cars.open();
  const limit = 6;
  let release = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = 0;
  const busy = Array.from({ length: limit }, () =>
    site.db.connection().execute(async () => {
      begun += 1;
      await until;
    }),
  );
  await eventually(() => expect(begun).toBe(limit));
  const late = sql`SELECT 1`.execute(site.db);
  const { inUse, waiting } = site.connections.use();
  release();
  await Promise.all([...busy, late]);
  expect([inUse, waiting]).toEqual([limit, 1]);

  const seen = await scrape(cars);
  expect(seen.value('account_sync_pool_limit')).toBe(limit);
  expect(seen.value('account_sync_pool_connections')).toBe(0);
  expect(seen.value('account_sync_pool_waiting')).toBe(0);
});

test('without its database a daemon tells that, and nothing of before', async () => {
  const seen = await rendered(gaugesOfHealth('cars', noDatabase(undefined, Date.now())));
  expect(seen.value('account_sync_health', { check: 'database' })).toBe(2);
  expect(seen.value('account_sync_health', { check: 'all' })).toBe(2);
  expect(seen.value('account_sync_build_info', { site: 'cars', version: VERSION })).toBe(1);
  expect(seen.value('account_sync_queue_markers')).toBeUndefined();
  expect(seen.samples.filter(({ name }) => name === 'account_sync_triggers')).toEqual([]);
});

test('the process tells its memory, time and event loop, where it is asked to', async () => {
  const { samples } = readScrape(await makeMetrics({ ofProcess: true }).render([]));
  const names = new Set(samples.map(({ name }) => name));
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds'])
    expect(names).toContain(name);
  expect((await scrape(cars)).value('process_cpu_seconds_total')).toBeUndefined();
});

test('what is told holds no key, token or address, has type and help, and every metric was asserted here', async () => {
  const seen = await scrape(homes);
  const text = JSON.stringify(seen.samples);
  expect(text).not.toMatch(/@|token|api_?key/i);
  told.delete('process_cpu_seconds_total');
  expect([...told].toSorted()).toEqual(Object.keys(METRICS).toSorted());
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    expect([name, seen.types.get(name), seen.help.get(name)]).toEqual([name, type, help]);
    expect(name.endsWith('_total')).toBe(type === 'counter');
  }
});
