/**
 * The border to the driver: what it throws becomes a {@link SyncError} here, once, decided by number and code only.
 * The driver's own errors hold the statement with all its values, and server messages quote values; neither may reach a
 * log, so the cause kept is a copy without them.
 */
import { SyncError, type ErrorCode } from '../model/errors.ts';

/** What the driver said, without statement and values: the `cause` of every database {@link SyncError}. */
export interface DatabaseFailure extends Error {
  /** Number of the server's error; absent for failures of the connection. */
  readonly errno?: number;
  /** `ER_DUP_ENTRY`, `ECONNREFUSED`, … */
  readonly code?: string;
}

const CODE_BY_ERRNO = new Map<number, ErrorCode>([
  ...pairs('DB_UNAVAILABLE', [1040, 1047, 1053, 1077, 1079, 1080, 1129, 1152, 1158, 1159, 1160, 1161, 1184, 1203]),
  ...pairs('DB_UNAVAILABLE', [1226, 1927, 2002, 2003, 2006, 2013, 3169, 4031]),
  ...pairs('DB_ACCESS_DENIED', [1044, 1045, 1130, 1251, 1524, 1698, 1862, 3118, 3955, 4151]),
  ...pairs('DB_MISSING_RIGHT', [1142, 1143, 1227, 1370, 1095, 1211, 1410]),
  ...pairs('DB_READ_ONLY', [1290, 1792, 1836, 3100]),
  ...pairs('DB_CONFLICT', [1020, 1180, 1205, 1213, 1614, 1689, 3058, 3101, 3572]),
  ...pairs('TRIGGERS_NEED_TRUST', [1419]),
  ...pairs('HOST_CHANGED', [1054, 1146, 1364]),
]);

/** Codes of the driver and of sockets that say the server is not there (any more). */
const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'HANDSHAKE_NO_SSL_SUPPORT',
  'HANDSHAKE_SSL_ERROR',
  'POOL_CLOSED',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_UNEXPECTED_PACKET',
]);

/** Server messages whose quotes hold names only. Of all others the quoted part is masked. */
const QUOTES_NAMES = new Set([
  1044, 1045, 1048, 1049, 1050, 1051, 1054, 1061, 1072, 1091, 1109, 1142, 1143, 1146, 1147, 1227, 1264, 1290, 1305,
  1317, 1364, 1370, 1406, 1449, 1451, 1452,
]);

/**
 * The {@link SyncError} for anything thrown on the way to the database. A `SyncError` is returned as it is; what is no
 * database error at all becomes `INTERNAL` with the error as its cause.
 */
export function toSyncError(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  const errno = errnoOf(error);
  const code = codeOf(error);
  const unavailable = isClosed(error) || (code !== undefined && UNAVAILABLE.has(code) && !isOfFile(error));
  if (errno === undefined && !unavailable && !isDriverError(error)) {
    return new SyncError('INTERNAL', undefined, { cause: error });
  }
  const cause = scrubbed(error as Error, errno, code);
  const known = errno === undefined ? undefined : CODE_BY_ERRNO.get(errno);
  const chosen = known ?? (unavailable ? 'DB_UNAVAILABLE' : 'DB_ERROR');
  const label = errno === undefined ? (code ?? 'driver') : String(errno);
  return new SyncError(chosen, `${cause.message} (${label})`, { cause });
}

/** The server's error number, of the error itself or of what caused it; undefined if the server said nothing. */
export function errnoOf(error: unknown): number | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { errno } = at as { errno?: unknown };
    // Sockets use negative numbers for errors of the operating system.
    if (typeof errno === 'number' && errno > 0) return errno;
  }
  return undefined;
}

/** Not a node of a cluster that can be used (1047), shutting down (1053). */
const SENT_AWAY = new Set([1047, 1053]);

/**
 * True if the server is there and cannot serve us: it takes no writes, or no statements. Work may have moved to another one
 * that the same address leads to.
 */
export function isElsewhere(error: unknown): boolean {
  const errno = errnoOf(error) ?? 0;
  return SENT_AWAY.has(errno) || CODE_BY_ERRNO.get(errno) === 'DB_READ_ONLY';
}

/** True if the whole transaction can be repeated with hope: deadlock, lock wait, certification. */
export function isConflict(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno !== undefined && CODE_BY_ERRNO.get(errno) === 'DB_CONFLICT';
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** A statement on a connection that the server has closed in between: mysql2 says so with this flag and no code. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && (error as { fatal?: unknown }).fatal === true && codeOf(error) === undefined;
}

/** ENOENT of a socket means no server, of a file something else. */
function isOfFile(error: unknown): boolean {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return code === 'ENOENT' && syscall !== 'connect';
}

/** Errors of mysql2 without a number: protocol and pool failures. */
function isDriverError(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^(?:PROTOCOL_|HANDSHAKE_|POOL_|AUTH_|ER_)/.test(code);
}

function scrubbed(error: Error, errno: number | undefined, code: string | undefined): DatabaseFailure {
  const copy: DatabaseFailure & { errno?: number; code?: string } = new Error(maskMessage(error.message, errno));
  const frames = error.stack?.match(/^ +at .*$/gm) ?? [];
  copy.stack = [`Error: ${copy.message}`, ...frames].join('\n');
  if (errno !== undefined) copy.errno = errno;
  if (code !== undefined) copy.code = code;
  return copy;
}

/** `Duplicate entry 'a@b.c' for key 's_email'` → `Duplicate entry '…' for key 's_email'`. */
function maskMessage(message: string, errno: number | undefined): string {
  if (errno === undefined || QUOTES_NAMES.has(errno)) return message;
  const tail = / for (?:key|column) (?:'[^']*'|[`\w.]+)(?: at row \d+)?$/.exec(message);
  const head = tail === null ? message : message.slice(0, tail.index);
  return head.replace(/(['"]).*\1/s, "'…'") + (tail === null ? '' : tail[0]);
}

function pairs(code: ErrorCode, numbers: readonly number[]): [number, ErrorCode][] {
  return numbers.map((errno) => [errno, code]);
}
