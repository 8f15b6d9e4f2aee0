/** Which database server: the order in which ways are tried, and what is said about it. */

import { aptServer } from './apt.js';
import { dockerServer } from './docker.js';
import { givenServer } from './given.js';
import { localServer } from './local.js';
import { mysql9Server } from './mysql9.js';
import { sweepTemporaryFolders } from './sweep.js';

/**
 * @typedef {object} Surroundings
 * @property {boolean} durable every commit is on disk before it is confirmed, as on a real site; slower
 * @property {(line: string) => void} say for the person who waits
 * @property {(leftover: import('../guard.js').Leftover) => void} later what is to be got rid of at the end
 */

/** @typedef {{ url: string, description: string }} Server */

/**
 * A way to a server. No server and no reason: it does not apply here.
 * @typedef {(around: Surroundings) => Promise<{ server: Server } | { reason?: string }>} Way
 */

/** @type {import('./docker.js').Wanted} */
const MARIADB_IMAGE = { kind: 'mariadb', image: 'mariadb:10.11', program: 'mariadbd', variables: 'MARIADB' };
/** @type {import('./docker.js').Wanted} */
const MYSQL_IMAGE = { kind: 'mysql', image: 'mysql:9.7', program: 'mysqld', variables: 'MYSQL' };

/** @type {Way[]} */
const ANY_SERVER = [(around) => dockerServer(around, MARIADB_IMAGE), localServer, aptServer];

/** @type {Way[]} */
const MYSQL_9 = [(around) => dockerServer(around, MYSQL_IMAGE), mysql9Server];

/**
 * Tries one way after the other and says which was taken. TEST_DATABASE_SERVER=mysql asks for one version, so there
 * TEST_DATABASE_URL does not count; else a server named in it is taken or nothing is.
 *
 * @param {Surroundings} around
 * @returns {Promise<Server | undefined>} undefined: none; what to do about it has been said
 */
export async function findServer(around) {
  const wanted = process.env.TEST_DATABASE_SERVER ?? '';
  if (wanted !== '' && wanted !== 'mysql') {
    around.say(`TEST_DATABASE_SERVER is "${wanted}"; it can be "mysql" or unset.`);
    return undefined;
  }
  sweepTemporaryFolders();
  if (wanted === 'mysql') return tryAll(MYSQL_9, around, NO_MYSQL_9);
  if (process.env.TEST_DATABASE_URL) return tryAll([givenServer], around, NO_GIVEN_SERVER);
  return tryAll(ANY_SERVER, around, NO_SERVER);
}

const NO_GIVEN_SERVER = 'No database server: set TEST_DATABASE_URL to one that runs, or unset it to have one started.';
const NO_SERVER =
  'No database server: install MariaDB (Debian, Ubuntu: apt-get install mariadb-server; macOS: brew install mariadb), ' +
  'start Docker, or set TEST_DATABASE_URL=mysql://root:password@host:3306/.';
const NO_MYSQL_9 = 'No MySQL 9.7: it is had from Docker, or with apt-get on Debian.';

/**
 * @param {Way[]} ways
 * @param {Surroundings} around
 * @param {string} none
 */
async function tryAll(ways, around, none) {
  for (const way of ways) {
    const outcome = await way(around);
    if ('server' in outcome) {
      around.say(`database server: ${outcome.server.description}`);
      return outcome.server;
    }
    if (outcome.reason !== undefined) around.say(outcome.reason);
  }
  around.say(none);
  return undefined;
}
