/** What every call to a peer's HTTP server has in common, whichever protocol it speaks. */
import { errors } from 'undici';
import { SyncError } from '../model/errors.ts';

/** Reads an answer whole, as it came. Throws `PEER_BAD_ANSWER` once it is longer than `maxBytes`. */
export async function readAnswer(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > maxBytes) throw new SyncError('PEER_BAD_ANSWER', 'The answer is too large.');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Why a call did not get there, or not back, and what to do about it. */
interface Obstacle {
  readonly why: string;
  readonly remedy: string;
}

const UNTRUSTED: Obstacle = {
  why: 'its certificate is of no authority that this machine trusts',
  remedy:
    'Give the peer a certificate of a public authority, with the whole chain; for one of your own, start us with NODE_EXTRA_CA_CERTS=FILE.',
};
const NO_NAME: Obstacle = {
  why: 'its host name is not known',
  remedy: 'Check the host in the url of the peer, and the name servers of this machine.',
};
const NO_WAY: Obstacle = {
  why: 'there is no way to its address',
  remedy: 'Check the network between, and firewalls at both ends.',
};
const BROKEN_OFF: Obstacle = {
  why: 'the connection broke off before the answer was complete',
  remedy: 'If it lasts, look for a proxy or firewall between that cuts connections.',
};

/** By code of the system, of TLS or of the client. */
const OBSTACLES: ReadonlyMap<string, Obstacle> = new Map([
  [
    'ECONNREFUSED',
    {
      why: 'nothing listens there',
      remedy: 'Start the daemon there, and the web server before it. Check the peer and its URL, above all the port.',
    },
  ],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME'].map((code) => [code, NO_NAME] as const),
  ...['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ETIMEDOUT'].map((code) => [code, NO_WAY] as const),
  ...['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'].map(
    (code) => [code, BROKEN_OFF] as const,
  ),
  ...[
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ].map((code) => [code, UNTRUSTED] as const),
  ['CERT_HAS_EXPIRED', { why: 'its certificate has expired', remedy: 'Renew the certificate there.' }],
  [
    'CERT_NOT_YET_VALID',
    { why: 'its certificate is not valid yet', remedy: 'Check the clock of this machine, and the certificate there.' },
  ],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    {
      why: 'its certificate is for another host name',
      remedy: 'Use a host name in the url that the certificate there names, or get one for this name.',
    },
  ],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    {
      why: 'what answers there does not speak TLS',
      remedy: 'Check the port of the url, and https:// against http://.',
    },
  ],
]);

/** Other failures of TLS. */
const TLS: Obstacle = { why: 'TLS failed', remedy: 'Check the certificate and the TLS settings there.' };

/**
 * What a failed call is to be known as: the caller's own reason once `signal` is aborted, `PEER_TIMEOUT` after
 * `deadline` or a limit of the client, a {@link SyncError} as it is, `PEER_BAD_ANSWER` for what is no HTTP, and
 * `PEER_UNREACHABLE` for all the rest.
 */
export function toPeerError(error: unknown, signal: AbortSignal | undefined, deadline: AbortSignal): unknown {
  if (error instanceof SyncError) return error;
  if (signal?.aborted === true) return signal.reason;
  const timedOut =
    deadline.aborted ||
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError;
  if (timedOut) return new SyncError('PEER_TIMEOUT', undefined, { cause: error });
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  if (typeof code !== 'string') return new SyncError('PEER_UNREACHABLE', undefined, { cause: error });
  if (code.startsWith('HPE_')) {
    return new SyncError('PEER_BAD_ANSWER', `What answers does not speak HTTP (${code}).`, { cause: error });
  }
  const obstacle = OBSTACLES.get(code) ?? (/^ERR_(?:SSL|TLS)/.test(code) ? TLS : undefined);
  if (obstacle === undefined) {
    return new SyncError('PEER_UNREACHABLE', `The peer cannot be reached (${code}).`, { cause: error });
  }
  const { why, remedy } = obstacle;
  return new SyncError('PEER_UNREACHABLE', `The peer cannot be reached: ${why} (${code}).`, { cause: error, remedy });
}
