/**
 * Everything bad at once, against a daemon that is a process of its own: broken rows in its tables from the beginning, and
 * then what strangers, peers and plugins send. It says what is wrong, loses nothing, and stays small.
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request as ask, type IncomingMessage } from 'node:http';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { startProcess, type DaemonProcess } from '../endurance/daemon-process.ts';
import { BAD_ROWS } from '../support/bad-input/host-rows.ts';
import { BAD_REQUESTS } from '../support/bad-input/native-requests.ts';
import { LOOSE_KEYS, ROW, WRONG_FORMS } from '../support/bad-input/plugin-calls.ts';
import { KEY_A } from '../support/captures.ts';
import { eventually } from '../support/eventually.ts';
import { malformedRequest } from '../support/malformed-request.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../support/world.ts';

const MOST_MIB = 256;
const GENERATED = 1_000;
const SEED = Number(process.env['TEST_SEED'] ?? 20261121);
const CONFIGS = new URL('../fixtures/config/broken/', import.meta.url);
const brokenConfigs = readdirSync(CONFIGS).filter((name) => name.endsWith('.yaml'));

let world: World;
let cars: WorldSite;
let daemon: DaemonProcess;
let largestMiB = 0;
let before = '';

const contents = async (): Promise<string> => {
  const users = await cars.db.query('SELECT * FROM oc_t_user ORDER BY pk_i_id');
  const texts = await cars.db.query('SELECT * FROM oc_t_user_description ORDER BY 1, 2');
  return JSON.stringify([users, texts]);
};
const measure = (): void => {
  largestMiB = Math.max(largestMiB, daemon.residentMiB() ?? 0);
};

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true });
  cars = world.site('cars');
  await cars.host.seed.users({ seed: 1, count: 10, firstId: 1, allActive: true });
  const clerk = await cars.host.again();
  await clerk.write('SET SESSION foreign_key_checks = 0');
  for (const [, ...statements] of BAD_ROWS) {
    await clerk.write(`SET SESSION sql_mode = ''`);
    for (const statement of statements) await clerk.write(statement);
  }
  await clerk.close();
  before = await contents();
  const entry = `peers: [{ name: plug, url: "http://127.0.0.1:9/", api_key: ${KEY_A}, protocol: plugin }]`;
  const minimal = `site: { name: a, url: "https://a.example.com/", api_key: ${keyOf('cars')} }
database: { host: a, user: a, password: a, name: a }
${entry}`;
  const { config } = parseConfig(minimal, 'plug.yaml', {}, () => '');
  daemon = startProcess({ ...cars.config, peers: [...cars.config.peers, ...config.peers] });
  await daemon.ready;
  await world.site('homes').start();
}, 120_000);
afterAll(async () => {
  await daemon?.end('SIGTERM');
  await world.close();
});

it('the corpus has at least 150 files and generators', () => {
  const cases = brokenConfigs.length + BAD_REQUESTS.length + LOOSE_KEYS.length + WRONG_FORMS.length + BAD_ROWS.length;
  expect(cases).toBeGreaterThanOrEqual(200);
});

describe('a site whose tables hold what no table should', () => {
  it('tells its peer of every account that can log in and has an address, though some have none', async () => {
    const homes = world.site('homes');
    const { status } = await homes.admin('POST', '/v1/peers/cars/feed', {});
    expect(status).toBe(202);
    const addressesOf = async ({ host }: WorldSite): Promise<string[]> => {
      const rows = await host.select(`SELECT s_email FROM {user} WHERE s_email <> '' AND b_enabled = 1`);
      return rows.map(({ s_email }) => String(s_email).trim().toLowerCase()).toSorted();
    };
    const wanted = [...new Set(await addressesOf(cars))];
    await eventually(async () => expect([...new Set(await addressesOf(homes))]).toEqual(wanted), { timeoutMs: 60_000 });
    measure();
  }, 90_000);

  it('keeps every byte of them', async () => {
    expect(await contents()).toBe(before);
  });

  it('hears of its other edits as ever, and of an account whose address is taken away and given back', async () => {
    const [name, zip] = ['Edited', '28001'];
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 2', [name]);
    await cars.host.write(`UPDATE {user} SET s_email = NULL, s_zip = ? WHERE s_email = 'sha1@example.com'`, [zip]);
    const { email } = (await cars.host.select('SELECT s_email AS email FROM {user} WHERE pk_i_id = 2'))[0] ?? {};
    const homes = world.site('homes').host;
    await eventually(async () => expect((await homes.user(String(email)))?.s_name).toBe(name));
    await cars.host.write(`UPDATE {user} SET s_email = 'sha2@example.com' WHERE s_email IS NULL AND s_zip = ?`, [zip]);
    await eventually(async () => expect((await homes.user('sha2@example.com'))?.s_zip).toBe(zip));
    before = await contents();
  }, 60_000);
});

describe('what peers, plugins and strangers send', () => {
  const key = { authorization: `Bearer ${keyOf('homes')}` };

  it.each(BAD_REQUESTS)('%s is refused in words', async (_what, { path, body, headers, status }) => {
    const response = await fetch(new URL(path, cars.url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...key, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const told = (await response.json()) as { status?: string; code?: string; message?: string };
    expect({ http: response.status, ...told }).toMatchObject({ http: status, status: 'ERR' });
    expect(told.message).toMatch(/\w/);
    measure();
  });

  const plugin = async (fields: string): Promise<number> => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(cars.url, { method: 'POST', headers, body: fields });
    expect(await response.json()).toMatchObject({ status: 'ERR' });
    return response.status;
  };

  it('calls of a plugin are refused in words', async () => {
    for (const [what, fields] of WRONG_FORMS) {
      expect([what, await plugin(`ascSync=1&ascApiKey=${KEY_A}&${fields}`)]).toEqual([what, 400]);
    }
    // Last, for a stranger who is wrong too often has to wait.
    for (const [what, wrong] of LOOSE_KEYS) {
      const fields = new URLSearchParams({ ascSync: '1', ascApiKey: wrong, ascAction: 'userStreamPost' });
      expect([what, await plugin(`${fields.toString()}&${ROW}`)]).toEqual([what, 403]);
    }
    measure();
  });

  it('changes nothing', async () => {
    expect(await contents()).toBe(before);
  });

  it(`and ${GENERATED} generated requests bring no answer of 500`, async () => {
    const feed = await fetch(new URL('v1/feed', cars.url), { headers: key });
    const { users } = (await feed.json()) as { users: object[] };
    const known = { peerKey: keyOf('homes'), adminToken: cars.adminToken, record: users[0] ?? {} };
    const requests = fc.sample(malformedRequest(known), { numRuns: GENERATED, seed: SEED });
    for (const { method, path, headers, body } of requests) {
      if (/approve|retry|feed|DELETE|stream.run/i.test(`${method} ${path}`)) continue;
      const ok = await statusOf(method, path, headers, body);
      expect([method, path, ok]).not.toEqual([method, path, 500]);
    }
    measure();
  }, 120_000);

  it('leaves the daemon well and small', async () => {
    const health = await fetch(new URL('health/live', cars.url));
    expect(health.status).toBe(200);
    expect(daemon.said.filter((line) => line.includes('INTERNAL'))).toEqual([]);
    // Elsewhere the system does not tell how large a process is.
    expect(largestMiB > 0 || process.platform !== 'linux').toBe(true);
    expect(largestMiB).toBeLessThan(MOST_MIB);
  });
});

/** Undefined if the connection was closed in place of an answer. */
async function statusOf(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Promise<number | undefined> {
  try {
    const request = ask(new URL(cars.url), { method, path, headers: { ...headers, 'content-length': body.length } });
    request.end(body);
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode;
  } catch {
    return undefined;
  }
}
