/** Every error of the server that is known by number: its own words stay readable, and a value of a row never does. */
import { describe, expect, it } from 'vitest';
import { toSyncError } from '../../src/db/failures.ts';
import { knownServerErrors } from '../../src/db/server-errors.ts';
import { remedyOf } from '../../src/model/errors.ts';

const thrown = (errno: number, message: string): unknown => Object.assign(new Error(message), { errno, code: 'ER_X' });

describe("the server's errors", () => {
  it.each([
    [1226, "User 'u' has exceeded the 'max_user_connections' resource (current value: 5)", 'MAX_USER_CONNECTIONS 0'],
    [1203, "User u already has more than 'max_user_connections' active connections", 'max_user_connections'],
    [1040, 'Too many connections', 'max_connections'],
    [1129, "Host '10.0.0.5' is blocked because of many connection errors", 'FLUSH HOSTS'],
    [1130, "Host '10.0.0.5' is not allowed to connect to this MariaDB server", 'for the host that the message names'],
    [3159, 'Connections using insecure transport are prohibited while --require_secure_transport=ON.', 'database.ssl'],
    [1698, "Access denied for user 'u'@'localhost'", 'unix_socket'],
    [1524, "Plugin 'ed25519' is not loaded", 'IDENTIFIED BY'],
    [3118, "Access denied for user 'u'@'h'. Account is locked.", 'ACCOUNT UNLOCK'],
    [1153, "Got a packet bigger than 'max_allowed_packet' bytes", '16777216'],
    [1114, "The table 'oc_t_log' is full", 'disk'],
    [1194, "Table 'oc_t_item_description' is marked as crashed and should be repaired", 'REPAIR TABLE'],
    [1558, 'Column count of mysql.proc is wrong. Expected 21, found 20. Please use mysql_upgrade', 'mariadb-upgrade'],
    [1665, 'Cannot execute statement: BINLOG_FORMAT = STATEMENT', 'binlog_format to ROW'],
    [1135, "Can't create a new thread (errno 11)", 'out of memory or threads'],
  ])('%d keeps its meaning, and says what to do', (errno, message, remedy) => {
    const error = toSyncError(thrown(errno, message));
    expect(error.message).toBe(`${message} (${errno})`);
    expect(remedyOf(error)).toContain(remedy);
    // What is printed on a terminal, logged by the daemon and shown by check is the same.
    expect(remedyOf(error).length).toBeLessThan(320);
  });

  it.each([
    [1062, "Duplicate entry 'ana@example.com' for key 's_email'", "Duplicate entry '…' for key 's_email' (1062)"],
    [
      1366,
      "Incorrect string value: '\\xF0' for column 's_name' at row 1",
      "Incorrect string value: '…' for column 's_name' at row 1 (1366)",
    ],
    [1292, "Truncated incorrect DOUBLE value: 'secret'", "Truncated incorrect DOUBLE value: '…' (1292)"],
  ])('%d shows no value', (errno, message, shown) => {
    expect(toSyncError(thrown(errno, message)).message).toBe(shown);
  });

  it('are numbers of the server, each with a remedy of one or two sentences where the code is not enough', () => {
    const known = knownServerErrors();
    expect(known.size).toBeGreaterThan(70);
    const odd = [...known].filter(([errno, { remedy = 'Fine.' }]) => errno < 1000 || !/^[A-Z].*[.)]$/.test(remedy));
    expect(odd).toEqual([]);
  });
});
