/**
 * The server's errors that an operator may meet, by number: which code of the registry each is, what to do where that is
 * more than the code says, and whether its message may be shown whole. Numbers of MySQL 5.7 – 9.x and MariaDB 10.3 – 11.x.
 */
import type { ErrorCode } from '../model/errors.ts';

/** What is known of one number. */
export interface ServerError {
  readonly code: ErrorCode;
  /** One sentence: what the operator does; absent: what the registry says for the code. */
  readonly remedy?: string;
}

const CONNECTIONS_OF_OURS = 6;
const UPGRADE =
  "The server was upgraded without its tables: run mariadb-upgrade, or mysql_upgrade, as the server's administrator.";
const DISK = 'The disk of the database server is full: make room there. Nothing is lost, work goes on by itself.';
const MEMORY = 'The database server is out of memory or threads: look at its limits and its error log.';
const REPAIR = 'The table is damaged: CHECK TABLE and REPAIR TABLE as an administrator, or restore it.';
const GRANTS = '`account-sync install --dry-run`';
const METHOD =
  'Give `database.user` a login by password that clients know: ALTER USER … IDENTIFIED BY … (mysql_native_password or caching_sha2_password).';

const KNOWN = new Map<number, ServerError>([
  // No connection
  ...of('DB_UNAVAILABLE', [1047, 1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003]),
  ...of('DB_UNAVAILABLE', [2006, 2013, 3169, 4031]),
  ...of(
    'DB_UNAVAILABLE',
    [1040],
    `All connections of the server are taken: see SHOW PROCESSLIST, or raise max_connections. A daemon takes at most ${CONNECTIONS_OF_OURS}.`,
  ),
  ...of(
    'DB_UNAVAILABLE',
    [1203],
    `The account has too few connections: raise max_user_connections (a daemon takes at most ${CONNECTIONS_OF_OURS}, a command as many).`,
  ),
  ...of(
    'DB_UNAVAILABLE',
    [1226],
    'The account has a limit, which the message names. As an administrator: ALTER USER … WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0 MAX_USER_CONNECTIONS 0. Where the hoster sets it, ask for another account.',
  ),
  ...of(
    'DB_UNAVAILABLE',
    [1129],
    'The server has blocked this machine after too many broken connections: FLUSH HOSTS as an administrator, and raise max_connect_errors.',
  ),
  ...of('DB_UNAVAILABLE', [1037, 1041, 1135], MEMORY),

  // No admission
  ...of('DB_ACCESS_DENIED', [1045]),
  ...of(
    'DB_ACCESS_DENIED',
    [1044],
    `The account may not use this database, or there is none of that name: check \`database.name\`, and run the GRANT statements that ${GRANTS} prints.`,
  ),
  ...of(
    'DB_ACCESS_DENIED',
    [1130],
    'The server knows no account for this machine: create `database.user` for the host that the message names.',
  ),
  ...of('DB_ACCESS_DENIED', [1251, 1524], METHOD),
  ...of(
    'DB_ACCESS_DENIED',
    [1698],
    `The account logs in without a password, as a user of the operating system (unix_socket, auth_socket). ${METHOD}`,
  ),
  ...of(
    'DB_ACCESS_DENIED',
    [1820, 1862],
    'The password has expired: ALTER USER … IDENTIFIED BY … PASSWORD EXPIRE NEVER, and put it into `database.password`.',
  ),
  ...of('DB_ACCESS_DENIED', [3118, 4151], 'The account is locked: ALTER USER … ACCOUNT UNLOCK, as an administrator.'),
  ...of(
    'DB_ACCESS_DENIED',
    [3955],
    'The account is locked after wrong passwords: correct `database.password`, then ALTER USER … ACCOUNT UNLOCK.',
  ),
  ...of(
    'DB_ACCESS_DENIED',
    [3159],
    'The server takes encrypted connections only: set `database.ssl` to true, or to a mapping with `ca_file` where its certificate is signed by an authority of its own.',
  ),
  ...of('DB_ERROR', [1049], 'Check `database.name`: the server has no database of that name.'),

  // Rights
  ...of('DB_MISSING_RIGHT', [1142, 1143, 1227, 1370, 1095, 1211, 1410]),
  ...of('TRIGGERS_NEED_TRUST', [1419]),
  ...of(
    'DB_ERROR',
    [1449],
    'The account that a trigger or view was made by is gone. Ours: run `account-sync install`. Others: make them again, or the account.',
  ),

  // What the server is, and how it is set
  ...of('DB_READ_ONLY', [1290, 1792, 1836, 3100]),
  ...of(
    'DB_ERROR',
    [1665],
    'Set binlog_format to ROW or MIXED on the server: STATEMENT cannot hold what is written here.',
  ),
  ...of(
    'DB_ERROR',
    [1153],
    'Raise max_allowed_packet of the server to 16 MiB or more: SET GLOBAL max_allowed_packet = 16777216, and in its configuration.',
  ),
  ...of(
    'DB_ERROR',
    [1969, 3024],
    'The server ends statements after a time: raise max_statement_time (MariaDB) or max_execution_time (MySQL) for `database.user`.',
  ),
  ...of('DB_ERROR', [1206], 'Raise innodb_buffer_pool_size of the server: there is no room for its locks.'),
  ...of('DB_ERROR', [1038], 'Raise sort_buffer_size of the server.'),
  ...of('DB_ERROR', [1459, 1545, 1547, 1558, 1707, 1728], UPGRADE),

  // What it lacks or has lost
  ...of('DB_ERROR', [1021, 1114], DISK),
  ...of('DB_ERROR', [1034, 1035, 1194, 1195, 1812, 1932], REPAIR),
  ...of('HOST_CHANGED', [1054, 1146, 1364]),
  ...of(
    'HOST_CHANGED',
    [1356],
    'A view of the site names tables or columns that are gone, or lacks rights: repair or drop it.',
  ),

  // To be tried again
  ...of('DB_CONFLICT', [1020, 1180, 1205, 1213, 1412, 1614, 1689, 3058, 3101, 3572]),
]);

/** Messages whose quotes hold names and settings, and never a value of a row. */
const QUOTES_NAMES = new Set([
  1034, 1035, 1044, 1045, 1048, 1049, 1050, 1051, 1054, 1061, 1072, 1091, 1109, 1114, 1129, 1130, 1142, 1143, 1146,
  1147, 1153, 1184, 1193, 1194, 1195, 1203, 1226, 1227, 1264, 1290, 1305, 1317, 1356, 1364, 1370, 1406, 1419, 1449,
  1451, 1452, 1459, 1524, 1545, 1547, 1558, 1698, 1707, 1728, 1812, 1820, 1862, 1932, 3118, 3159, 3955,
]);

/** What is known of this number; undefined: nothing. */
export function serverError(errno: number): ServerError | undefined {
  return KNOWN.get(errno);
}

/** True if the server's message may be shown as it is. */
export function isMessageOfNames(errno: number): boolean {
  return QUOTES_NAMES.has(errno);
}

/** Every number that something is known of, for tests. */
export function knownServerErrors(): ReadonlyMap<number, ServerError> {
  return KNOWN;
}

/** What the driver and the operating system say where no server did, and what to do. */
const WITHOUT_SERVER = new Map<string, ServerError>([
  ...of(
    'DB_UNAVAILABLE',
    ['ECONNREFUSED'],
    'Nothing listens there: check `database.host` and `database.port`, and that the server runs. In a container 127.0.0.1 and localhost are the container itself: name the host or the service that the database is on.',
  ),
  ...of(
    'DB_UNAVAILABLE',
    ['ENOENT'],
    'No server has that socket: check `database.socket_path`. Into a container its folder has to be mounted.',
  ),
  ...of(
    'DB_UNAVAILABLE',
    ['ENOTFOUND', 'EAI_AGAIN'],
    'Check `database.host`: the name cannot be resolved here. Names of containers are known in their own network only.',
  ),
  ...of(
    'DB_UNAVAILABLE',
    ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
    'Check `database.host` and `database.port`, and what stands in between: nothing answers there, as behind a firewall.',
  ),
  ...of(
    'DB_UNAVAILABLE',
    ['HANDSHAKE_NO_SSL_SUPPORT'],
    'The server offers no encryption: give it a certificate, or take `database.ssl` out of the config.',
  ),
  ...of(
    'DB_UNAVAILABLE',
    ['HANDSHAKE_SSL_ERROR'],
    'If it lasts, the certificate of the server is not trusted: put the authority that signed it into `database.ssl.ca_file`.',
  ),
  ...of('DB_ACCESS_DENIED', ['AUTH_SWITCH_PLUGIN_ERROR', 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED'], METHOD),
]);

/** The same for a code of the driver or of a socket. */
export function driverError(code: string): ServerError | undefined {
  return WITHOUT_SERVER.get(code);
}

function of<K extends number | string>(code: ErrorCode, keys: readonly K[], remedy?: string): [K, ServerError][] {
  return keys.map((key) => [key, remedy === undefined ? { code } : { code, remedy }]);
}
