/**
 * Judges signed requests of peers by their header alone; the body comes after, and has to have the digest that was signed. What is
 * wrong is for the log: the caller is told nothing.
 */
import { createHash, verify, type KeyObject } from 'node:crypto';
import { isSignatureError, verifySignature, type VerifiedSignature, type Verifier } from 'http-message-sig';
import { parseDictionary } from 'structured-headers';
import { SyncError } from '../model/errors.ts';
import { publicKeyDigest, publicKeyObject, type PublicKey } from '../model/signing-key.ts';
import { ALGORITHM, componentsFor, LIFETIME_S, MOST_AHEAD_S, PARAMETERS, RECEIVER, TAG } from './signature-rules.ts';

/** A request whose body was not read yet. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as peers see them; see `http.public_path`. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What is wrong with a signature, in words for the log, which quote nothing of the request. */
export interface Refused {
  readonly kind: 'refused';
  readonly reason: string;
}

/** Whose signature it is; the body is still to be compared. */
export interface Signed {
  readonly kind: 'peer';
  readonly name: string;
  /** First 8 hex digits of the fingerprint of the key. */
  readonly keyDigest: string;
  /** What is wrong with a body, as it came over the wire; undefined: nothing. */
  readonly judgeBody: (body: Uint8Array) => Refused | undefined;
}

/** What verification needs. */
export interface VerifyDeps {
  /** Our own name. */
  readonly site: string;
  /** The public keys that a peer of that name may sign with; none: it is not known, or signs nothing. */
  readonly keysOf: (peer: string) => readonly PublicKey[];
  readonly nowMs: () => number;
  /** Remembers a nonce of a peer until then; false: it was there before. */
  readonly remember: (peer: string, nonce: string, expiresMs: number) => Promise<boolean>;
}

interface PeerVerifier extends Verifier {
  readonly keyDigest: string;
}

const NONCE = /^[\x21-\x7e]{8,64}$/;
const EMPTY = new Uint8Array();
/** The library's reasons may name what a caller made up. */
const LONGEST_REASON = 200;

/** True if a request carries a signature, or part of one. */
export function isSigned(headers: SignedRequest['headers']): boolean {
  return headers['signature'] !== undefined || headers['signature-input'] !== undefined;
}

/** Throws what `remember` throws. */
export async function judgeSignature(request: SignedRequest, deps: VerifyDeps): Promise<Signed | Refused> {
  const { headers, method } = request;
  if (headers['authorization'] !== undefined) return refused('a signature and a bearer key came together');
  if (headers[RECEIVER] !== deps.site) return refused(`it is for another site than ${deps.site}, or for none`);
  const digests = readDigests(headers['content-digest']);
  if (digests === undefined)
    return refused('content-digest is missing, cannot be read, or has neither sha-256 nor sha-512');
  const hasBody = announcesBody(headers);
  if (hasBody && (method === 'GET' || method === 'HEAD')) return refused(`a ${method} has no body`);
  if (!hasBody && !isDigestOf(digests, EMPTY)) return refused('content-digest is not that of an empty body');

  let signature: VerifiedSignature<PeerVerifier>;
  try {
    signature = await verified(request, hasBody, deps);
  } catch (error) {
    if (!isSignatureError(error)) return refused('its header cannot be read');
    const { message } = error.cause instanceof SyncError ? error.cause : error;
    return refused(message.slice(0, LONGEST_REASON));
  }
  const { keyid, nonce, expires } = signature.parameters as { keyid: string; nonce: string; expires: number };
  const isNew = await deps.remember(keyid, nonce, (expires + 1) * 1000);
  if (!isNew) return refused('its nonce was used before: it is a copy of an earlier request');
  const { keyDigest } = signature.verifier;
  const judgeBody = (body: Uint8Array): Refused | undefined =>
    isDigestOf(digests, body) ? undefined : refused('the body is not the one of content-digest');
  return { kind: 'peer', name: keyid, keyDigest, judgeBody };
}

async function verified(
  { method, target, headers }: SignedRequest,
  hasBody: boolean,
  { keysOf, nowMs }: VerifyDeps,
): Promise<VerifiedSignature<PeerVerifier>> {
  const now = Math.floor(nowMs() / 1000);
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => ({ name, value: one })),
  );
  return await verifySignature(
    // Of the address only path and query are covered.
    { kind: 'request', method, targetUri: `http://receiver${target}`, fields: fields.filter(isAscii) },
    {
      policy: {
        algorithms: [ALGORITHM],
        requiredComponents: componentsFor(headers, hasBody),
        requiredParameters: PARAMETERS,
        now,
        // Of what has expired, and is not of now, we say so ourselves.
        clockSkew: MOST_AHEAD_S,
      },
      resolveVerifier: ({ parameters }) => {
        const { created, expires, keyid, nonce, tag } = parameters as Readonly<
          Record<(typeof PARAMETERS)[number], never>
        >;
        if (tag !== TAG) throw mismatch('its tag is another');
        if (!NONCE.test(nonce)) throw mismatch('its nonce is not 8 to 64 visible characters');
        if (created > now + MOST_AHEAD_S) throw mismatch(`it is of ${created - now} s from now: see the clocks`);
        if (expires < created || expires - created > LIFETIME_S)
          throw mismatch(`it is good for more than ${LIFETIME_S} s, or for none`);
        if (expires < now) throw mismatch(`it expired ${now - expires} s ago: see the clocks`);
        const keys = keysOf(keyid);
        if (keys.length === 0) throw mismatch('no native peer of that name has a public_key here');
        return verifierOf(keys);
      },
    },
  );
}

/** Verifies with the key that fits; any of them may. */
function verifierOf(keys: readonly PublicKey[]): PeerVerifier {
  const known = keys.map((key) => ({ digest: publicKeyDigest(key), object: publicKeyObject(key) }));
  let keyDigest = '';
  const fits = (data: Uint8Array, signature: Uint8Array, { digest, object }: { digest: string; object: KeyObject }) => {
    if (!verify(null, data, object, signature)) return false;
    keyDigest = digest;
    return true;
  };
  return {
    algorithm: ALGORITHM,
    verify: (data, signature) => known.some((one) => fits(data, signature, one)),
    get keyDigest() {
      return keyDigest;
    },
  };
}

function announcesBody({
  'content-length': length = '0',
  'transfer-encoding': coding,
}: SignedRequest['headers']): boolean {
  return coding !== undefined || length !== '0';
}

type Digests = readonly (readonly [algorithm: string, digest: Buffer])[];

/** Of those that are not broken; undefined: there is none. */
function readDigests(header: string | readonly string[] | undefined): Digests | undefined {
  if (typeof header !== 'string') return undefined;
  try {
    const digests = [...parseDictionary(header)].flatMap(([name, [value]]) => {
      const algorithm = { 'sha-256': 'sha256', 'sha-512': 'sha512' }[name];
      if (algorithm === undefined) return [];
      if (!(value instanceof ArrayBuffer)) throw new TypeError(`${name} is no byte sequence`);
      return [[algorithm, Buffer.from(value)] as const];
    });
    return digests.length === 0 ? undefined : digests;
  } catch {
    return undefined;
  }
}

function isDigestOf(digests: Digests, body: Uint8Array): boolean {
  return digests.every(([algorithm, digest]) => createHash(algorithm).update(body).digest().equals(digest));
}

/** The library takes no other field, and none that is covered is. */
function isAscii({ value }: { readonly value: string }): boolean {
  return /^[\t\x20-\x7e]*$/.test(value);
}

/** Found by a callback of the library. */
function mismatch(reason: string): SyncError {
  return new SyncError('SIGNATURE_INVALID', reason);
}

function refused(reason: string): Refused {
  return { kind: 'refused', reason };
}
