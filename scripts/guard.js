/**
 * Cleans up after with-database.js, however that ends: it holds the other end of our standard input, and the system
 * closes that even for a process killed with SIGKILL. In a session of our own, no Ctrl-C reaches us.
 *
 * Each line of input is something to be got rid of at the end, as JSON, and is dealt with last in, first out:
 *
 *     {"kind":"processes","pid":71,"graceMs":10000}   a process and its group: SIGTERM, then SIGKILL
 *     {"kind":"folder","path":"/tmp/…"}
 *     {"kind":"containers","label":"name=value"}
 */

import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeContainers } from './database/docker.js';
import { isAlive, STOPPING } from './run.js';

/** @typedef {{ kind: 'processes', pid: number, graceMs: number }} Processes */
/** @typedef {{ kind: 'folder', path: string }} Folder */
/** @typedef {{ kind: 'containers', label: string }} Containers */
/** @typedef {Processes | Folder | Containers} Leftover */

for (const name of STOPPING) process.on(name, () => {});

/** @type {Leftover[]} */
const leftovers = [];
for await (const line of createInterface({ input: process.stdin })) leftovers.push(JSON.parse(line));

for (const leftover of leftovers.toReversed()) {
  try {
    await remove(leftover);
  } catch (error) {
    console.error(`left behind: ${JSON.stringify(leftover)}: ${/** @type {Error} */ (error).message}`);
  }
}

/** @param {Leftover} leftover */
async function remove(leftover) {
  switch (leftover.kind) {
    case 'processes':
      return endProcesses(leftover);
    case 'folder':
      return rmSync(leftover.path, { recursive: true, force: true, maxRetries: 5 });
    case 'containers':
      return removeContainers(leftover.label);
  }
}

/** @param {Processes} leftover */
async function endProcesses({ pid, graceMs }) {
  if (!isAlive(-pid)) return;
  if (graceMs > 0) {
    process.kill(-pid, 'SIGTERM');
    const deadline = performance.now() + graceMs;
    while (isAlive(-pid) && performance.now() < deadline) await sleep(25);
  }
  if (isAlive(-pid)) process.kill(-pid, 'SIGKILL');
  for (let tries = 0; isAlive(-pid) && tries < 200; tries++) await sleep(25);
}
