/** Galera for the MariaDB of this machine: the library, and the programs by which a node gets the data of another. */

import { existsSync } from 'node:fs';
import { findProgram, run } from './command.js';
import { aptInstall } from './apt.js';

const LIBRARIES = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'];
/** The last two are needed by wsrep_sst_rsync. */
const PROGRAMS = ['wsrep_sst_rsync', 'rsync', 'lsof'];
const PACKAGES = ['galera-4', 'mariadb-server', 'rsync', 'lsof'];

/**
 * The path of the library; on Debian and Ubuntu as root installed if it is missing.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<string | undefined>} undefined: it cannot be had here
 */
export async function galeraLibrary(say) {
  const found = library();
  if (found !== undefined) return found;
  await aptInstall('Galera', PACKAGES, say);
  return library();
}

function library() {
  if (PROGRAMS.some((name) => findProgram(name) === undefined)) return undefined;
  return LIBRARIES.find((path) => existsSync(path));
}

/** The user that nodes run as where we are root: as root their rsync would become another user than they are. */
export async function nobody() {
  if (process.getuid?.() !== 0) return undefined;
  return { user: 'nobody', uid: Number(await run('id', ['-u', 'nobody'])) };
}
