/**
 * How we show one peer who we are: by a signature, or by a key, never both. Without a signing key it is the key. With one the
 * signature comes first, and the key where the peer refuses that: it may be of a version that knows no signatures, or not have
 * our public key yet. Whoever answers in the place of a peer could ask for the key that way. So a peer that has a `public_key`
 * here, and once took our signature, is shown no key any more, whatever it answers, until `public_key` is taken out.
 */
import type { Config, PeerConfig } from '../config/config.ts';
import { fingerprintOf, publicHalf, publicKeyDigest, type SigningKey } from '../model/signing-key.ts';
import { SyncError } from '../model/errors.ts';
import type { KeyDigest } from './key-digest.ts';
import { makeRequestSigner, type UnsignedRequest } from './sign-request.ts';

/** What is remembered of a peer, beyond this process. */
export interface SignatureMemory {
  /** Fingerprint of our key whose signature it took; null: it took none, or a key since then. */
  read(peer: string): Promise<string | null>;
  note(peer: string, fingerprint: string | null): Promise<void>;
}

/** What we are known by, and by whom. */
export interface OwnIdentity {
  /** Our own name. */
  readonly site: string;
  /** The name of the peer. */
  readonly peer: string;
  /** Secret: the key for this peer. */
  readonly sendKey: string;
  readonly signingKey: SigningKey | null;
  /** The peer has a `public_key` here. */
  readonly isPinned: boolean;
}

/** What the config says of us and one peer. */
export function ownIdentity({ site }: Pick<Config, 'site'>, peer: PeerConfig): OwnIdentity {
  return {
    site: site.name,
    peer: peer.name,
    sendKey: peer.sendKey,
    signingKey: site.signingKey,
    isPinned: peer.publicKeys.length > 0,
  };
}

/** How a call says whose it is. */
export type Way = 'signature' | 'key';

/** For the calls to one peer. */
export interface OwnCredentials {
  /** Makes a call, another way where the first is refused for what it shows. Throws what the last one threw. */
  attempt<T>(call: (headersOf: (request: UnsignedRequest) => Record<string, string>) => Promise<T>): Promise<T>;
  /** What the peer took last; before the first call, what it will be shown first. */
  way(): Way;
  /** Names that for log records; see key-digest.ts. */
  digest(): string;
}

/** Codes by which a peer says that it does not know us by what we showed. */
const UNKNOWN = new Set(['KEY_STRIPPED', 'PEER_REFUSED_KEY', 'PEER_REFUSED_SIGNATURE']);

/** @param keyDigest names the key in logs */
export function makeOwnCredentials(
  identity: OwnIdentity,
  { memory, keyDigest, nowMs }: { memory: SignatureMemory; keyDigest: KeyDigest; nowMs: () => number },
): OwnCredentials {
  const { site, peer, sendKey, signingKey, isPinned } = identity;
  const bearer = { authorization: `Bearer ${sendKey}` };
  const ofKey = keyDigest(sendKey);
  if (signingKey === null) return { attempt: (call) => call(() => bearer), way: () => 'key', digest: () => ofKey };

  const publicKey = publicHalf(signingKey);
  const fingerprint = fingerprintOf(publicKey);
  const sign = makeRequestSigner(signingKey, site, nowMs);
  /** What the peer took last. */
  let taken: Way | undefined;
  const ways = async (): Promise<Way[]> => {
    if (isPinned && (taken === 'signature' || (await memory.read(peer)) !== null)) return ['signature'];
    return taken === 'key' ? ['key', 'signature'] : ['signature', 'key'];
  };

  return {
    async attempt(call) {
      const [first, second] = await ways();
      const by = async (way: Way): ReturnType<typeof call> => {
        const answer = await call(way === 'key' ? () => bearer : (request) => sign(request, peer));
        if (taken !== way) await memory.note(peer, way === 'signature' ? fingerprint : null);
        taken = way;
        return answer;
      };
      try {
        return await by(first as Way);
      } catch (error) {
        if (second === undefined || !(error instanceof SyncError) || !UNKNOWN.has(error.code)) throw error;
        return await by(second);
      }
    },
    way: () => taken ?? 'signature',
    digest: () => (taken === 'key' ? ofKey : publicKeyDigest(publicKey)),
  };
}
