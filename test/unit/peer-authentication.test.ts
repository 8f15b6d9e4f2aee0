import { expect, test } from 'vitest';
import { keyDigestOf, makeAuthenticator } from '../../src/peer/authentication.ts';

const HOMES = 'homes-key-aaaaaaaaaaaaaaa';
const HOMES_NEXT = 'homes-key-bbbbbbbbbbbbbbb';
const ADMIN = 'admin-token-ccccccccccccc';
const make = () =>
  makeAuthenticator({
    peers: [{ name: 'homes', apiKeys: [HOMES, HOMES_NEXT] }],
    admins: [{ name: 'admin', token: ADMIN }],
  });

test('a peer is known by any of its keys, the administrator by the token', () => {
  const { identify } = make();
  expect(identify(`Bearer ${HOMES}`)).toEqual({ kind: 'peer', name: 'homes', keyDigest: keyDigestOf(HOMES) });
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
    peers: [{ name: 'a', apiKeys: [key] }],
    admins: [],
  });
  expect(identify(`Bearer ${Buffer.from(key, 'utf8').toString('latin1')}`)).toMatchObject({ kind: 'peer' });
  expect(identify(`Bearer ${key}`)).toMatchObject({ kind: 'invalid' });
  expect(identifyKey(key)).toMatchObject({ kind: 'peer' });
});

test('new credentials replace all old ones at once', () => {
  const authenticator = make();
  expect(authenticator.hasAdmin()).toBe(true);
  authenticator.update({ peers: [{ name: 'cars', apiKeys: [HOMES_NEXT] }], admins: [] });
  expect(authenticator.hasAdmin()).toBe(false);
  expect(authenticator.identify(`Bearer ${HOMES}`)).toMatchObject({ kind: 'invalid' });
  expect(authenticator.identify(`Bearer ${HOMES_NEXT}`)).toMatchObject({ kind: 'peer', name: 'cars' });
  expect(authenticator.identify(`Bearer ${ADMIN}`)).toMatchObject({ kind: 'invalid' });
});

test('a digest names a key without telling it', () => {
  // printf %s key | sha256sum
  expect(keyDigestOf('key')).toBe('2c70e12b');
});
