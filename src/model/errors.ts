/**
 * The error registry: every code that can reach a log, an API answer or a terminal, what it means and what a person
 * does about it. docs/error-codes.md is made from it.
 */
import { entry, type ErrorEntry } from './error-entry.ts';

/** All codes. Add here, nowhere else. */
export const ERRORS = {
  // The command line and the config
  CONFIG_INVALID: entry('The config file has problems.', 'Correct each line that was printed.', 'refuse', 500, 2),
  TLS_UNVERIFIED: entry(
    'NODE_TLS_REJECT_UNAUTHORIZED=0 would let anybody on the way pass for a peer, and read and change everything.',
    'Unset it. For a certificate authority of your own start with NODE_EXTRA_CA_CERTS=FILE.',
    'stop',
    503,
    2,
  ),
  PEER_UNKNOWN: entry('No peer of that name is in the config.', 'Use a name from `peers`.', 'refuse', 404, 2),

  CANNOT_LISTEN: entry(
    'The HTTP server cannot listen.',
    'Choose another `http.port` or `http.host`, or stop what listens there.',
    'stop',
    503,
  ),

  // Our own database
  DB_UNAVAILABLE: entry(
    'The database cannot be reached.',
    'Nothing: work goes on when it is back. If it stays away, check host, port and server.',
    'retry',
    503,
  ),
  DB_ACCESS_DENIED: entry(
    'The database refused the account.',
    'Check `database.user` and `database.password`, from which host the account may connect, and whether it has to use TLS (`database.ssl`).',
    'retry',
    503,
  ),
  DB_MISSING_RIGHT: entry(
    'The database account lacks a right.',
    'Run the GRANT statements that `account-sync install --dry-run` prints.',
    'stop',
    503,
  ),
  DB_READ_ONLY: entry(
    'The database server is read-only or a replica.',
    'Connect the daemon to the server that the site writes to. If this one was just promoted: SET GLOBAL read_only = 0, and RESET REPLICA ALL.',
    'stop',
    503,
  ),
  DB_BACKSLASH_ESCAPES: entry(
    'The server forces NO_BACKSLASH_ESCAPES, under which values cannot be sent safely.',
    'Remove NO_BACKSLASH_ESCAPES from the sql_mode that the server forces (init_connect).',
    'stop',
    503,
  ),
  DB_CONFLICT: entry(
    'The transaction lost against another one (deadlock, lock wait or cluster certification).',
    'Nothing: it is tried again.',
    'retry',
    503,
  ),
  DB_ERROR: entry(
    'The database refused a statement.',
    'Read the server message that comes with it; report it if it is not about your server.',
    'retry',
    500,
  ),
  TRIGGERS_NEED_TRUST: entry(
    'The server writes a binary log and lets only privileged accounts create triggers (error 1419).',
    'As an administrator: SET GLOBAL log_bin_trust_function_creators = 1 (and in my.cnf). If nobody may, set capture.mode to scan.',
    'stop',
    503,
  ),
  TRIGGER_FOREIGN: entry(
    'Another trigger holds the event and this server allows one trigger per event.',
    'Upgrade to MySQL 5.7.2 or MariaDB 10.2.3, remove the other trigger, or set capture.mode to scan.',
    'stop',
    503,
  ),
  TRIGGERS_BREAK_WRITES: entry(
    'With triggers on them, tables of the site would take no writes, so there are none.',
    "Correct what the server's message says, or set capture.mode to scan. The tables of the site have to be InnoDB.",
    'stop',
    503,
  ),
  TABLE_BUSY: entry(
    'A long transaction keeps the table locked, so triggers cannot be changed now.',
    'Find it with SHOW PROCESSLIST, or try again when it has ended.',
    'retry',
    503,
  ),
  HOST_TABLE_MISSING: entry(
    'A table of Osclass was not found in the database.',
    'Check `database.name` and `database.table_prefix`.',
    'stop',
    503,
  ),
  HOST_TABLE_UNFIT: entry(
    'A table of Osclass lacks what accounts are told apart by: its primary key, AUTO_INCREMENT, or the unique address.',
    'Run the ALTER TABLE of the message, as after an import that stopped half-way; an account that got the id 0 needs another one first. The daemon goes on by itself.',
    'retry',
    503,
  ),
  HOST_PART_MISSING: entry(
    'A table or column of the site that was synchronised is not there any more.',
    'Bring it back, or, if it is gone for good, run `account-sync install`, which gives it up.',
    'report',
    409,
    3,
  ),
  HOST_CHANGED: entry(
    'A column or table of the site is not as it was when the daemon last looked.',
    'Nothing: the daemon looks again. If it stays, a trigger or a table of ours is broken; see the message.',
    'retry',
    503,
  ),
  NOT_INSTALLED: entry(
    'The tables of account-sync are not in the database.',
    'Run `account-sync install` (or `run`, which does it by itself).',
    'stop',
    503,
  ),
  SCHEMA_NEWER: entry(
    'The tables were made by a newer version of account-sync.',
    'Run that version or a later one.',
    'stop',
    503,
  ),
  BASELINE_PENDING: entry(
    'The site is still looking at its users for the first time.',
    'Nothing: it is tried again; `account-sync status` on that site shows how far it is.',
    'retry',
    503,
  ),
  RESTORED_OR_CLONED: entry(
    'The server, the database or the address of this site is another one than last time; nothing is sent or applied.',
    'Say what it is: `account-sync resume --moved` (the same site at another place), `--restored` (older data of it) or `--clone` (another site made from its data).',
    'stop',
    503,
    3,
  ),
  LEASE_LOST: entry(
    'Another daemon of this site took over this work.',
    'Nothing: the other one goes on.',
    'retry',
    503,
  ),

  // Peers
  PEER_UNREACHABLE: entry(
    'The peer cannot be reached.',
    'Nothing is lost: entries wait. Check the peer and its URL if it lasts.',
    'retry',
    502,
  ),
  PEER_TIMEOUT: entry('The peer did not answer in time.', 'Nothing is lost: entries wait.', 'retry', 504),
  PEER_REFUSED_KEY: entry(
    'The peer refused our key.',
    'Put our public key, or without one our `site.api_key` (the `send_key` of its entry), into the config of the peer, under the entry for this site.',
    'retry',
    502,
  ),
  PEER_REFUSED_SIGNATURE: entry(
    'The peer refused our signature.',
    'The log of the peer says why: our public key is not in its entry for us, a name differs (its site.name and that of our entry for it, ours and that of its entry), the clocks, or a proxy that changes the path (`http.public_path` there).',
    'retry',
    502,
  ),
  PEER_FAILED: entry('The peer answered with an error.', 'Look into the log of the peer.', 'retry', 502),
  PEER_BLOCKED: entry(
    'Something in front of the peer refused the call, or only what is in it; the peer did not see it.',
    'Exempt the path of the daemon there from firewall rules, passwords, captchas and maintenance pages; then retry what is parked.',
    'retry',
    502,
  ),
  KEY_STRIPPED: entry(
    'The peer gets our calls without our key or signature.',
    'Let the proxy in front of the peer pass the Authorization header on, and Signature, Signature-Input, Content-Digest and Account-Sync-To.',
    'retry',
    502,
  ),
  PEER_BAD_ANSWER: entry(
    'What answered does not speak our protocol.',
    'Check the URL of the peer, above all its path, and proxies between.',
    'retry',
    502,
  ),

  // Records and users
  EMAIL_UNPROVEN: entry(
    "Nobody has proved, on the site that sends it, that the address of the account is its owner's, and an account of the other site has that address, or may have it: a peer with the PHP plugin cannot say; or a person parted the two.",
    "Nothing: it goes through by itself once the owner proves the address on the site that sends it. If you know that both are one person's, run `account-sync link EMAIL PEER`. If the addresses of that whole site are proved, or it and this one are yours and you accept it, set `email_trust: verified` for that peer.",
    'park',
    409,
    3,
  ),
  EMAIL_TAKEN: entry(
    'Another account of this site already has the e-mail address.',
    'Give one of the two accounts another address; the record then goes through by itself.',
    'park',
    409,
    3,
  ),
  USERNAME_TAKEN: entry(
    'Another account of this site already has the user name; the present one was kept.',
    'Nothing, or change one of the two names.',
    'report',
    409,
  ),
  VALUE_UNSTORABLE: entry(
    'A value does not fit the column of this site, or is a password that is no whole hash of a kind and cost that it takes; the old value was kept.',
    'Change the value or the column; it is tried again when either changes. A password is set anew where it comes from.',
    'park',
    422,
    3,
  ),
  VALUE_ALTERED: entry(
    'The column of this site stored the value in a shorter or rounded form, or it was stored without its markup (`sanitize`).',
    'Nothing, or give the column the type it has on the other site.',
    'report',
    200,
  ),
  PASSWORD_MISSING: entry(
    'The peer sent no password that could be stored (the PHP plugin masks them in feeds), so nobody can log in.',
    'The user resets the password, or is edited on the peer, which then sends it whole.',
    'report',
    200,
  ),
  LOCATION_UNKNOWN: entry(
    'This site does not know the country, region or city; the name is kept as text.',
    'Add the place to this site if its users should be found by it.',
    'report',
    200,
  ),
  LOCALE_UNKNOWN: entry(
    'This site does not have the language of the description.',
    'Install the language if the text should appear here.',
    'report',
    200,
  ),
  FOREIGN_KEY: entry(
    'A table that is not part of Osclass refers to the account.',
    'Remove the rows named in the message, then retry.',
    'park',
    409,
    3,
  ),
  FILES_LEFT: entry(
    'Image files of removed listings stay on the disk of the site, which the daemon cannot reach.',
    'Delete the files that the message names.',
    'report',
    200,
  ),
  CLOCK_SKEW: entry(
    'The record carries a time more than 60 s ahead of our clock.',
    'Set the clocks of both machines (NTP).',
    'retry',
    409,
  ),
  GUARD_HELD: entry(
    'More accounts than the guard lets through within a while are removed or disabled, get another password or address, are unblocked or activated, or are made.',
    'If it is right, run `account-sync approve PEER`. If nobody meant it, look who has access to that site.',
    'park',
    409,
    3,
  ),
  CONFLICT: entry(
    'Both sites changed the same thing; the later change was kept.',
    'Nothing; the value that lost is in the log, masked.',
    'report',
    200,
  ),
  USER_REMOVED: entry('The account was removed; the record came too late.', 'Nothing.', 'report', 200),
  USER_BUSY: entry('The account is locked by a transaction of the site.', 'Nothing: it is tried again.', 'retry', 503),
  NOT_ACCEPTED: entry(
    'The peer does not take records from us, or we none from it; or it changed an address, and its entry here does not list `s_email` in `columns`.',
    'See `receive` and `send` in the config of both sites. An address: list `s_email`, and it goes through by itself; or drop what is parked.',
    'park',
    403,
    3,
  ),

  // HTTP
  API_KEY_MISSING: entry('API Key is missing', 'Send `Authorization: Bearer KEY`.', 'refuse', 401),
  API_KEY_INVALID: entry(
    'API Key is invalid - no account found',
    'Put the key of the caller into `peers` of this site.',
    'refuse',
    403,
  ),
  SIGNATURE_INVALID: entry(
    'The signature is not accepted.',
    'The log of whoever was called says why: a public key or site name that differs between the two configs, a clock, a proxy that changes the path (`http.public_path`), a copy of an earlier request.',
    'refuse',
    401,
  ),
  FORBIDDEN: entry('The key is not for this route.', 'Use the admin token for admin routes.', 'refuse', 403),
  NOT_FOUND: entry(
    'There is nothing at this address.',
    'Check what was asked for: the name or address; of a call, method and path.',
    'refuse',
    404,
  ),
  BODY_TOO_LARGE: entry(
    'The body is larger than `http.max_body`, or than a proxy in front takes.',
    'Send less at once, or raise `http.max_body` and the limit of the proxy (nginx: client_max_body_size).',
    'refuse',
    413,
  ),
  MEDIA_TYPE: entry('The content type or encoding is not supported.', 'Send JSON, plain or gzip.', 'refuse', 415),
  BODY_UNREADABLE: entry('The body cannot be read.', 'Send valid JSON, and gzip only if so marked.', 'refuse', 400),
  REQUEST_INVALID: entry('The request is not what the route expects.', 'See /openapi.json.', 'refuse', 422),
  RATE_LIMITED: entry('Too many failed authentications.', 'Wait as Retry-After says; check the key.', 'refuse', 429),
  QUOTA: entry(
    'A peer calls, sends or has parked more than its quota.',
    'Nothing: it waits, and comes again. If it goes on, see `account-sync parked` on the site that says so, or raise `quotas` there.',
    'retry',
    429,
  ),
  OVERLOADED: entry(
    'Too much is being sent to this site at once.',
    'Nothing: it is sent again. If it lasts, send smaller batches (`stream.batch_size`), or allow more (`http.max_body`).',
    'retry',
    503,
  ),
  STOPPING: entry('The daemon is stopping.', 'Try again in a moment.', 'refuse', 503),
  INTERNAL: entry('Something failed that should not.', 'Report it with the log line of the same trace.', 'refuse', 500),
} as const satisfies Record<string, ErrorEntry>;

/** A key of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

type ErrorOptions = Partial<Pick<SyncError, 'cause' | 'httpStatus' | 'retryAfterS' | 'remedy'>>;

/** The one error class. `message` is for people and never holds a secret; `cause` is what was thrown below. */
export class SyncError extends Error {
  override readonly name = 'SyncError';
  readonly code: ErrorCode;
  /** The HTTP status of the far side's answer, if it is an answer that failed. */
  readonly httpStatus: number | undefined;
  /** Seconds the far side asked us to wait at least, if it did. */
  readonly retryAfterS: number | undefined;
  /** What the operator does about this one, where that is other or more than what the registry says of its code. */
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message?: string, options: ErrorOptions = {}) {
    super(message ?? ERRORS[code].meaning, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.httpStatus = options.httpStatus;
    this.retryAfterS = options.retryAfterS;
    this.remedy = options.remedy;
  }
}

/** What the registry says of an error's code; unknown errors count as `INTERNAL`. */
export function entryOf(error: unknown): ErrorEntry {
  return ERRORS[error instanceof SyncError ? error.code : 'INTERNAL'];
}

/** What the operator does about an error: its own remedy, else that of its code. */
export function remedyOf(error: unknown): string {
  return (error instanceof SyncError ? error.remedy : undefined) ?? entryOf(error).remedy;
}
