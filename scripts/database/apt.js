/** Debian and Ubuntu as root: MariaDB installed with apt-get, then started privately like one that was there. */

import { readFileSync } from 'node:fs';
import { findProgram, run } from './command.js';
import { localServer } from './local.js';

/** Other runs, or the system's own updates, may be at it: wait this long. */
const LOCK_SECONDS = 300;

/**
 * Takes the programs alone, whose packages have no system service: nothing starts but what we start.
 *
 * @type {import('./find.js').Way}
 */
export async function aptServer(around) {
  const installed = await aptInstall('MariaDB', packages, around.say);
  if (installed === undefined) return {};
  return installed === '' ? localServer(around) : { reason: installed };
}

/**
 * Installs packages, where that can be done.
 *
 * @param {string} what for the person who waits
 * @param {string[] | (() => Promise<string[]>)} names asked for when the lists are up to date
 * @param {(line: string) => void} say
 * @returns {Promise<string | undefined>} '' when done; why not; undefined: not a system where we do such things
 */
export async function aptInstall(what, names, say) {
  if (process.getuid?.() !== 0 || !isDebianLike() || findProgram('apt-get') === undefined) return undefined;
  say(`installing ${what} with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-q', '-y', '-o', `DPkg::Lock::Timeout=${LOCK_SECONDS}`];
  try {
    // One source of several that does not answer is no reason to give up: the installation will tell.
    await run('apt-get', [...options, 'update'], { env }).catch(() => {});
    const wanted = typeof names === 'function' ? await names() : names;
    await run('apt-get', [...options, '--no-install-recommends', 'install', ...wanted], { env });
    return '';
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/**
 * The server's programs, and what its installer takes from the client's. Debian calls them mariadb-…-core; older
 * releases add the version.
 */
async function packages() {
  const found = await run('apt-cache', ['pkgnames', 'mariadb-server-core']);
  const names = found.split('\n').filter((name) => /^mariadb-server-core(-[\d.]+)?$/.test(name));
  const server = names.toSorted().at(-1) ?? 'mariadb-server-core';
  return [server, server.replace('server', 'client')];
}

/** What os-release says about the system and those it is made from. */
function isDebianLike() {
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease());
}

/** Debian itself, and not one of its descendants. */
export function isDebian() {
  return /^ID="?debian"?$/m.test(osRelease());
}

function osRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
