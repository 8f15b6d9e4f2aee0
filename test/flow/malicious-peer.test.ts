/**
 * A peer whose key is right and whose content is hostile. It may change what its `columns` allow, of users that it knows;
 * whatever goes beyond that is refused or waits for a person, and costs bounded memory and time.
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { UserRecord, WireRecord } from '../../src/model/record.ts';
import { uidOfEmail, type Uid } from '../../src/model/uid.ts';
import { scanAll } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { bornOf } from '../support/hostile-peer.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;

/** `evil` has a key for everything, `narrow` one for names and telephone numbers. */
let world: World;
let cars: WorldSite;
let people = 0;
beforeAll(async () => {
  world = await makeWorld(['cars', 'evil', 'narrow'], {
    manual: true,
    idle: true,
    peerExtra: { 'cars.narrow': '    columns: [s_name, s_phone_mobile]' },
  });
  cars = world.site('cars');
  await cars.start();
  await scanAll({ ...world, sites: [cars] });
}, 60_000);
afterAll(() => world.close());
beforeEach(async () => {
  await cars.db.query('DELETE FROM oc_account_sync_guard');
  await cars.db.query('DELETE FROM oc_account_sync_parked');
  await cars.db.query('DELETE FROM oc_account_sync_outbox');
});

interface Said {
  readonly status: number;
  readonly results: { result: string; code?: string; message?: string }[];
}

const post = async (peer: string, body: string | Uint8Array<ArrayBuffer>, encoding?: string): Promise<Said> => {
  const response = await fetch(new URL('v1/stream', cars.url), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${keyOf(peer)}`,
      'content-type': 'application/json',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    },
    body,
  });
  const answer = (await response.json()) as { results?: Said['results'] };
  return { status: response.status, results: answer.results ?? [] };
};

const stream = (peer: string, records: readonly unknown[]): Promise<Said> =>
  post(peer, JSON.stringify({ site: peer, records }));

const stampOf = (ms = Date.now(), site = 'evil'): string => `${ms}-1-100-${site}`;

const recordOf = (
  email: string,
  { uids, ms, registers = {} }: { uids?: Uid[]; ms?: number; registers?: Record<string, Record<string, unknown>> } = {},
): UserRecord => ({
  kind: 'user',
  uids: uids ?? [uidOfEmail(email)],
  email,
  born: ms === undefined ? bornOf('evil', email) : stampOf(ms),
  // Of a native peer that is believed.
  proof: { site: 'evil', at: Date.now() },
  registers: Object.fromEntries(
    Object.entries({ s_email: { s_email: email }, ...registers }).map(([register, values]) => [
      register,
      { stamp: stampOf(ms), values },
    ]),
  ) as UserRecord['registers'],
});

/** Both sites have the account, and its address was proved on both. */
const meet = async (emails: readonly string[]): Promise<void> => {
  const { results } = await stream(
    'evil',
    emails.map((email) => recordOf(email)),
  );
  expect(results.map(({ result }) => result)).toEqual(emails.map(() => 'unchanged'));
};

const removalOf = (uids: Uid[], ms?: number): WireRecord => ({
  kind: 'removal',
  uids,
  emailHash: null,
  stamp: stampOf(ms),
});

/** Users of cars, known to nobody else; the addresses. */
const victims = async (count: number): Promise<string[]> => {
  const emails = Array.from({ length: count }, () => `victim${++people}@example.com`);
  for (const email of emails) {
    await cars.host.person.register({ email, name: 'Victim', phoneMobile: email, validation: false });
  }
  await (await cars.open()).site.drain();
  await cars.db.query('DELETE FROM oc_account_sync_outbox');
  return emails;
};

const rowsOf = (emails: readonly string[]): Promise<Record<string, unknown>[]> =>
  cars.db.query('SELECT * FROM oc_t_user WHERE s_email IN (?) ORDER BY pk_i_id', [emails]);
const parkedCodes = async (): Promise<string[]> =>
  (await cars.db.query<{ code: string }>('SELECT DISTINCT code FROM oc_account_sync_parked ORDER BY code')).map(
    ({ code }) => code,
  );
const health = async (): Promise<unknown> => (await cars.admin('GET', '/health')).body['status'];

describe('accounts', () => {
  it('are not removed beyond the guard, and somebody is told', async () => {
    const emails = await victims(40);
    const { results } = await stream(
      'evil',
      emails.map((email) => removalOf([uidOfEmail(email)])),
    );
    expect(results.filter(({ code }) => code === 'GUARD_HELD')).toHaveLength(20);
    expect(await rowsOf(emails)).toHaveLength(20);
    await eventually(async () => expect(await health()).toBe('degraded'));
  });

  it('are not removed beyond the guard by requests that come at once either', async () => {
    const emails = await victims(60);
    const requests = Array.from({ length: 10 }, (_, n) => emails.slice(6 * n, 6 * n + 6));
    const answers = await Promise.all(
      requests.map((some) =>
        stream(
          'evil',
          some.map((email) => removalOf([uidOfEmail(email)])),
        ),
      ),
    );
    expect(answers.flatMap(({ results }) => results).filter(({ result }) => result === 'applied')).toHaveLength(20);
    expect(await rowsOf(emails)).toHaveLength(40);
  });

  it('are not removed beyond the guard by records that say they were somebody else who is removed', async () => {
    const emails = await victims(40);
    const baitFor = (email: string): Uid => uidOfEmail(`bait.${email}`);
    await meet(emails);
    await stream(
      'evil',
      emails.map((email) => removalOf([baitFor(email)])),
    );
    const { results } = await stream(
      'evil',
      emails.map((email) => recordOf(email, { uids: [baitFor(email), uidOfEmail(email)] })),
    );
    expect(results.filter(({ code }) => code === 'GUARD_HELD')).toHaveLength(20);
    expect(await rowsOf(emails)).toHaveLength(20);
    expect(await parkedCodes()).toEqual(['GUARD_HELD']);
  });

  it.each([
    { b_enabled: '0', b_active: '1' },
    { b_enabled: '1', b_active: '0' },
  ])('are not disabled beyond the guard by %o', async (status) => {
    const emails = await victims(40);
    await stream(
      'evil',
      emails.map((email) => recordOf(email, { registers: { status } })),
    );
    expect((await rowsOf(emails)).filter((row) => row['b_enabled'] === 1 && row['b_active'] === 1)).toHaveLength(20);
    expect(await parkedCodes()).toEqual(['GUARD_HELD']);
  });

  it('do not lose their address to one that is moved onto it', async () => {
    const emails = await victims(2);
    const [ana = '', bob = ''] = emails;
    await meet([ana]);
    const before = await rowsOf(emails);
    const moved = { ...recordOf(bob, { uids: [uidOfEmail(ana)] }), born: bornOf('evil', ana) };
    const { results } = await stream('evil', [moved]);
    expect(results).toMatchObject([{ result: 'parked', code: 'EMAIL_TAKEN' }]);
    expect(await rowsOf(emails)).toEqual(before);
  });

  it('stay two when a record says they are one, and take from each other only what the peer may change', async () => {
    const emails = await victims(2);
    const [ana = '', bob = ''] = emails;
    await cars.host.person.changePassword(ana);
    await cars.host.person.editProfile(ana, { website: 'https://ana.example', phoneMobile: '+1' });
    await (await cars.open()).site.drain();
    const before = await rowsOf(emails);
    await stream('narrow', [recordOf(bob, { uids: [uidOfEmail(bob), uidOfEmail(ana)] })]);
    const after = await rowsOf(emails);
    const mayChange = { s_name: expect.anything(), s_phone_mobile: expect.anything() };
    expect(after).toEqual(before.map((row) => ({ ...row, ...mayChange })));
  });

  it('keep what the peer may not change', async () => {
    const emails = await victims(1);
    const [before] = await rowsOf(emails);
    await stream('narrow', [
      recordOf(emails[0] as string, {
        ms: Date.now() + 50_000,
        registers: {
          s_name: { s_name: 'Changed', s_website: 'smuggled', i_items: '7' },
          password: { s_password: 'stolen' },
          status: { b_enabled: '0', b_active: '0' },
          address: { s_city: 'Elsewhere', fk_i_city_id: '1' },
          s_secret: { s_secret: 'known' },
          s_pass_code: { s_pass_code: 'reset' },
          pk_i_id: { pk_i_id: '1' },
          dt_access_date: { dt_access_date: '2000-01-01 00:00:00' },
        },
      }),
    ]);
    expect(await rowsOf(emails)).toEqual([{ ...before, s_name: 'Changed' }]);
  });
});

describe('what comes', () => {
  it('from the future is refused, of the living and of the removed', async () => {
    const emails = await victims(1);
    const [email = ''] = emails;
    const before = await rowsOf(emails);
    const ms = Date.now() + HOUR_MS;
    const { results } = await stream('evil', [
      recordOf(email, { ms, registers: { s_name: { s_name: 'Tomorrow' } } }),
      removalOf([uidOfEmail(email)], ms),
      removalOf([uidOfEmail('nobody@example.com')], ms),
    ]);
    expect(results.map(({ result, code }) => `${result} ${code}`)).toEqual(Array(3).fill('retry CLOCK_SKEW'));
    expect(await rowsOf(emails)).toEqual(before);
    const tombstones = await cars.db.query('SELECT 1 FROM oc_account_sync_tombstone WHERE uid = UNHEX(?)', [
      uidOfEmail('nobody@example.com').replaceAll('-', ''),
    ]);
    expect(tombstones).toEqual([]);
  });

  it('in five hundred languages nobody has is not stored, nor told five hundred times', async () => {
    const emails = await victims(50);
    const languages = Object.fromEntries(
      Array.from({ length: 500 }, (_, n) => [`user_description:l${n}`, { s_info: 'x' }]),
    );
    const [before] = await cars.db.query<{ last: number }>(
      'SELECT COALESCE(MAX(id), 0) AS last FROM oc_account_sync_log',
    );
    const { status } = await stream(
      'evil',
      emails.map((email) => recordOf(email, { registers: languages })),
    );
    expect(status).toBe(200);
    const [sizes] = await cars.db.query<{ most: number }>(
      'SELECT MAX(LENGTH(content)) AS most FROM oc_account_sync_log WHERE id > ?',
      [before?.last],
    );
    expect(Number(sizes?.most)).toBeLessThan(20_000);
    const tooMany = Object.fromEntries(
      Array.from({ length: 600 }, (_, n) => [`user_description:l${n}`, { s_info: 'x' }]),
    );
    expect((await stream('evil', [recordOf(emails[0] as string, { registers: tooMany })])).status).toBe(422);
  });

  it('as the largest value a request can hold waits, and holds up no other', async () => {
    const emails = await victims(2);
    const [first = '', second = ''] = emails;
    const large = 'x'.repeat(15 * MIB);
    const { status, results } = await stream('evil', [
      recordOf(first, { registers: { 'user_description:en_US': { s_info: large } } }),
      recordOf(second, { registers: { s_name: { s_name: 'Through' } } }),
    ]);
    expect({ status, results: results.map(({ result }) => result) }).toEqual({
      status: 200,
      results: ['parked', 'applied'],
    });
    expect((await rowsOf([second]))[0]?.['s_name']).toBe('Through');
  });

  it('packed to hold a hundred times more is refused without being unpacked', async () => {
    const before = process.memoryUsage().rss;
    const bomb = gzipSync(Buffer.alloc(100 * MIB, 0x20), { level: 9 });
    for (let n = 0; n < 5; n++) expect((await post('evil', new Uint8Array(bomb), 'gzip')).status).toBe(413);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * MIB);
  });

  it.each([
    ['a million brackets', '['.repeat(1_000_000)],
    ['a million brackets that are closed', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    ['a million records in a record', `{"site":"evil","records":${'{"kind":'.repeat(500_000)}1${'}'.repeat(500_000)}}`],
    ['a million records', `{"site":"evil","records":[${'{},'.repeat(1_000_000)}{}]}`],
    [
      'a million keys',
      `{"site":"evil","records":[{${Array.from({ length: 1_000_000 }, (_, n) => `"${n}":1`).join()}}]}`,
    ],
    ['a name that is a prototype', '{"site":"evil","__proto__":{"records":[]},"records":7}'],
  ])('as %s is refused, and the next request answered', async (_what, body) => {
    expect([400, 413, 422]).toContain((await post('evil', body)).status);
    expect(await stream('evil', [])).toMatchObject({ status: 200 });
  });

  it('byte by byte holds up nobody else', async () => {
    const { hostname, port } = new URL(cars.url);
    const sockets = Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      const head = `POST /v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keyOf('evil')}\r\n`;
      socket.write(`${head}content-type: application/json\r\ncontent-length: 1000000\r\n\r\n{`);
      return socket;
    });
    try {
      const [email = ''] = await victims(1);
      const { results } = await stream('narrow', [recordOf(email, { registers: { s_name: { s_name: 'Meanwhile' } } })]);
      expect(results).toMatchObject([{ result: 'applied' }]);
      // It has as many calls under way as it may.
      expect((await stream('evil', [])).status).toBe(429);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  it('again and again makes nothing new', async () => {
    const [email = ''] = await victims(1);
    await meet([email]);
    await cars.db.query('DELETE FROM oc_account_sync_outbox');
    const record = recordOf(email, { registers: { s_name: { s_name: 'n'.repeat(5000) } } });
    for (let n = 0; n < 5; n++) await stream('evil', Array(20).fill(record));
    const [{ parked } = {}] = await cars.db.query('SELECT COUNT(*) AS parked FROM oc_account_sync_parked');
    const [{ waiting } = {}] = await cars.db.query('SELECT COUNT(*) AS waiting FROM oc_account_sync_outbox');
    expect({ parked: Number(parked), waiting: Number(waiting) }).toEqual({ parked: 1, waiting: 0 });
  });
});
