/** What every call to a peer's HTTP server has in common, whichever protocol it speaks. */
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { errors, type Dispatcher } from 'undici';
import { SyncError } from '../model/errors.ts';
import type { HttpAnswer } from './foreign-answer.ts';
import { countJsonValues } from './json-values.ts';

/** So much is read of an answer that is no success: it says why, or is of something else. */
const MOST_OF_REFUSAL = 64 * 1024;
/** Each value takes more memory than its bytes. */
const BYTES_OF_VALUE = 16;

/** How a page of something else begins, in Latin 1: PHP files that were saved with a byte order mark send it along. */
const PAGE = /^(?:\u00ef\u00bb\u00bf)?\s*</;

const EXPANDERS = { gzip: createGunzip, br: createBrotliDecompress };

/**
 * Reads an answer, expanded while it comes, and no more than `maxBytes` of it: what is larger is none of our protocols. Throws
 * `PEER_BAD_ANSWER` for what is larger, and for JSON of more values than so many bytes can hold; of a page, and of what is no
 * success, the beginning is given.
 */
export async function readAnswer(
  { statusCode, headers, body }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>,
  maxBytes: number,
): Promise<HttpAnswer> {
  const isSuccess = statusCode >= 200 && statusCode < 300;
  const most = isSuccess ? maxBytes : MOST_OF_REFUSAL;
  const { parts, isCut } = await readUpTo(body, headers['content-encoding'], most);
  // A page of something else is told from what it begins with; nothing else that is cut is put together.
  const isPage = PAGE.test(Buffer.concat(parts.slice(0, 2)).toString('latin1'));
  const bytes = isCut && isSuccess ? Buffer.concat(parts, MOST_OF_REFUSAL) : Buffer.concat(parts);
  if (isSuccess && !isPage && (isCut || countJsonValues(bytes) * BYTES_OF_VALUE > most)) {
    throw new SyncError('PEER_BAD_ANSWER', `The answer is too large: at most ${most} bytes are expected.`);
  }
  const text = bytes.toString('utf8');
  return { status: statusCode, headers, text };
}

/** The first `most` bytes, or a little more, expanded; `isCut`: there are more, which nobody reads. */
async function readUpTo(
  body: Dispatcher.ResponseData['body'],
  coding: string | string[] | undefined,
  most: number,
): Promise<{ parts: Buffer[]; isCut: boolean }> {
  const parts: Buffer[] = [];
  let [size, packed] = [0, 0];
  const enough = new AbortController();
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const part of source) {
      packed += part.length;
      // Nothing that expands to less than it was is ours.
      if (packed > 2 * most) enough.abort();
      yield part;
    }
  }
  const collect = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const part of source) {
      size += part.length;
      parts.push(part);
      if (size > most) enough.abort();
    }
  };
  const expand = coding === 'gzip' || coding === 'br' ? EXPANDERS[coding]() : new PassThrough();
  try {
    await pipeline(body, counted, expand, collect, { signal: enough.signal });
  } catch (error) {
    if (!enough.signal.aborted)
      throw isOfExpander(error)
        ? new SyncError('PEER_BAD_ANSWER', `The answer is no valid ${String(coding)}.`, { cause: error })
        : error;
  }
  return { parts, isCut: enough.signal.aborted };
}

function isOfExpander(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && /^(?:Z_|ERR__|ERR_BROTLI)/.test(code);
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
