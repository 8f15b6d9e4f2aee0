/** Who calls: a peer by its own key, or an administrator by an admin token. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** `keyDigest` is the first 8 hex digits of the SHA-256 of the key: names it in logs without telling it. */
export type Identified =
  | { readonly kind: 'peer'; readonly name: string; readonly keyDigest: string }
  | { readonly kind: 'admin'; readonly name: string; readonly keyDigest: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly keyDigest: string };

/** What is accepted. A peer may have several keys, so that one can be changed without a gap. */
export interface Credentials {
  readonly peers: readonly { readonly name: string; readonly apiKeys: readonly string[] }[];
  /** None: nobody is an administrator. */
  readonly admins: readonly { readonly name: string; readonly token: string }[];
}

export interface Authenticator {
  /** From the value of an `Authorization` header: `Bearer KEY`. */
  readonly identify: (header: string | undefined) => Identified;
  /** From a bare key, as the PHP plugin sends it. */
  readonly identifyKey: (key: string) => Identified;
  /** True if there is an administrator. */
  readonly hasAdmin: () => boolean;
  /** Replaces all credentials at once. */
  readonly update: (credentials: Credentials) => void;
}

interface KeyHolder {
  readonly kind: 'peer' | 'admin';
  readonly name: string;
}

/**
 * Keys are compared by digest, in constant time, against every known key whatever came before: neither the length of
 * a key nor how much of it was right can be measured. Exact bytes count; nothing is trimmed or folded.
 */
export function makeAuthenticator(initial: Credentials): Authenticator {
  let known = digestsOf(initial);
  let admin = initial.admins.length > 0;

  const identifyBytes = (key: Buffer): Identified => {
    const digest = sha256(key);
    const keyDigest = digest.toString('hex').slice(0, 8);
    let holder: KeyHolder | undefined;
    for (const one of known) {
      if (timingSafeEqual(one.digest, digest)) holder = one.holder;
    }
    return holder === undefined ? { kind: 'invalid', keyDigest } : { ...holder, keyDigest };
  };

  return {
    identify(header) {
      const key = bearerOf(header);
      // Node hands header values over as latin1: this gives back the bytes that were sent.
      return key === undefined ? { kind: 'missing' } : identifyBytes(Buffer.from(key, 'latin1'));
    },
    identifyKey: (key) => identifyBytes(Buffer.from(key, 'utf8')),
    hasAdmin: () => admin,
    update(credentials) {
      known = digestsOf(credentials);
      admin = credentials.admins.length > 0;
    },
  };
}

/** First 8 hex digits of the SHA-256 of a key. */
export function keyDigestOf(key: string): string {
  return sha256(Buffer.from(key, 'utf8')).toString('hex').slice(0, 8);
}

/** The scheme is compared as HTTP demands, whatever the case (RFC 9110, 11.1). Another scheme brings no key of ours. */
function bearerOf(header: string | undefined): string | undefined {
  const match = /^bearer +(\S.*)$/i.exec(header ?? '');
  return match?.[1];
}

function digestsOf({ peers, admins }: Credentials): readonly { digest: Buffer; holder: KeyHolder }[] {
  const known = (kind: KeyHolder['kind'], name: string, key: string) => ({
    digest: sha256(Buffer.from(key, 'utf8')),
    holder: { kind, name },
  });
  return [
    ...peers.flatMap(({ name, apiKeys }) => apiKeys.map((key) => known('peer', name, key))),
    ...admins.map(({ name, token }) => known('admin', name, token)),
  ];
}

function sha256(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest();
}
