/** The dependencies: are they what package-lock.json says, and if not, `npm ci`. Node's built-in modules only. */

import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, runToEnd } from './run.js';

/**
 * Runs `npm ci` if node_modules is missing, incomplete or out of date. Of several runs at once in one folder, one
 * installs and the others wait for it.
 *
 * @param {string} root the folder of package.json
 * @returns {Promise<boolean>} false if npm failed; its output has been printed
 */
export async function installDependencies(root) {
  if (isUpToDate(root)) return true;
  const lock = await lockInstallation(root);
  try {
    return isUpToDate(root) || (await runNpmCi(root, lock));
  } finally {
    lock.release();
  }
}

/**
 * npm leaves its own account of what it installed in node_modules, written last: no account, no complete installation.
 * Packages it may leave out (optional ones, for other systems) are marked so in the lock file.
 *
 * @param {string} root
 */
function isUpToDate(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  if (!existsSync(join(root, 'node_modules', '.bin', 'node'))) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = present[path];
    if (found === undefined ? !entry.optional : !isSame(found, entry)) return false;
  }
  return Object.keys(present).every((path) => wanted[path] !== undefined);
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

/**
 * @param {LockedPackage} one
 * @param {LockedPackage} other
 */
const isSame = (one, other) => one.version === other.version && one.integrity === other.integrity;

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @param {Lock} lock
 */
async function runNpmCi(root, lock) {
  console.error('installing dependencies …');
  // Started by npm, we know which npm; its own settings come along in the environment.
  const npm = process.env.npm_execpath;
  const [program, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const args = [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const log = join(root, '.cache', 'install.log');
  const file = openSync(log, 'w');
  const { pid, ended } = runToEnd(program, args, { cwd: root, stdio: ['ignore', file, file] });
  lock.share(pid);
  const code = await ended;
  closeSync(file);
  if (code !== 0) console.error(`npm ci failed (exit code ${code}):\n${readFileSync(log, 'utf8')}`);
  return code === 0;
}

/** @typedef {{ share: (pid: number | undefined) => void, release: () => void }} Lock */

/**
 * Waits until no other run is installing here. The lock is a file with process ids: ours and, because npm goes on if
 * we are killed, npm's. One whose owners are all gone was left by a crash and is taken over.
 *
 * @param {string} root
 * @returns {Promise<Lock>}
 */
async function lockInstallation(root) {
  const lock = join(root, '.cache', 'installing');
  const draft = `${lock}.${process.pid}`;
  mkdirSync(join(root, '.cache'), { recursive: true });
  for (let told = false; ; await sleep(250)) {
    // Written beside, then linked or renamed: others never see it half written.
    writeFileSync(draft, `${process.pid}`);
    try {
      linkSync(draft, lock);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    if (ownersOf(lock).some(isAlive)) {
      if (!told) console.error('waiting for another run that is installing dependencies here …');
      told = true;
    } else rmSync(lock, { force: true });
  }
  return {
    share(pid) {
      writeFileSync(draft, `${process.pid} ${pid ?? ''}`);
      renameSync(draft, lock);
    },
    release: () => rmSync(lock, { force: true }),
  };
}

/**
 * @param {string} lock
 * @returns {number[]} none if it has been given back meanwhile
 */
function ownersOf(lock) {
  try {
    return readFileSync(lock, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
}
