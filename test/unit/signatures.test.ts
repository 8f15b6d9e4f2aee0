/**
 * RFC 9421: the library against the vectors of its appendix B.2 and against a second implementation (node:crypto alone, in
 * test/support/signed.ts), in both directions.
 */
import { constants, createHmac, createPublicKey, sign as signWith, verify as verifyWith } from 'node:crypto';
import { createSignatureSync, verifySignature, type MessageDescriptor } from 'http-message-sig';
import { assert, asyncProperty, option, property, stringMatching, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fingerprintOf,
  newSigningKey,
  parsePublicKey,
  parseSigningKey,
  privateKeyObject,
  publicHalf,
  publicKeyObject,
  signingKeyPem,
} from '../../src/model/signing-key.ts';
import { makeRequestSigner } from '../../src/peer/sign-request.ts';
import { judgeSignature } from '../../src/peer/verify-signature.ts';
import { digestOf, signatureBase, signCall } from '../support/signed.ts';

/** B.1.4, B.1.2, B.1.3 and B.1.5. */
const ED25519_PRIVATE = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----`;
const ED25519_PUBLIC = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----`;
const RSA_PSS_PUBLIC = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----`;
const ECC_P256_PUBLIC = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----`;
const SHARED_SECRET = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==';

const REQUEST = {
  kind: 'request',
  method: 'POST',
  targetUri: 'http://example.com/foo?param=Value&Pet=dog',
  fields: [
    { name: 'Host', value: 'example.com' },
    { name: 'Date', value: 'Tue, 20 Apr 2021 02:07:55 GMT' },
    { name: 'Content-Type', value: 'application/json' },
    {
      name: 'Content-Digest',
      value: 'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
    },
    { name: 'Content-Length', value: '18' },
  ],
} as const satisfies MessageDescriptor;
const RESPONSE = {
  kind: 'response',
  status: 200,
  fields: [
    { name: 'Date', value: 'Tue, 20 Apr 2021 02:07:56 GMT' },
    { name: 'Content-Type', value: 'application/json' },
    {
      name: 'Content-Digest',
      value: 'sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:',
    },
    { name: 'Content-Length', value: '23' },
  ],
} as const satisfies MessageDescriptor;
const HEADERS = Object.fromEntries(REQUEST.fields.map(({ name, value }) => [name.toLowerCase(), value]));

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
const rsaPss = {
  algorithm: 'rsa-pss-sha512',
  verify: (data: Uint8Array, signature: Uint8Array) =>
    verifyWith('sha512', data, { key: createPublicKey(RSA_PSS_PUBLIC), ...pss }, signature),
};
const ecdsa = {
  algorithm: 'ecdsa-p256-sha256',
  verify: (data: Uint8Array, signature: Uint8Array) =>
    verifyWith('sha256', data, { key: createPublicKey(ECC_P256_PUBLIC), dsaEncoding: 'ieee-p1363' }, signature),
};
const hmac = {
  algorithm: 'hmac-sha256',
  verify: (data: Uint8Array, signature: Uint8Array) =>
    createHmac('sha256', Buffer.from(SHARED_SECRET, 'base64')).update(data).digest().equals(signature),
};
const ed25519 = {
  algorithm: 'ed25519',
  verify: (data: Uint8Array, signature: Uint8Array) =>
    verifyWith(null, data, createPublicKey(ED25519_PUBLIC), signature),
};

const VECTORS = [
  {
    name: 'B.2.1, minimal, RSA-PSS',
    message: REQUEST,
    verifier: rsaPss,
    input: 'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
    signature:
      'sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:',
  },
  {
    name: 'B.2.3, full coverage, RSA-PSS',
    message: REQUEST,
    verifier: rsaPss,
    input:
      'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"',
    signature:
      'sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:',
  },
  {
    name: 'B.2.4, a response, ECDSA',
    message: RESPONSE,
    verifier: ecdsa,
    input:
      'sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"',
    signature: 'sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:',
  },
  {
    name: 'B.2.5, HMAC',
    message: REQUEST,
    verifier: hmac,
    input: 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    signature: 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
  },
  {
    name: 'B.2.6, Ed25519',
    message: REQUEST,
    verifier: ed25519,
    input:
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    signature: 'sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
  },
] as const;

const policy = (algorithm: string, requiredComponents: readonly string[] = []) => ({
  algorithms: [algorithm],
  requiredComponents,
  requiredParameters: ['created', 'keyid'],
  now: 1618884473,
});
const withSignature = (message: MessageDescriptor, input: string, signature: string): MessageDescriptor => ({
  ...message,
  fields: [...message.fields, { name: 'Signature-Input', value: input }, { name: 'Signature', value: signature }],
});

describe('the vectors of RFC 9421, appendix B.2', () => {
  it.each(VECTORS)('the library verifies $name', async ({ message, verifier, input, signature }) => {
    const options = { policy: policy(verifier.algorithm), resolveVerifier: () => verifier };
    await expect(verifySignature(withSignature(message, input, signature), options)).resolves.toMatchObject({
      algorithm: verifier.algorithm,
    });
    const other = withSignature(message, input.replace('1618884473', '1618884472'), signature);
    await expect(verifySignature(other, options)).rejects.toMatchObject({ code: 'VerificationFailed' });
  });

  it('B.2.6: the library and the second implementation sign to the same bytes', () => {
    const [{ input, signature }] = VECTORS.slice(-1) as [(typeof VECTORS)[4]];
    const components = ['date', '@method', '@path', '@authority', 'content-type', 'content-length'];
    const key = privateKeyObject(parseSigningKey(ED25519_PRIVATE) as never);
    const made = createSignatureSync(REQUEST, {
      label: 'sig-b26',
      components,
      parameters: { created: 1618884473, keyid: 'test-key-ed25519' },
      signer: { algorithm: 'ed25519', sign: (data) => signWith(null, data, key) },
    });
    expect(made).toEqual({ signatureInput: input, signature });

    const base = signatureBase(
      { method: 'POST', target: '/foo?param=Value&Pet=dog', headers: { ...HEADERS, '@authority': 'example.com' } },
      components,
      input.replace('sig-b26=', ''),
    );
    expect(`sig-b26=:${signWith(null, Buffer.from(base), key).toString('base64')}:`).toBe(signature);
  });

  it('B.2.2: a component with a parameter is refused by the library, as nobody here signs one', async () => {
    const input =
      'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"';
    const options = { policy: policy('rsa-pss-sha512'), resolveVerifier: () => rsaPss };
    await expect(verifySignature(withSignature(REQUEST, input, 'sig-b22=:AAAA:'), options)).rejects.toMatchObject({
      code: 'UnsupportedFeature',
    });
    // What the appendix says is signed, with the signature there.
    const base = [
      '"@authority": example.com',
      `"content-digest": ${HEADERS['content-digest']}`,
      '"@query-param";name="Pet": dog',
      `"@signature-params": ${input.replace('sig-b22=', '')}`,
    ].join('\n');
    const signature =
      'LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==';
    expect(rsaPss.verify(Buffer.from(base), Buffer.from(signature, 'base64'))).toBe(true);
  });
});

describe('the library and the second implementation', () => {
  const key = newSigningKey();
  const nowMs = 1_700_000_000_500;
  const deps = {
    site: 'cars',
    keysOf: (name: string) => (name === 'homes' ? [publicHalf(newSigningKey()), publicHalf(key)] : []),
    nowMs: () => nowMs,
    remember: async () => true,
  };
  const path = stringMatching(/^(\/[a-z0-9._~-]{0,8}){1,4}$/);
  const query = stringMatching(/^(\?[a-z0-9=&%._-]{0,20})?$/);
  const body = option(uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined });

  it('what the second signs, the library takes', async () => {
    await assert(
      asyncProperty(path, query, body, async (p, q, bytes) => {
        const content = bytes === undefined ? undefined : Buffer.from(bytes);
        const { headers, method, target } = signCall({
          target: p + q,
          from: 'homes',
          to: 'cars',
          key,
          nowMs,
          ...(content === undefined ? {} : { body: content, headers: { 'content-encoding': 'gzip' } }),
        });
        const sent = content === undefined ? headers : { ...headers, 'content-length': String(content.length) };
        const judged = await judgeSignature({ method, target, headers: sent }, deps);
        expect(judged).toMatchObject({ kind: 'peer', name: 'homes' });
        if (judged.kind !== 'peer') return;
        expect(judged.judgeBody(content ?? new Uint8Array())).toBe(undefined);
        expect(judged.judgeBody(Buffer.from('else'))).toMatchObject({ kind: 'refused' });
      }),
      { seed: 9421, numRuns: 200 },
    );
  });

  it('what the library signs, the second takes', () => {
    const signer = makeRequestSigner(key, 'homes', () => nowMs);
    assert(
      property(path, query, body, (p, q, bytes) => {
        const headers: Record<string, string> =
          bytes === undefined ? { 'x-call-back': 'a' } : { 'content-type': 'application/json', 'x-installation': 'b' };
        const request = {
          method: bytes === undefined ? 'GET' : 'POST',
          url: `https://cars.example.com${p}${q}`,
          headers,
          body: bytes,
        };
        const added = signer(request, 'cars');
        expect(added['content-digest']).toBe(digestOf(Buffer.from(bytes ?? [])));
        const [, parameters = ''] = /^account-sync=(.*)$/.exec(added['signature-input'] ?? '') ?? [];
        const covered = [...(/^\((.*?)\)/.exec(parameters)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
          ([, name = '']) => name,
        );
        expect(covered.toSorted()).toEqual(
          ['@method', '@path', '@query', 'account-sync-to', 'content-digest', ...Object.keys(headers)].toSorted(),
        );
        expect(parameters).toMatch(
          /;created=1700000000;expires=1700000060;keyid="homes";nonce="[\w-]{24}";alg="ed25519";tag="osclass-account-sync"$/,
        );
        const base = signatureBase(
          { method: request.method, target: p + q, headers: { ...headers, ...added } },
          covered,
          parameters,
        );
        const signature = Buffer.from(added['signature']?.replace(/^account-sync=:|:$/g, '') ?? '', 'base64');
        expect(verifyWith(null, Buffer.from(base), publicKeyObject(publicHalf(key)), signature)).toBe(true);
      }),
      { seed: 9421, numRuns: 200 },
    );
  });
});

describe('keys', () => {
  it('are read as PEM and as 32 raw bytes, and have one fingerprint', () => {
    const key = parseSigningKey(ED25519_PRIVATE);
    const pub = parsePublicKey(ED25519_PUBLIC);
    expect([key, pub]).toEqual([
      'n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=',
      'JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=',
    ]);
    if (key === undefined || pub === undefined) return;
    expect([publicHalf(key), parseSigningKey(key), parsePublicKey(pub)]).toEqual([pub, key, pub]);
    expect(signingKeyPem(key).trim()).toBe(ED25519_PRIVATE);
    // openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64
    expect(fingerprintOf(pub)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}=$/);
  });

  it.each([
    ['another kind of key', RSA_PSS_PUBLIC],
    ['another curve', ECC_P256_PUBLIC],
    ['half a key', ED25519_PUBLIC.slice(0, 60)],
    ['31 bytes', Buffer.alloc(31).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['another way to write 32 bytes', 'JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bt='],
    ['nothing', ''],
  ])('%s is none', (_what, text) => {
    expect([parsePublicKey(text), parseSigningKey(text)]).toEqual([undefined, undefined]);
  });

  it('a private key is no public one, nor the other way round', () => {
    expect([parsePublicKey(ED25519_PRIVATE), parseSigningKey(ED25519_PUBLIC)]).toEqual([undefined, undefined]);
  });
});
