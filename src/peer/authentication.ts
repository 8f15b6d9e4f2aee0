/** Who calls: a peer by its own key, or the administrator by the admin token. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** `keyDigest` is the first 8 hex digits of the SHA-256 of the key: names it in logs without telling it. */
export type Identified =
  | { readonly kind: 'peer'; readonly name: string; readonly keyDigest: string }
  | { readonly kind: 'admin'; readonly keyDigest: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly keyDigest: string };

/** What is accepted. A peer may have several keys, so that one can be changed without a gap. */
export interface Credentials {
  readonly peers: readonly { readonly name: string; readonly apiKeys: readonly string[] }[];
  /** Undefined: nobody is the administrator. */
  readonly adminToken: string | undefined;
}

export interface Authenticator {
  /** From the value of an `Authorization` header: `Bearer KEY`. */
  readonly identify: (header: string | undefined) => Identified;
  /** From a bare key, as the PHP plugin sends it. */
  readonly identifyKey: (key: string) => Identified;
  /** True if there is an admin token. */
  readonly hasAdmin: () => boolean;
  /** Replaces all credentials at once. */
  readonly update: (credentials: Credentials) => void;
}

type Holder = { readonly kind: 'peer'; readonly name: string } | { readonly kind: 'admin' };

/**
 * Keys are compared by digest, in constant time, against every known key whatever came before: neither the length of
 * a key nor how much of it was right can be measured. Exact bytes count; nothing is trimmed or folded.
 */
export function makeAuthenticator(initial: Credentials): Authenticator {
  let known = digestsOf(initial);
  let admin = initial.adminToken !== undefined;

  const identifyBytes = (key: Buffer): Identified => {
    const digest = sha256(key);
    const keyDigest = digest.toString('hex').slice(0, 8);
    let holder: Holder | undefined;
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
      admin = credentials.adminToken !== undefined;
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

function digestsOf({ peers, adminToken }: Credentials): readonly { digest: Buffer; holder: Holder }[] {
  const ofPeers = peers.flatMap(({ name, apiKeys }) =>
    apiKeys.map((key) => ({ digest: sha256(Buffer.from(key, 'utf8')), holder: { kind: 'peer', name } as const })),
  );
  if (adminToken === undefined) return ofPeers;
  return [...ofPeers, { digest: sha256(Buffer.from(adminToken, 'utf8')), holder: { kind: 'admin' } as const }];
}

function sha256(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest();
}
