/**
 * The border to the driver: what it throws becomes a {@link SyncError} here, once, decided by number and code only.
 * The driver's own errors hold the statement with all its values, and server messages quote values; neither may reach a
 * log, so the cause kept is a copy without them.
 */
import { SyncError } from '../model/errors.ts';
import { driverError, isMessageOfNames, serverError } from './server-errors.ts';

/** What the driver said, without statement and values: the `cause` of every database {@link SyncError}. */
export interface DatabaseFailure extends Error {
  /** Number of the server's error; absent for failures of the connection. */
  readonly errno?: number;
  /** `ER_DUP_ENTRY`, `ECONNREFUSED`, … */
  readonly code?: string;
}

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
  const ofCode = code === undefined || isOfFile(error) ? undefined : driverError(code);
  const known = errno === undefined ? ofCode : serverError(errno);
  const chosen = known?.code ?? (unavailable ? 'DB_UNAVAILABLE' : 'DB_ERROR');
  const label = errno === undefined ? (code ?? 'driver') : String(errno);
  return new SyncError(chosen, `${cause.message} (${label})`, { cause, remedy: known?.remedy });
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

/** Whether the server refused with one of these numbers. */
function refusedWith(errnos: readonly number[]): (error: unknown) => boolean {
  const meant = new Set(errnos);
  return (error) => meant.has(errnoOf(error) ?? 0);
}

/** No table of that name. */
export const isMissingTable = refusedWith([1146]);

/** No column of that name. */
export const isMissingColumn = refusedWith([1054]);

/** A table's file is damaged, marked as crashed, or not there: 126 – 145 of the storage engine, told as 1030, 1034, 1035, … */
export const isTableBroken = refusedWith([
  1016, 1017, 1030, 1034, 1035, 1194, 1195, 1459, 1707, 1712, 1812, 1813, 1814, 1877, 1932,
]);

/** A column or index is there already, or gone already. */
export const isAlterDoneBefore = refusedWith([1060, 1061, 1091]);

/** A unique key has that value already. */
export const isDuplicate = refusedWith([1062]);

/** Rows of another table refer to the row by a foreign key that lets it not go. */
export const isRowReferenced = refusedWith([1451]);

/**
 * The account, or the definer of a trigger, lacks a right on the database, a table, a column or a routine: what a statement of
 * ours, or the body of a trigger, meets.
 */
export const isDenied = refusedWith([1044, 1142, 1143, 1370]);

/** As {@link isDenied}, or a privilege of the whole server (1227): anything that a GRANT can mend, so that a new session has it. */
export const isAnyRightMissing = refusedWith([1044, 1142, 1143, 1227, 1370]);

/**
 * A statement on a table that does not exist was refused for the right, not for the table. Columns (1143) and routines (1370)
 * are left out on purpose: no such statement asks for them.
 */
export const isTableRightMissing = refusedWith([1044, 1142]);

/** A statement on a table that does not exist, or with a key of a column that does not, passed the look at rights. */
export const isPastRights = refusedWith([1051, 1072, 1146]);

/** The account is there, and the database or a right on it is not. */
export const isDatabaseDenied = refusedWith([1044]);

/** A binary log is written, and only privileged accounts may create triggers. */
export const isTrustNeeded = refusedWith([1419]);

/** The definer of a trigger is no account of this server. */
export const isDefinerMissing = refusedWith([1449]);

/** What a server refuses for the sake of its binary log when one statement writes tables of several engines. */
export const isEngineMix = refusedWith([1661, 1662, 1663, 1664, 1665, 1666, 1785]);

/** A trigger of that name exists. */
export const isTriggerThere = refusedWith([1359]);

/** The server allows one trigger for an event of a table. */
export const isTriggerLimitReached = refusedWith([1235]);

/** Others hold a lock for longer than we wait for it: `lock_wait_timeout`, or no wait at all. */
export const isLockWaitOver = refusedWith([1205, 3572]);

/** No variable of that name. */
export const isUnknownVariable = refusedWith([1193]);

/** A variable is unknown after all, read-only, for administrators, or not to have this value. */
export const isVariableNotOurs = refusedWith([1193, 1227, 1229, 1231, 1238]);

/** "This server has no such thing", or "you may not know": a syntax, table right, variable or view it does not give us. */
export const isNotToBeKnown = refusedWith([1064, 1142, 1193, 1227, 1238, 1356]);

/** The server knows no roles: no function of that name, no database to look for it in, or no right to one. */
export const isWithoutRoles = refusedWith([1046, 1064, 1305, 1370]);

/** Not a node of a cluster that can be used (1047), shutting down (1053). */
const SENT_AWAY = new Set([1047, 1053]);

/**
 * True if the server is there and cannot serve us: it takes no writes, or no statements. Work may have moved to another one
 * that the same address leads to.
 */
export function isElsewhere(error: unknown): boolean {
  const errno = errnoOf(error) ?? 0;
  return SENT_AWAY.has(errno) || serverError(errno)?.code === 'DB_READ_ONLY';
}

/** Codes of the driver and of sockets that say that a connection went while it was used, or that no answer came on it. */
const LOST = new Set(['ECONNRESET', 'EPIPE', 'PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT', undefined]);
/** Numbers by which the server says so before it closes the connection. */
const LOST_ERRNOS = new Set([1152, 1153, 1158, 1159, 1160, 1161, 1184, 2006, 2013]);

/**
 * True if a connection was lost while it was used: the server may be away, or it, or something between, may not bear the
 * statement: too long, too slow.
 */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof SyncError) || error.code !== 'DB_UNAVAILABLE') return false;
  const errno = errnoOf(error);
  return errno === undefined ? LOST.has(codeOf(error.cause)) : LOST_ERRNOS.has(errno);
}

/** ER_NET_PACKET_TOO_LARGE */
const PACKET_TOO_LARGE = 1153;

/** A statement that is not even sent: the server would say 1153, or nothing, and close the connection. */
export function statementTooLarge(bytes: number, maxPacketBytes: number): SyncError {
  const message = `The statement has ${bytes} bytes, max_allowed_packet of the server is ${maxPacketBytes} (${PACKET_TOO_LARGE})`;
  return new SyncError('DB_ERROR', message, { cause: Object.assign(new Error(message), { errno: PACKET_TOO_LARGE }) });
}

/** True if the whole transaction can be repeated with hope: deadlock, lock wait, certification. */
export function isConflict(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno !== undefined && serverError(errno)?.code === 'DB_CONFLICT';
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
  if (errno === undefined || isMessageOfNames(errno)) return message;
  const tail = / for (?:key|column) (?:'[^']*'|[`\w.]+)(?: at row \d+)?$/.exec(message);
  const head = tail === null ? message : message.slice(0, tail.index);
  return withoutQuoted(head) + (tail === null ? '' : tail[0]);
}

/** The text with an ellipsis from the first quote that has another of its kind after it, to the last of these. */
function withoutQuoted(text: string): string {
  for (const quote of [`'`, `"`].toSorted((one, other) => text.indexOf(one) - text.indexOf(other))) {
    const [start, end] = [text.indexOf(quote), text.lastIndexOf(quote)];
    if (start < end) return `${text.slice(0, start)}'…'${text.slice(end + 1)}`;
  }
  return text;
}
