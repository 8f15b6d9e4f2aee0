/** Anything thrown on the way becomes one answer: status, code and message of the registry, never what lies below. */
import type { FastifyRequest } from 'fastify';
import { ERRORS, SyncError, type ErrorCode } from '../model/errors.ts';
import type { Log } from '../runtime/logger.ts';
import type { ErrorAnswer } from '../model/response-schemas.ts';
import { stopReading } from './body.ts';
import { addressOf } from './request.ts';

/** What is sent. */
export interface Failure {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorAnswer;
}

/** Seconds after which a caller may hope, where nothing better is known. */
const RETRY_AFTER_S = 5;

const CODE_BY_FASTIFY_CODE: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'BODY_UNREADABLE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'BODY_UNREADABLE',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'BODY_UNREADABLE',
  FST_ERR_BAD_URL: 'NOT_FOUND',
  FST_ERR_MAX_PARAM_LENGTH: 'NOT_FOUND',
  FST_ERR_ROUTE_MISSING: 'NOT_FOUND',
};

/**
 * The answer for an error. Messages of our own errors are passed on, but those of the database (they name hosts and
 * tables) and of anything unforeseen only as what the registry says; `INTERNAL` adds the trace to look for.
 */
export function failureOf(error: unknown, trace: string): Failure {
  const known = toKnown(error);
  const { http, meaning } = ERRORS[known.code];
  if (http === 500) {
    return {
      httpStatus: 500,
      headers: {},
      body: { status: 'ERR', code: 'INTERNAL', message: `${ERRORS.INTERNAL.meaning} Trace: ${trace}`, trace },
    };
  }
  const message = known.code.startsWith('DB_') ? meaning : known.message;
  const waitS = known.retryAfterS ?? (http === 503 ? RETRY_AFTER_S : undefined);
  return {
    httpStatus: http,
    headers: waitS === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(waitS))) },
    body: { status: 'ERR', code: known.code, message },
  };
}

/** Ends a request that failed: stops reading it, logs what nobody foresaw (it is not in the answer), says what to send. */
export function settleFailure(error: unknown, request: FastifyRequest, log: Log): Failure {
  stopReading(request);
  const failure = failureOf(error, request.id);
  if (failure.httpStatus === 500) {
    const { id: trace, method, routeOptions } = request;
    log.error({ err: error, trace, ip: addressOf(request), method, route: routeOptions.url }, 'request failed');
  }
  return failure;
}

function toKnown(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (typeof code !== 'string') return new SyncError('INTERNAL', undefined, { cause: error });
  const known = CODE_BY_FASTIFY_CODE[code];
  if (known !== undefined) return new SyncError(known, undefined, { cause: error });
  // zlib: the body says gzip and is not, or ends too early.
  if (code.startsWith('Z_')) return new SyncError('BODY_UNREADABLE', 'The body is not the gzip it says it is.');
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') return new SyncError('BODY_UNREADABLE');
  const isOfCaller = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return new SyncError(isOfCaller ? 'REQUEST_INVALID' : 'INTERNAL', undefined, { cause: error });
}
