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

/** The seconds of a Retry-After header; undefined for none, for a date, and for what is neither. */
export function retryAfterSeconds(header: string | string[] | undefined): number | undefined {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/**
 * What a failed call is to be known as: the caller's own reason once `signal` is aborted, `PEER_TIMEOUT` after
 * `deadline` or a limit of the client, a {@link SyncError} as it is, and `PEER_UNREACHABLE` for all the rest.
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
  const why = typeof code === 'string' ? ` (${code})` : '';
  return new SyncError('PEER_UNREACHABLE', `The peer cannot be reached${why}.`, { cause: error });
}
