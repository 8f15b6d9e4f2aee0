/**
 * The programs that dump and restore a database, for the tests that play backups: those of this machine, else those of
 * Debian unstable, in the project's .cache folder.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './database/command.js';
import { canUnpack, loaderOf, unpackedPackages } from './debian-packages.js';

/** By kind of server: their names, newest first, and the packages they are in. */
const PROGRAMS = {
  mariadb: { dump: ['mariadb-dump'], client: ['mariadb'], packages: ['mariadb-client', 'mariadb-client-core'] },
  mysql: { dump: ['mysqldump'], client: ['mysql'], packages: ['mysql-client', 'mysql-client-core'] },
};

/** @typedef {[string, ...string[]]} Command */

/**
 * The commands of a kind of server.
 *
 * @param {'mariadb' | 'mysql'} kind
 * @returns {Promise<{ dump: Command, client: Command } | { reason: string }>} `reason`: what is missing
 */
export async function dumpPrograms(kind) {
  const { dump, client, packages } = PROGRAMS[kind];
  const [ownDump, ownClient] = [findProgram(...dump), findProgram(...client)];
  // MariaDB's packages give its programs MySQL's names too.
  const isOwn = ownDump !== undefined && ownClient !== undefined && !(kind === 'mysql' && findProgram('mariadb-dump'));
  if (isOwn) return { dump: [ownDump], client: [ownClient] };
  const advice = `${dump[0]} is not on this machine: install it, so that backups are played`;
  if (!canUnpack()) return { reason: advice };
  try {
    const isNeeded = (/** @type {string} */ one) =>
      packages.includes(one) || (one.startsWith('lib') && !one.includes('perl'));
    const root = await unpackedPackages(`${kind}-client`, packages, isNeeded, () =>
      console.error(`fetching ${dump[0]} from Debian unstable into the project's .cache folder …`),
    );
    const inRoot = (/** @type {string[]} */ names) => {
      const path = names.map((name) => join(root, 'usr/bin', name)).find((one) => existsSync(one));
      if (path === undefined) throw new Error(`${root} has no ${names.join(', ')}: remove that folder`);
      return /** @type {Command} */ ([...loaderOf(root, join(root, 'usr/lib/mysql/private')), path]);
    };
    return { dump: inRoot(dump), client: inRoot(client) };
  } catch (error) {
    return { reason: `${advice} (Debian unstable: ${/** @type {Error} */ (error).message})` };
  }
}
