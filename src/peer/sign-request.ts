/** Signs requests to peers; see signature-rules.ts for what a signature covers. */
import { randomBytes, sign } from 'node:crypto';
import { createSignatureSync } from 'http-message-sig';
import { privateKeyObject, type SigningKey } from '../model/signing-key.ts';
import { ALGORITHM, componentsFor, contentDigest, LABEL, LIFETIME_S, RECEIVER, TAG } from './signature-rules.ts';

/** A request as it is about to be sent. */
export interface UnsignedRequest {
  readonly method: string;
  /** Whole, as the receiver's proxy gets it. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it goes over the wire; undefined: none. */
  readonly body: Uint8Array | undefined;
}

/** Gives the headers that a request has to have besides its own. */
export type RequestSigner = (request: UnsignedRequest, receiver: string) => Record<string, string>;

/** @param site our name, which is the id of our key */
export function makeRequestSigner(key: SigningKey, site: string, nowMs: () => number): RequestSigner {
  const privateKey = privateKeyObject(key);
  const signer = { algorithm: ALGORITHM, sign: (data: Uint8Array) => sign(null, data, privateKey) };
  return ({ method, url, headers, body }, receiver) => {
    const added = { 'content-digest': contentDigest(body ?? new Uint8Array()), [RECEIVER]: receiver };
    const all = { ...headers, ...added };
    const created = Math.floor(nowMs() / 1000);
    const { signature, signatureInput } = createSignatureSync(
      {
        kind: 'request',
        method,
        targetUri: url,
        fields: Object.entries(all).map(([name, value]) => ({ name, value })),
      },
      {
        label: LABEL,
        components: componentsFor(all, body !== undefined),
        parameters: {
          created,
          expires: created + LIFETIME_S,
          keyid: site,
          nonce: randomBytes(18).toString('base64url'),
          alg: ALGORITHM,
          tag: TAG,
        },
        signer,
      },
    );
    return { ...added, signature, 'signature-input': signatureInput };
  };
}
