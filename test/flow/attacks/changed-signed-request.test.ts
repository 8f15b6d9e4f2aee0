/**
 * Whoever sees a signed request on its way, such as a proxy of one of the sites, changes one thing of it: body, digest, method, path,
 * query, receiver, time, nonce, key, coverage. Nothing of that is done, the caller is not told why, and the log is.
 */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { newSigningKey } from '../../../src/model/signing-key.ts';
import { digestOf, sendCall, signCall, type SignedCall, type ToSign } from '../../support/signed.ts';
import { keyOf, makeWorld, signingKeyOf, type World, type WorldSite } from '../../support/world.ts';

let world: World;
let cars: WorldSite;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes', 'jobs'], { signatures: true, idle: true });
  cars = world.site('cars');
  await cars.start();
}, 90_000);
afterAll(async () => world.close());

const from = { from: 'homes', to: 'cars', key: signingKeyOf('homes') } as const;
const batch = JSON.stringify({ site: 'homes', records: [] });
const get = (more: Partial<ToSign> = {}): SignedCall =>
  signCall({ ...from, target: '/v1/feed?after=0&limit=5', ...more });
const post = (more: Partial<ToSign> = {}): SignedCall =>
  signCall({ ...from, target: '/v1/stream', body: batch, ...more });
const input = (call: SignedCall): string => call.headers['signature-input'] ?? '';
const withHeaders = (call: SignedCall, headers: Record<string, string>): SignedCall => ({
  ...call,
  headers: { ...call.headers, ...headers },
});
const nowS = Math.floor(Date.now() / 1000);
const all = ['@method', '@path', '@query', 'content-digest', 'content-type', 'account-sync-to'];

/** Each with the words of the log. */
const CHANGES: readonly (readonly [what: string, call: () => SignedCall, reason: RegExp])[] = [
  ['the body', () => ({ ...post(), body: batch.replace('[]', '[ ]') }), /body is not the one/],
  [
    'the body and its digest',
    () => {
      const body = batch.replace('[]', '[ ]');
      return { ...withHeaders(post(), { 'content-digest': digestOf(body) }), body };
    },
    /verification failed/,
  ],
  ['the digest', () => withHeaders(post(), { 'content-digest': digestOf('else') }), /verification failed/],
  ['the algorithm of the digest', () => post({ headers: { 'content-digest': 'md5=:AAAA:' } }), /content-digest/],
  [
    'a body that comes with a GET',
    () => get({ headers: { 'content-digest': digestOf('x') } }),
    /not that of an empty body/,
  ],
  [
    'the method',
    () => ({ ...get({ target: '/v1/hello' }), method: 'POST', target: '/v1/stream' }),
    /verification failed/,
  ],
  ['the path', () => ({ ...get({ target: '/v1/hello' }), target: '/v1/feed' }), /verification failed/],
  [
    'the path, written otherwise',
    () => ({ ...get({ target: '/v1/hello' }), target: '/v1/%68ello' }),
    /verification failed/,
  ],
  ['the query', () => ({ ...get(), target: '/v1/feed?after=0&limit=6' }), /verification failed/],
  ['the query, left out', () => ({ ...get(), target: '/v1/feed' }), /verification failed/],
  ['the receiver', () => withHeaders(get({ to: 'jobs' }), { 'account-sync-to': 'cars' }), /verification failed/],
  ['the receiver, as signed', () => get({ to: 'jobs' }), /for another site/],
  [
    'the time',
    () => withHeaders(get(), { 'signature-input': input(get()).replace(/expires=\d+/, `expires=${nowS + 30}`) }),
    /verification failed/,
  ],
  ['a time that has passed', () => get({ nowMs: Date.now() - 62_000 }), /expired/],
  ['a time to come', () => get({ nowMs: Date.now() + 130_000 }), /future|from now/],
  ['a time that lasts', () => get({ parameters: { expires: nowS + 3600 } }), /more than 60 s/],
  ['no end', () => get({ parameters: { expires: undefined } }), /expires is absent/],
  ['no beginning', () => get({ parameters: { created: undefined } }), /created is absent/],
  [
    'the nonce',
    () => {
      const call = get({ parameters: { nonce: 'aaaaaaaaaaaaaaaa' } });
      return withHeaders(call, { 'signature-input': input(call).replace('nonce="a', 'nonce="b') });
    },
    /verification failed/,
  ],
  ['no nonce', () => get({ parameters: { nonce: undefined } }), /nonce is absent/],
  ['a nonce that is too short to be one', () => get({ parameters: { nonce: 'a' } }), /nonce/],
  ['a nonce that is too long to be kept', () => get({ parameters: { nonce: 'a'.repeat(65) } }), /nonce/],
  [
    'the id of the key',
    () => withHeaders(get(), { 'signature-input': input(get()).replace('"homes"', '"jobs"') }),
    /verification failed/,
  ],
  ['the id of another peer, as signed', () => get({ from: 'jobs' }), /verification failed/],
  ['the id of nobody', () => get({ from: 'boats' }), /no native peer/],
  ['the key', () => get({ key: newSigningKey() }), /verification failed/],
  ['the algorithm', () => get({ parameters: { alg: 'hmac-sha256' } }), /hmac-sha256 is not allowed/],
  ['no algorithm', () => get({ parameters: { alg: undefined } }), /alg is absent/],
  ['the tag', () => get({ parameters: { tag: 'something-else' } }), /tag/],
  [
    'the signature',
    () => withHeaders(get(), { signature: `sig=:${randomBytes(64).toString('base64')}:` }),
    /verification failed/,
  ],
  [
    'a signature of 63 bytes',
    () => withHeaders(get(), { signature: `sig=:${randomBytes(63).toString('base64')}:` }),
    /verification failed/,
  ],
  ['no signature', () => withHeaders(get(), { signature: '' }), /./],
  [
    'two signatures',
    () => {
      const [one, other] = [get({ label: 'a' }), get({ label: 'b', key: newSigningKey() })];
      const joined = (name: string): string => `${one.headers[name]}, ${other.headers[name]}`;
      return withHeaders(one, { signature: joined('signature'), 'signature-input': joined('signature-input') });
    },
    /label/,
  ],
  [
    'a component twice',
    () => get({ covered: [...all.filter((one) => one !== 'content-type'), '@method'] }),
    /Duplicate/,
  ],
  [
    'a header that says something and is not covered',
    () => withHeaders(get(), { 'x-called-back': 'a'.repeat(32) }),
    /x-called-back" is absent/,
  ],
  [
    'an encoding that is not covered',
    () => {
      const body = gzipSync(batch);
      return {
        ...post({ body, headers: {} }),
        headers: { ...post({ body }).headers, 'content-encoding': 'gzip' },
        body,
      };
    },
    /content-encoding" is absent/,
  ],
  [
    'a key beside the signature',
    () => withHeaders(get(), { authorization: `Bearer ${keyOf('homes')}` }),
    /came together/,
  ],
  ...all.map((left): (typeof CHANGES)[number] => [
    `${left} not covered`,
    () => post({ covered: all.filter((one) => one !== left) }),
    new RegExp(`"${left}" is absent`),
  ]),
  [
    'a component of another kind in its place',
    () => post({ covered: all.map((one) => (one === '@query' ? '@query";req=?0,"' : one)) }),
    /./,
  ],
];

let failures = 0;

describe('one thing of a signed request is changed', { timeout: 60_000 }, () => {
  it('is taken as it was signed', async () => {
    expect(await sendCall(cars.url, get({ target: '/v1/hello' }))).toMatchObject({
      status: 200,
      body: { peer: 'homes' },
    });
    // Once the site has looked at its users.
    await eventually(async () => expect(await sendCall(cars.url, get())).toMatchObject({ status: 200 }));
    expect(await sendCall(cars.url, post())).toMatchObject({ status: 200, body: { results: [] } });
    const zipped = post({ body: gzipSync(batch), headers: { 'content-encoding': 'gzip' } });
    expect(await sendCall(cars.url, zipped)).toMatchObject({ status: 200, body: { results: [] } });
  });

  it.each(CHANGES)('%s', async (_what, make, reason) => {
    failures += 1;
    if (failures % 15 === 0) {
      // Too many in a minute are another answer.
      await cars.stop();
      await cars.start();
    }
    const { status, body } = await sendCall(cars.url, make());
    expect([status, body]).toEqual([
      401,
      { status: 'ERR', code: 'SIGNATURE_INVALID', message: 'The signature is not accepted.' },
    ]);
    const { body: log } = await cars.admin('GET', '/v1/logs?status=401&limit=1');
    const [entry = {}] = log.logs ?? [];
    expect(entry).toMatchObject({ peer: null, key: null, content: { code: 'SIGNATURE_INVALID' } });
    const { reason: said } = entry['content'] as { reason: string };
    expect(said).toMatch(reason);
  });

  it('is read as 401 before a body of any size is', async () => {
    const call = signCall({ ...from, target: '/v1/stream', body: 'x'.repeat(64), key: newSigningKey() });
    const answer = await fetch(new URL('v1/stream', cars.url), {
      method: 'POST',
      headers: call.headers,
      // It never ends.
      body: new ReadableStream({ pull: (stream) => stream.enqueue(randomBytes(1024)) }),
      duplex: 'half',
    }).catch((error: unknown) => error);
    // The connection may be closed while the body is still being sent; either way it is not waited for.
    expect(answer instanceof Response ? answer.status : 401).toBe(401);
  });
});
