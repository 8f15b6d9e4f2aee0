/** Who calls with a key: a peer with its own, or an administrator with an admin token. For signatures see verify-signature.ts. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { PublicKey } from '../model/signing-key.ts';
import type { KeyDigest } from './key-digest.ts';

/** `keyDigest` names the key in logs without telling it, see key-digest.ts. */
export type Identified =
  | { readonly kind: 'peer'; readonly name: string; readonly protocol: Protocol; readonly keyDigest: string }
  | { readonly kind: 'admin'; readonly name: string; readonly keyDigest: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid'; readonly keyDigest: string };

/** What a peer speaks: keys of the one open no door of the other. */
export type Protocol = 'native' | 'plugin';

/** A peer that may call. */
export interface KnownPeer {
  readonly name: string;
  readonly protocol: Protocol;
  /** Several, so that one can be changed without a gap. */
  readonly apiKeys: readonly string[];
  /** Where there are any, its keys open nothing. */
  readonly publicKeys: readonly PublicKey[];
}

/** What is accepted. */
export interface Credentials {
  readonly peers: readonly KnownPeer[];
  /** None: nobody is an administrator. */
  readonly admins: readonly { readonly name: string; readonly token: string }[];
  readonly keyDigest: KeyDigest;
}

export interface Authenticator {
  /** From the value of an `Authorization` header: `Bearer KEY`. */
  readonly identify: (header: string | undefined) => Identified;
  /** From a bare key, as the PHP plugin sends it. */
  readonly identifyKey: (key: string) => Identified;
  /** What a native peer may sign with; none: nobody of that name signs. */
  readonly publicKeysOf: (peer: string) => readonly PublicKey[];
  /** True if there is an administrator. */
  readonly hasAdmin: () => boolean;
  /** Replaces all credentials at once. */
  readonly update: (credentials: Credentials) => void;
}

type KeyHolder =
  | { readonly kind: 'peer'; readonly name: string; readonly protocol: Protocol }
  | { readonly kind: 'admin'; readonly name: string };

/**
 * Keys are compared by digest, in constant time, against every known key whatever came before: neither the length of
 * a key nor how much of it was right can be measured. Exact bytes count; nothing is trimmed or folded.
 */
export function makeAuthenticator(initial: Credentials): Authenticator {
  let current = initial;
  let known = digestsOf(initial);

  const identifyBytes = (key: Buffer): Identified => {
    const digest = sha256(key);
    const keyDigest = current.keyDigest(key);
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
    publicKeysOf: (name) =>
      current.peers.find((peer) => peer.name === name && peer.protocol === 'native')?.publicKeys ?? [],
    hasAdmin: () => current.admins.length > 0,
    update(credentials) {
      current = credentials;
      known = digestsOf(credentials);
    },
  };
}

/** The scheme is compared as HTTP demands, whatever the case (RFC 9110, 11.1). Another scheme brings no key of ours. */
function bearerOf(header: string | undefined): string | undefined {
  const match = /^bearer +(\S.*)$/i.exec(header ?? '');
  return match?.[1];
}

function digestsOf({ peers, admins }: Credentials): readonly { digest: Buffer; holder: KeyHolder }[] {
  const known = (key: string, holder: KeyHolder) => ({ digest: sha256(Buffer.from(key, 'utf8')), holder });
  return [
    ...peers.flatMap(({ name, protocol, apiKeys, publicKeys }) =>
      publicKeys.length > 0 ? [] : apiKeys.map((key) => known(key, { kind: 'peer', name, protocol })),
    ),
    ...admins.map(({ name, token }) => known(token, { kind: 'admin', name })),
  ];
}

function sha256(key: Buffer): Buffer {
  return createHash('sha256').update(key).digest();
}
