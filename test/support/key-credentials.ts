/** Credentials of a site that signs nothing: it shows a key. */
import { makeOwnCredentials, type OwnCredentials } from '../../src/peer/own-credentials.ts';

export function keyCredentials(sendKey: string): OwnCredentials {
  return makeOwnCredentials(
    { site: 'cars', peer: 'homes', sendKey, signingKey: null, isPinned: false },
    { memory: { read: async () => null, note: async () => undefined }, keyDigest: () => '', nowMs: Date.now },
  );
}
