/**
 * Ed25519 keys: PEM (PKCS8 and SPKI) or their 32 raw bytes in base64 on the way in, raw base64 inside, fingerprints for people.
 * A fingerprint is what `openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64` says.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** 32 bytes in base64: the seed of a private key. Secret. */
export type SigningKey = string & { readonly __brand: 'SigningKey' };
/** 32 bytes in base64. */
export type PublicKey = string & { readonly __brand: 'PublicKey' };

/** What stands before the 32 bytes in DER (RFC 8410, 7 and 4). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const RAW = /^[A-Za-z0-9+/]{43}=$/;
const PEM_LABEL = /^-----BEGIN (PRIVATE|PUBLIC) KEY-----/;

/** A private key; undefined if the text is none, or not of Ed25519. */
export function parseSigningKey(text: string): SigningKey | undefined {
  return rawOf(text, 'PRIVATE') as SigningKey | undefined;
}

/** A public key; undefined if the text is none, or not of Ed25519. */
export function parsePublicKey(text: string): PublicKey | undefined {
  return rawOf(text, 'PUBLIC') as PublicKey | undefined;
}

function rawOf(text: string, kind: 'PRIVATE' | 'PUBLIC'): string | undefined {
  const trimmed = text.trim();
  if (RAW.test(trimmed)) return isCanonical(trimmed) ? trimmed : undefined;
  if (PEM_LABEL.exec(trimmed)?.[1] !== kind) return undefined;
  try {
    const key = kind === 'PRIVATE' ? createPrivateKey(trimmed) : createPublicKey(trimmed);
    if (key.asymmetricKeyType !== 'ed25519') return undefined;
    const format = { format: 'der', type: kind === 'PRIVATE' ? 'pkcs8' : 'spki' } as const;
    return (key.export(format as { format: 'der'; type: 'spki' }) as Buffer).subarray(-32).toString('base64');
  } catch {
    return undefined;
  }
}

/** The last character of 43 holds two bits that say nothing: a key has one way to be written. */
function isCanonical(raw: string): boolean {
  return Buffer.from(raw, 'base64').toString('base64') === raw;
}

/** For node:crypto. */
export function privateKeyObject(key: SigningKey): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, Buffer.from(key, 'base64')]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** For node:crypto. */
export function publicKeyObject(key: PublicKey): KeyObject {
  return createPublicKey({ key: derOf(key), format: 'der', type: 'spki' });
}

/** The public half. */
export function publicHalf(key: SigningKey): PublicKey {
  const der = createPublicKey(privateKeyObject(key)).export({ format: 'der', type: 'spki' });
  return der.subarray(-32).toString('base64') as PublicKey;
}

/** `SHA256:` and the SHA-256 of the key in DER (SPKI) in base64. */
export function fingerprintOf(key: PublicKey): string {
  return `SHA256:${createHash('sha256').update(derOf(key)).digest('base64')}`;
}

/** First 8 hex digits of the fingerprint: names the key in log records. */
export function publicKeyDigest(key: PublicKey): string {
  return createHash('sha256').update(derOf(key)).digest('hex').slice(0, 8);
}

/** A new random pair. */
export function newSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32).toString('base64') as SigningKey;
}

/** As PEM (PKCS8), for files. Secret. */
export function signingKeyPem(key: SigningKey): string {
  return String(privateKeyObject(key).export({ format: 'pem', type: 'pkcs8' }));
}

function derOf(key: PublicKey): Buffer {
  return Buffer.concat([SPKI_PREFIX, Buffer.from(key, 'base64')]);
}
