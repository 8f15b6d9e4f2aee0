/**
 * Impersonation: B with what it knows of A, at C. Its key, a plugin's key, a name in the body: none of it makes B another peer, or
 * opens another door.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicHalf } from '../../../src/model/signing-key.ts';
import { eventually } from '../../support/eventually.ts';
import { sendCall, signCall } from '../../support/signed.ts';
import { keyOf, makeWorld, signingKeyOf, type World, type WorldSite } from '../../support/world.ts';

let world: World;
let cars: WorldSite;

beforeAll(async () => {
  // At cars, homes signs; jobs is of an older version; boats runs the PHP plugin.
  world = await makeWorld(['cars', 'homes', 'jobs', 'boats'], {
    idle: true,
    siteExtra: { homes: `signing_key: ${signingKeyOf('homes')}` },
    peerExtra: {
      'cars.homes': `    public_key: ${publicHalf(signingKeyOf('homes'))}`,
      'cars.boats': '    protocol: plugin',
    },
  });
  cars = world.site('cars');
  await cars.start();
  await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
}, 90_000);
afterAll(async () => world.close());

async function call(by: string, method: string, path: string, body?: object) {
  const answer = await fetch(new URL(path.slice(1), cars.url), {
    method,
    headers: {
      authorization: `Bearer ${keyOf(by)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as { code?: string; users?: unknown[] } };
}

const ROUTES = [
  ['GET', '/v1/hello'],
  ['GET', '/v1/feed'],
  ['POST', '/v1/stream'],
] as const;

describe('somebody who knows the key of another peer', { timeout: 30_000 }, () => {
  it.each(ROUTES)('gets nothing from %s %s once that peer has a public key', async (method, path) => {
    const records = method === 'POST' ? { site: 'homes', records: [] } : undefined;
    expect(await call('homes', method, path, records)).toMatchObject({
      status: 403,
      body: { code: 'API_KEY_INVALID' },
    });
  });

  it.each(ROUTES)('gets nothing from %s %s with the key of a peer that runs the plugin', async (method, path) => {
    const records = method === 'POST' ? { site: 'boats', records: [] } : undefined;
    expect(await call('boats', method, path, records)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });

  it.each(['homes', 'jobs'])(
    'gets nothing at the door of the plugin with the key of %s, a native peer',
    async (name) => {
      const form = new URLSearchParams({
        ascSync: '1',
        ascApiKey: keyOf(name),
        ascAction: 'userFeedRequest',
        ascLastUserId: '0',
      });
      const answer = await fetch(cars.url, { method: 'POST', body: form });
      expect(answer.status).toBe(403);
      expect(await answer.text()).not.toContain('ana@');
    },
  );

  it('cannot sign as that peer with a key of its own, nor as itself where it is not known to sign', async () => {
    for (const from of ['homes', 'jobs', 'boats', 'cars']) {
      const signed = signCall({ from, to: 'cars', key: signingKeyOf('jobs'), target: '/v1/feed' });
      expect(await sendCall(cars.url, signed)).toMatchObject({ status: 401, body: { code: 'SIGNATURE_INVALID' } });
    }
  });
});

describe('a peer that calls itself another', { timeout: 30_000 }, () => {
  const removal = {
    kind: 'removal',
    uids: ['6c0cd4a5-9c6b-5a34-8a6b-3f8a5a3f7b11'],
    emailHash: null,
    stamp: '1-1-1-homes',
  };

  it.each(['homes', 'cars', 'nobody'])('has no record taken in the name of %s', async (site) => {
    const answer = await call('jobs', 'POST', '/v1/stream', { site, records: [removal] });
    expect(answer).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    const body = JSON.stringify({ site: site === 'homes' ? 'jobs' : site, records: [removal] });
    const signed = signCall({ from: 'homes', to: 'cars', key: signingKeyOf('homes'), target: '/v1/stream', body });
    expect(await sendCall(cars.url, signed)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });

  it('gains nothing by stamps in the name of the receiver: who brought a value is in the log, and a later edit here wins', async () => {
    const page = await eventually(async () => {
      const fed = await call('jobs', 'GET', '/v1/feed');
      expect(fed.body.users).toHaveLength(1);
      return fed;
    });
    const [ana] = page.body.users as { uids: string[]; email: string; registers: Record<string, { values: object }> }[];
    const forged = { ...ana, registers: { s_name: { stamp: `${Date.now()}-1-0-cars`, values: { s_name: 'Forged' } } } };
    const { body } = await call('jobs', 'POST', '/v1/stream', { site: 'jobs', records: [forged] });
    expect(body).toMatchObject({ results: [{ result: 'applied' }] });
    const { body: log } = await cars.admin('GET', '/v1/logs?type=PROCESS&limit=1');
    expect(log.logs?.[0]).toMatchObject({ peer: 'jobs' });
    await cars.host.write("UPDATE {user} SET s_name = 'Ana again' WHERE s_email = 'ana@example.com'");
    await eventually(async () => {
      const { body: now } = await call('jobs', 'GET', '/v1/feed');
      expect(JSON.stringify(now.users)).toContain('Ana again');
    });
    const far = {
      ...ana,
      registers: { s_name: { stamp: `${Date.now() + 120_000}-1-0-cars`, values: { s_name: 'Far' } } },
    };
    const later = await call('jobs', 'POST', '/v1/stream', { site: 'jobs', records: [far] });
    expect(later.body).toMatchObject({ results: [{ result: 'retry', code: 'CLOCK_SKEW' }] });
  });
});
