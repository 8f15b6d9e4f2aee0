/** What strangers and broken peers send to a running daemon: refused in words, logged, and nothing else suffers. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UserRecord } from '../../src/model/record.ts';
import { uidOfEmail } from '../../src/model/uid.ts';
import { makeKeyDigest } from '../../src/peer/key-digest.ts';
import { scanAll } from '../support/by-hand.ts';
import { keyOf, makeWorld, tokenOf, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { manual: true, httpExtra: { cars: 'max_body: 64KiB' } });
  cars = world.site('cars');
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());

interface Said {
  readonly status: number;
  readonly body: { code?: string; message?: string; results?: { result: string; code?: string; message?: string }[] };
}

const call = async (
  path: string,
  {
    key,
    body,
    headers = {},
  }: { key?: string; body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string> } = {},
): Promise<Said> => {
  const response = await fetch(new URL(path, cars.url), {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Said['body'] };
};

const stream = (records: readonly unknown[], headers: Record<string, string> = {}): Promise<Said> =>
  call('v1/stream', { key: keyOf('homes'), body: JSON.stringify({ site: 'homes', records }), headers });

const stampOf = (ms = Date.now(), site = 'homes'): string => `${ms}-1-100-${site}`;

const recordOf = (email: string, values: Record<string, Record<string, unknown>> = {}, ms?: number): UserRecord => {
  const registers = { s_email: { s_email: email }, s_name: { s_name: 'Ana' }, ...values };
  return {
    kind: 'user',
    uids: [uidOfEmail(email)],
    email,
    born: stampOf(ms),
    registers: Object.fromEntries(
      Object.entries(registers).map(([register, of]) => [register, { stamp: stampOf(ms), values: of }]),
    ) as UserRecord['registers'],
  };
};

describe('a call with a key that is nobody', () => {
  it.each([
    ['v1/hello', 'STREAM'],
    ['v1/feed', 'STREAM'],
  ])('to %s is refused, and logged with the address and the digest of the key', async (path, type) => {
    const key = `nobody-key-${path}-0123456789`;
    expect(await call(path)).toMatchObject({ status: 401, body: { message: 'API Key is missing' } });
    expect(await call(path, { key })).toMatchObject({
      status: 403,
      body: { status: 'ERR', code: 'API_KEY_INVALID', message: 'API Key is invalid - no account found' },
    });
    const digest = makeKeyDigest(cars.config)(key);
    const { logs } = (await cars.admin('GET', '/v1/logs?status=403')).body;
    expect(logs).toContainEqual(expect.objectContaining({ type, peer: null, key: digest, ip: '127.0.0.1' }));
  });

  it('cannot use the admin token of a site as a peer, nor the key of a peer as an administrator', async () => {
    expect(await call('v1/feed', { key: tokenOf('cars') })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await call('v1/peers', { key: keyOf('homes') })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });
});

describe('a request that is wrong', () => {
  it('gets 422 with the field that is wrong', async () => {
    const bad = recordOf('ana@example.com');
    const answers: [unknown, RegExp][] = [
      [{ ...bad, uids: [] }, /records.*uids/],
      [{ ...bad, uids: ['not-a-uid'] }, /uids/],
      [{ ...bad, born: 'yesterday' }, /born/],
      [{ ...bad, email: '' }, /email/],
      [{ ...bad, registers: { s_name: { stamp: stampOf(), values: { s_name: 7 } } } }, /s_name/],
      [{ ...bad, kind: 'something' }, /kind|records/],
      [{ ...bad, extra: true }, /extra|records/],
    ];
    for (const [record, field] of answers) {
      const { status, body } = await stream([record]);
      expect({ status, code: body.code }).toEqual({ status: 422, code: 'REQUEST_INVALID' });
      expect(body.message).toMatch(field);
    }
    expect(await call('v1/feed?limit=many', { key: keyOf('homes') })).toMatchObject({ status: 422 });
    expect(await call('v1/feed?unknown=1', { key: keyOf('homes') })).toMatchObject({ status: 422 });
  });

  it('gets 413, 415 or 400, and the daemon goes on', async () => {
    const key = keyOf('homes');
    const large = JSON.stringify({ site: 'homes', records: [], padding: 'x'.repeat(70_000) });
    expect(await call('v1/stream', { key, body: large })).toMatchObject({ status: 413 });
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const gzip = { 'content-encoding': 'gzip' };
    expect(await call('v1/stream', { key, body: bomb, headers: gzip })).toMatchObject({ status: 413 });
    expect(await call('v1/stream', { key, body: '{"site":', headers: gzip })).toMatchObject({ status: 400 });
    expect(await call('v1/stream', { key, body: '{"site":' })).toMatchObject({ status: 400 });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await call('v1/stream', { key, body: 'a=b', headers: form })).toMatchObject({ status: 415 });
    expect(await call('v1/hello', { key })).toMatchObject({ status: 200 });
  });
});

describe('a record that cannot be stored', () => {
  const hostile: [string, (email: string) => unknown, string][] = [
    ['an address that is too long', (email) => recordOf(`${'x'.repeat(120)}${email}`), 'parked'],
    ['a name that is too long', (email) => recordOf(email, { s_name: { s_name: 'n'.repeat(5000) } }), 'parked'],
    ['bytes where text belongs', (email) => recordOf(email, { s_name: { s_name: { hex: 'ff00' } } }), 'parked'],
    ['a status that is none', (email) => recordOf(email, { status: { b_enabled: 'yes', b_active: '1' } }), 'parked'],
    ['a date that is none', (email) => recordOf(email, { dt_reg_date: { dt_reg_date: { utc: 'soon' } } }), 'parked'],
    ['NULL where a value must be', (email) => recordOf(email, { s_name: { s_name: null } }), 'parked'],
    ['a time ahead of ours', (email) => recordOf(email, {}, Date.now() + 3_600_000), 'retry'],
  ];
  it.each(hostile)('for %s waits with its reason, and the others of the batch go on', async (what, make, result) => {
    const before = `before-${what.replaceAll(' ', '')}@example.com`;
    const after = `after-${what.replaceAll(' ', '')}@example.com`;
    const bad = make(`bad-${what.replaceAll(' ', '')}@example.com`);
    const { status, body } = await stream([recordOf(before), bad, recordOf(after)]);
    expect(status).toBe(200);
    expect(body.results?.map((one) => one.result)).toEqual(['applied', result, 'applied']);
    expect(body.results?.[1]?.code).toBeTruthy();
    expect(body.results?.[1]?.message).toBeTruthy();
    expect(await cars.host.user(before)).toMatchObject({ s_name: 'Ana' });
    expect(await cars.host.user(after)).toMatchObject({ s_name: 'Ana' });
  });

  it.each([
    ['a register nobody knows', { s_unknown: { s_unknown: 'x' } }],
    ['a column of another register', { s_name: { s_name: 'Ana', s_password: 'stolen' } }],
    ['a column that never travels', { i_items: { i_items: '99' }, pk_i_id: { pk_i_id: '1' } }],
    ['names that mean something to JavaScript', { constructor: { constructor: 'x' }, toString: { toString: 'x' } }],
    ['a language nobody has', { 'user_description:xx_XX': { s_info: 'text' } }],
  ])('%s is not stored, the rest is', async (what, values) => {
    const email = `${what.replaceAll(' ', '')}@example.com`;
    const { status, body } = await stream([recordOf(email, values)]);
    expect(status).toBe(200);
    expect(['applied', 'parked']).toContain(body.results?.[0]?.result);
    const row = await cars.host.user(email);
    expect(row).toMatchObject({ s_name: 'Ana', i_items: 0 });
    expect(row?.['s_password']).not.toBe('stolen');
  });

  it('is parked for a person to see, with address masked', async () => {
    const { body } = await cars.admin('GET', '/v1/parked');
    const parked = body['parked'] as { code: string; message: string; email: string; remedy: string }[];
    expect(parked.length).toBeGreaterThanOrEqual(6);
    for (const entry of parked) {
      expect(entry.message).not.toBe('');
      expect(entry.remedy).not.toBe('');
      expect(entry.email).toContain('***');
    }
  });

  it('of a user that a table of somebody else refers to stays, with the name of the table', async () => {
    await cars.db.query(`CREATE TABLE oc_t_orders (pk_i_id INT PRIMARY KEY, fk_i_user_id INT UNSIGNED NOT NULL,
      FOREIGN KEY (fk_i_user_id) REFERENCES oc_t_user (pk_i_id)) ENGINE=InnoDB`);
    await (await cars.open()).site.refresh();
    const email = 'orders@example.com';
    const other = 'orderless@example.com';
    await stream([recordOf(email), recordOf(other)]);
    const id = await cars.host.idOf(email);
    await cars.host.write('INSERT INTO {orders} VALUES (1, ?)', [id]);
    const removal = (of: string): unknown => ({
      kind: 'removal',
      uids: [uidOfEmail(of)],
      emailHash: null,
      stamp: stampOf(Date.now() + 1000),
    });
    const { body } = await stream([removal(email), removal(other)]);
    expect(body.results).toMatchObject([{ result: 'parked', code: 'FOREIGN_KEY' }, { result: 'applied' }]);
    expect(body.results?.[0]?.message).toContain('oc_t_orders');
    expect(await cars.host.user(email)).toBeDefined();
    expect(await cars.host.user(other)).toBeUndefined();
    await cars.host.write('DELETE FROM {orders}');
    const { body: list } = await cars.admin('GET', '/v1/parked');
    const waits = (list['parked'] as { id: string; code: string }[]).find(({ code }) => code === 'FOREIGN_KEY');
    expect((await cars.admin('POST', `/v1/parked/${waits?.id}/retry`)).body).toMatchObject({ result: 'applied' });
    expect(await cars.host.user(email)).toBeUndefined();
  });
});
