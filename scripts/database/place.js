/** Where the folders of private servers are made. */

import { accessSync, constants, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';

/** Linux: files in memory. */
const MEMORY = '/dev/shm';

/** What the tests' databases come to at most, several times over; as much again stays for everybody else. */
const ROOM_BYTES = 4 * 2 ** 30;

/** Every place that may hold a folder of ours. */
export const places = () => [...new Set([tmpdir(), ...(isWritable(MEMORY) ? [MEMORY] : [])])];

/**
 * Memory where there is plenty and nothing has to last: a test makes hundreds of tables, and servers wait for the disk
 * several times for each, which on a slow one takes longer than all the rest. The temporary folder otherwise.
 *
 * @param {boolean} durable
 */
export function placeOfServer(durable) {
  const roomy = () => freeBytes(MEMORY) >= ROOM_BYTES && freemem() >= 2 * ROOM_BYTES;
  return !durable && isWritable(MEMORY) && roomy() ? MEMORY : tmpdir();
}

/** @param {string} folder */
function freeBytes(folder) {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** @param {string} folder */
function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
