/** Ports for servers that are told one before they start. */

import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections, from 32768 on Linux and 49152 elsewhere: one of those may be
 * gone by the time the server starts, or while it is stopped for a moment.
 */
const FIRST = 10_240;
const COUNT = 32_768 - FIRST;

/** Each process begins somewhere else and goes on from there, so that none is asked for twice in a while. */
let next = Math.floor(Math.random() * COUNT);

/**
 * A port of 127.0.0.1 on which nobody listens now. May be called again before the answer is there: each call gets
 * another port.
 *
 * @returns {Promise<number>}
 * @throws if all are taken
 */
export async function freePort() {
  for (let tries = 0; tries < COUNT; tries++) {
    next = (next + 1) % COUNT;
    // Kept for this call alone: while it waits, others move the counter on.
    const port = FIRST + next;
    if (await isFree(port)) return port;
  }
  throw new Error('no port of 127.0.0.1 is free');
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
async function isFree(port) {
  const probe = createServer();
  const listens = await new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (listens) await new Promise((resolve) => probe.close(resolve));
  return listens;
}
