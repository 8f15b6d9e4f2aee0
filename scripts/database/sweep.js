/** Temporary folders of runs that could not clean up: even the guard was killed, or the machine went down. */

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../run.js';
import { places } from './place.js';

/** All temporary folders of servers are called so. */
export const FOLDER_PREFIX = 'osclass-account-sync-server-';

/** A folder without an owner yet is being made, unless it is this old. */
const UNMARKED_MS = 60_000;

/**
 * Writes down whose folder this is, and which server runs in it.
 *
 * @param {string} folder
 * @param {number} [server] process id
 */
export function markOwner(folder, server) {
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ owner: process.pid, server }));
}

/** Removes the folders whose owners are gone, and stops the servers that still run in them. */
export function sweepTemporaryFolders() {
  for (const folder of places().flatMap(foldersIn)) {
    try {
      const { owner, server } = ownerOf(folder);
      if (owner !== undefined && isAlive(owner)) continue;
      if (server !== undefined && commandOf(server).includes(folder)) process.kill(server, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // Somebody else's folder, or being removed by its guard or another sweep.
    }
  }
}

/** @param {string} place */
const foldersIn = (place) =>
  readdirSync(place)
    .filter((name) => name.startsWith(FOLDER_PREFIX))
    .map((name) => join(place, name));

/**
 * @param {string} folder
 * @returns {{ owner?: number, server?: number }}
 * @throws while it cannot be told
 */
function ownerOf(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8'));
  } catch (error) {
    if (Date.now() - statSync(folder).mtimeMs < UNMARKED_MS) throw error;
    return {};
  }
}

/**
 * The command line of a process. Process ids are used again: only one that names the folder is the folder's server.
 *
 * @param {number} pid
 */
function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
