/** Is the server there yet, and which is it. */

import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

/**
 * Name and version: `MariaDB 10.11.19`, `MySQL 9.7.4`.
 *
 * @param {string} url
 * @throws if nobody answers within 5 s, or the account is refused
 */
export async function versionOf(url) {
  const connection = await createConnection({ ...loginOf(url), connectTimeout: 5000 });
  try {
    const [rows] = await connection.query('SELECT VERSION() AS version');
    const { version } = /** @type {{ version: string }[]} */ (rows)[0] ?? { version: '' };
    return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${/^[\d.]+/.exec(version)?.[0] ?? version}`;
  } finally {
    await connection.end();
  }
}

/**
 * Waits for a server that is starting.
 *
 * @param {string} url
 * @param {{ timeoutMs: number, isGone?: () => boolean }} patience `isGone`: no use to wait any longer
 * @returns {Promise<string>} see versionOf
 * @throws the last error, when the time is up or the server is gone
 */
export async function untilReady(url, { timeoutMs, isGone = () => false }) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await versionOf(url);
    } catch (error) {
      if (isGone() || performance.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

/** @param {string} url */
function loginOf(url) {
  const { hostname, port, username, password } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}
