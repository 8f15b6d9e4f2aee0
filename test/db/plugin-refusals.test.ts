/** Calls in the plugin's protocol that must do nothing at all, but be refused in its form and leave a log record. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeForm } from '../../src/plugin/wire.ts';
import { LOOSE_KEYS, ROW, WRONG_FORMS } from '../support/bad-input/plugin-calls.ts';
import { KEY_A, KEY_B } from '../support/captures.ts';
import { makePluginSite, type PluginSite } from '../support/plugin-site.ts';

const HOST_TABLES = ['oc_t_user', 'oc_t_user_description', 'oc_account_sync_outbox', 'oc_account_sync_seen'];

let site: PluginSite;

beforeAll(async () => {
  site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
  const ana = await site.host.person.register({ email: 'ana@example.com', name: 'Ana' });
  await site.host.person.clickValidationLink(ana);
  await site.open.site.drain();
  await site.db.query('DELETE FROM oc_account_sync_outbox');
});
afterAll(() => site.close());

interface Answer {
  readonly http: number;
  readonly type: string | null;
  readonly body: { status: string; message: string; data: unknown };
}

async function send(body: string, { method = 'POST', query = '' } = {}): Promise<Answer> {
  const response = await fetch(`${site.daemon.url}${query}`, {
    method,
    ...(method === 'GET' ? {} : { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  });
  const told = (await response.json()) as Answer['body'];
  return { http: response.status, type: response.headers.get('content-type'), body: told };
}

const snapshot = async (): Promise<string> => {
  const rows = await Promise.all(HOST_TABLES.map((table) => site.db.query(`SELECT * FROM ${table}`)));
  return JSON.stringify(rows);
};

const logCount = async (): Promise<number> =>
  Number((await site.db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_log'))[0]?.n);

interface Refusal {
  readonly http: number;
  readonly message: string;
  /** Type, status, names and kind of data as the plugin has them. */
  readonly inForm: boolean;
  readonly changed: boolean;
  readonly logged: number;
}

/** What a call did that should have done nothing. */
async function refusalOf(call: () => Promise<Answer>): Promise<Refusal> {
  const [before, logs] = [await snapshot(), await logCount()];
  const { http, type, body } = await call();
  const form = [type, body.status, Object.keys(body).join(' '), Array.isArray(body.data)].join(', ');
  return {
    http,
    message: body.message,
    inForm: form === 'text/html; charset=UTF-8, ERR, status message data, true',
    changed: (await snapshot()) !== before,
    logged: (await logCount()) - logs,
  };
}

const nothingDone = { inForm: true, changed: false, logged: 1 };

const removal = (key: string): string =>
  encodeForm([
    ['ascSync', '1'],
    ['ascApiKey', key],
    ['ascAction', 'userStreamPostRemoval'],
    ['ascData', 'ana@example.com'],
  ]);
const asA = `ascSync=1&ascApiKey=${KEY_A}`;

describe('a key that is equal only loosely', () => {
  test.each(LOOSE_KEYS)('%s', async (_what, key) => {
    expect(await refusalOf(() => send(removal(key)))).toMatchObject({ http: 403, ...nothingDone });
  });

  test('numbers that are equal are other keys', async () => {
    const numeric = await makePluginSite({ ourKey: KEY_B, peerKey: '"12345678901234567890"' });
    for (const key of [
      '12345678901234567890.0',
      '1.2345678901234567890e19',
      '+12345678901234567890',
      ' 12345678901234567890',
    ]) {
      const response = await fetch(numeric.daemon.url, {
        method: 'POST',
        body: removal(key),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect([key, response.status]).toEqual([key, 403]);
    }
    await numeric.close();
  });

  test.each([
    ['none', ''],
    ['an empty one', '&ascApiKey='],
    ['a blank one', '&ascApiKey=+%20'],
    ['a list of keys', `&ascApiKey%5B%5D=${KEY_A}`],
    ['a map of keys', `&ascApiKey%5Bx%5D=${KEY_A}`],
  ])('%s', async (_what, field) => {
    const refusal = await refusalOf(() => send(`ascSync=1${field}&ascAction=userStreamPost&${ROW}`));
    expect(refusal).toEqual({ http: 401, message: 'API Key is missing', ...nothingDone });
  });
});

describe('data of the wrong form', () => {
  test.each(WRONG_FORMS)('%s', async (_what, fields) => {
    expect(await refusalOf(() => send(`${asA}&${fields}`))).toMatchObject({ http: 400, ...nothingDone });
  });

  test('a name that every object has is only a column that is not there', async () => {
    const answer = await send(
      `${asA}&ascAction=userStreamPost&${ROW}&ascData%5B__proto__%5D=x&ascData%5Bconstructor%5D=y`,
    );
    expect(answer.http).toBe(200);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

test('a body beyond the limit is refused in the same form', async () => {
  const answer = await send(`${asA}&ascAction=userStreamPost&ascData%5Bs_name%5D=${'x'.repeat(17 * 1024 * 1024)}`);
  expect(answer).toMatchObject({ http: 413, body: { status: 'ERR', data: [] } });
});

test('without ascSync nothing of this protocol is there, and nobody is counted as refused', async () => {
  for (let n = 0; n < 30; n += 1) expect((await send('', { method: 'GET' })).http).toBe(404);
  expect((await send(`ascApiKey=${KEY_A}&ascAction=userStreamPost&${ROW}`)).http).toBe(404);
});

test('what stands in the address counts for nothing, and a GET does nothing', async () => {
  const removed = `?${removal(KEY_A)}`;
  expect((await send('', { method: 'GET', query: removed })).http).toBe(404);
  expect((await send('ascSync=1', { query: removed })).http).toBe(401);
  const query = '?ascLastUserId=99999';
  const answer = await send(`${asA}&ascAction=userFeedRequest&ascLastUserId=0`, { query });
  expect(answer.body.data).toHaveLength(1);
});

test('keys of administrators and of other peers open nothing here', async () => {
  const refusal = await refusalOf(() => send(removal('ours-token-0123456789-abcdef')));
  expect(refusal).toMatchObject({ http: 403, ...nothingDone });
});

describe('the direction of a peer', () => {
  test.each([
    ['receive: false', 'userStreamPost', ROW, 403],
    ['receive: false', 'userStreamPostRemoval', 'ascData=ana%40example.com', 403],
    ['receive: false', 'userFeedRequest', 'ascLastUserId=0', 200],
    ['send: false', 'userFeedRequest', 'ascLastUserId=0', 403],
    ['send: false', 'userStreamPostRemoval', 'ascData=ana%40example.com', 200],
  ])('%s: %s', async (setting, action, fields, http) => {
    const one = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A, peerExtra: `    ${setting}` });
    const response = await fetch(one.daemon.url, {
      method: 'POST',
      body: `${asA}&ascAction=${action}&${fields}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([response.status, ((await response.json()) as Answer['body']).data]).toEqual([http, expect.any(Array)]);
    await one.close();
  });
});
