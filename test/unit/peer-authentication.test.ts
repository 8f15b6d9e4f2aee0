import { expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { newSigningKey, publicHalf } from '../../src/model/signing-key.ts';
import { makeAuthenticator, type KnownPeer } from '../../src/peer/authentication.ts';
import { makeKeyDigest } from '../../src/peer/key-digest.ts';

const HOMES = 'homes-key-aaaaaaaaaaaaaaa';
const HOMES_NEXT = 'homes-key-bbbbbbbbbbbbbbb';
const ADMIN = 'admin-token-ccccccccccccc';
const secrets = { site: { apiKey: 'cars-key-ddddddddddddddd', signingKey: null }, database: { password: 'p' } };
const keyDigest = makeKeyDigest(secrets);
const peer = (name: string, ...apiKeys: string[]): KnownPeer => ({ name, protocol: 'native', apiKeys, publicKeys: [] });
const make = () =>
  makeAuthenticator({
    peers: [peer('homes', HOMES, HOMES_NEXT)],
    admins: [{ name: 'admin', token: ADMIN }],
    keyDigest,
  });

test('a peer is known by any of its keys, the administrator by the token', () => {
  const { identify } = make();
  expect(identify(`Bearer ${HOMES}`)).toEqual({
    kind: 'peer',
    name: 'homes',
    protocol: 'native',
    keyDigest: keyDigest(HOMES),
  });
  expect(identify(`Bearer ${HOMES_NEXT}`)).toMatchObject({ kind: 'peer', name: 'homes' });
  expect(identify(`Bearer ${ADMIN}`)).toMatchObject({ kind: 'admin' });
});

test('the scheme may be written in any case, the key may not', () => {
  const { identify } = make();
  expect(identify(`bEARER   ${HOMES}`)).toMatchObject({ kind: 'peer' });
  expect(identify(`Bearer ${HOMES.toUpperCase()}`)).toMatchObject({ kind: 'invalid' });
  expect(identify(`Bearer ${HOMES} `)).toMatchObject({ kind: 'invalid' });
  expect(identify(`Bearer ${HOMES.slice(0, -1)}`)).toMatchObject({ kind: 'invalid' });
});

test.each([undefined, '', 'Bearer', 'Bearer ', `Basic ${HOMES}`, HOMES, `Bearer${HOMES}`])(
  '%j brings no key',
  (header) => {
    expect(make().identify(header)).toEqual({ kind: 'missing' });
  },
);

test('a key outside ASCII is compared by the bytes that were sent', () => {
  const key = 'schlüssel-schlüssel-schlüssel';
  const { identify, identifyKey } = makeAuthenticator({
    peers: [peer('a', key)],
    admins: [],
    keyDigest,
  });
  expect(identify(`Bearer ${Buffer.from(key, 'utf8').toString('latin1')}`)).toMatchObject({ kind: 'peer' });
  expect(identify(`Bearer ${key}`)).toMatchObject({ kind: 'invalid' });
  expect(identifyKey(key)).toMatchObject({ kind: 'peer' });
});

test('new credentials replace all old ones at once', () => {
  const authenticator = make();
  expect(authenticator.hasAdmin()).toBe(true);
  authenticator.update({ peers: [peer('cars', HOMES_NEXT)], admins: [], keyDigest });
  expect(authenticator.hasAdmin()).toBe(false);
  expect(authenticator.identify(`Bearer ${HOMES}`)).toMatchObject({ kind: 'invalid' });
  expect(authenticator.identify(`Bearer ${HOMES_NEXT}`)).toMatchObject({ kind: 'peer', name: 'cars' });
  expect(authenticator.identify(`Bearer ${ADMIN}`)).toMatchObject({ kind: 'invalid' });
});

test('once a peer has a public key, its bearer keys open nothing', () => {
  const publicKeys = [publicHalf(newSigningKey())];
  const authenticator = makeAuthenticator({
    peers: [{ ...peer('homes', HOMES), publicKeys }, peer('jobs', HOMES_NEXT)],
    admins: [],
    keyDigest,
  });
  expect(authenticator.identify(`Bearer ${HOMES}`)).toMatchObject({ kind: 'invalid' });
  expect(authenticator.identify(`Bearer ${HOMES_NEXT}`)).toMatchObject({ kind: 'peer', name: 'jobs' });
  expect(['homes', 'jobs', 'cars'].map((name) => authenticator.publicKeysOf(name))).toEqual([publicKeys, [], []]);
});

test('a digest names a key without telling it, and does not confirm a guess', () => {
  expect(keyDigest(HOMES)).toMatch(/^[0-9a-f]{8}$/);
  expect([makeKeyDigest(secrets)(HOMES), keyDigest(Buffer.from(HOMES))]).toEqual([keyDigest(HOMES), keyDigest(HOMES)]);
  expect(keyDigest(HOMES_NEXT)).not.toBe(keyDigest(HOMES));
  // Whoever knows the log and guesses the key, but not what stands in the config beside it.
  expect(keyDigest(HOMES)).not.toBe(createHash('sha256').update(HOMES).digest('hex').slice(0, 8));
  const others = [
    { ...secrets, database: { password: 'q' } },
    { ...secrets, site: { ...secrets.site, apiKey: 'cars-key-eeeeeeeeeeeeeee' } },
    { ...secrets, site: { ...secrets.site, signingKey: newSigningKey() } },
  ];
  for (const other of others) expect(makeKeyDigest(other)(HOMES)).not.toBe(keyDigest(HOMES));
});
