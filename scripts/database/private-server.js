/** A server of our own: data, socket and log in one temporary folder, TCP on a free port of 127.0.0.1. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { run } from './command.js';
import { placeOfServer } from './place.js';
import { untilReady } from './ready.js';
import { settingsOf } from './settings.js';
import { FOLDER_PREFIX, markOwner } from './sweep.js';

/** @typedef {[string, ...string[]]} Command a program and its arguments */

/**
 * @typedef {object} ServerProgram
 * @property {import('./settings.js').ServerKind} kind
 * @property {Command} server the command that starts it, with the arguments it always needs
 * @property {Command} initialize the command that makes a data folder, likewise
 */

const START_TIMEOUT_MS = 90_000;
/** Somebody may take the port between our look and the server's start. */
const TRIES = 3;

/**
 * Starts the server, durable or quick, with an account `root` of a random password. It and its folder are handed to
 * `later` before they exist for long.
 *
 * @param {ServerProgram} program
 * @param {import('./find.js').Surroundings} around
 * @returns {Promise<{ url: string, version: string }>}
 * @throws with the last lines of the server's log
 */
export async function startPrivateServer(program, { durable, later }) {
  const folder = mkdtempSync(join(placeOfServer(durable), FOLDER_PREFIX));
  later({ kind: 'folder', path: folder });
  markOwner(folder);
  const data = join(folder, 'data');
  const password = randomBytes(12).toString('hex');
  writeFileSync(join(folder, 'accounts.sql'), accountsSql(password), { mode: 0o600 });

  const [initializer, ...initializerArgs] = program.initialize;
  await run(initializer, [...initializerArgs, ...asRoot(), `--datadir=${data}`]);

  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const url = `mysql://root:${password}@127.0.0.1:${port}/`;
    const settings = [...placeOf({ folder, data, port }), ...settingsOf(program.kind, durable)];
    const [path, ...more] = program.server;
    const server = spawnServer(path, [...more, ...settings], folder);
    if (server.pid !== undefined) {
      later({ kind: 'processes', pid: server.pid, graceMs: 0 });
      markOwner(folder, server.pid);
    }
    try {
      return { url, version: await untilReady(url, { timeoutMs: START_TIMEOUT_MS, isGone: server.isGone }) };
    } catch (error) {
      if (tries < TRIES && server.isGone()) continue;
      throw new Error(`it did not start:\n${lastLines(join(folder, 'server.log'))}`, { cause: error });
    }
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} folder
 */
function spawnServer(program, args, folder) {
  const log = openSync(join(folder, 'server.log'), 'w', 0o600);
  // Its own group, or Ctrl-C would stop it before the programs that still write to it.
  const child = spawn(program, args, { cwd: folder, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let gone = false;
  child.once('error', () => (gone = true));
  child.once('exit', () => (gone = true));
  return { pid: child.pid, isGone: () => gone };
}

/** @param {{ folder: string, data: string, port: number }} options */
const placeOf = ({ folder, data, port }) => [
  ...asRoot(),
  `--datadir=${data}`,
  `--tmpdir=${folder}`,
  `--socket=${join(folder, 'socket')}`,
  `--pid-file=${join(folder, 'pid')}`,
  `--init-file=${join(folder, 'accounts.sql')}`,
  `--port=${port}`,
  '--bind-address=127.0.0.1',
];

/** The servers run as root only when told so; here the folder is all they can reach for. */
const asRoot = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

/** @param {string} password one statement per line, as old servers want it */
const accountsSql = (password) => `ALTER USER root@localhost IDENTIFIED BY '${password}';
DROP USER IF EXISTS root@'127.0.0.1';
DROP USER IF EXISTS root@'::1';
CREATE USER root@'%' IDENTIFIED BY '${password}';
GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;
`;

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => probe.once('listening', resolve).once('error', reject));
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** @param {string} file */
const lastLines = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
