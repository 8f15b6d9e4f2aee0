/** A server of our own: data, socket and log in one temporary folder, TCP on a free port of 127.0.0.1. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.js';
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
export async function startPrivateServer(program, around) {
  const prepared = await preparePrivateServer(program, around);
  for (let tries = 1; ; tries++) {
    const launched = prepared.launch(await freePort(), [prepared.setUp]);
    try {
      return { url: launched.url, version: await launched.ready() };
    } catch (error) {
      if (tries < TRIES && launched.isGone()) continue;
      throw error;
    }
  }
}

/**
 * A server that may be started more than once, on the same data.
 *
 * @typedef {object} PreparedServer
 * @property {string} folder all it has is here
 * @property {string} data its data folder
 * @property {string} setUp the argument that makes its accounts; for the first start
 * @property {(port: number, more?: string[]) => Launched} launch with further arguments
 */

/**
 * @typedef {object} Launched
 * @property {string} url as root
 * @property {number | undefined} pid
 * @property {() => boolean} isGone
 * @property {() => Promise<string>} ready waits until it answers; its name and version; throws with the end of its log
 */

/**
 * Makes folder, data and password, and starts nothing yet.
 *
 * @param {ServerProgram} program
 * @param {Pick<import('./find.js').Surroundings, 'durable' | 'later'>} around
 * @param {object} [as]
 * @param {string} [as.password] of its root; else a random one
 * @param {{ user: string, uid: number } | undefined} [as.runAs] started by root, the server becomes this user; else stays root
 * @returns {Promise<PreparedServer>}
 */
export async function preparePrivateServer(program, { durable, later }, as = {}) {
  const { password = randomBytes(12).toString('hex'), runAs = { user: 'root', uid: 0 } } = as;
  const folder = mkdtempSync(join(placeOfServer(durable), FOLDER_PREFIX));
  later({ kind: 'folder', path: folder });
  markOwner(folder);
  const data = join(folder, 'data');
  const accounts = join(folder, 'accounts.sql');
  writeFileSync(accounts, accountsSql(password), { mode: 0o600 });
  const user = process.getuid?.() === 0 ? [`--user=${runAs.user}`] : [];
  if (user.length > 0) for (const path of [folder, accounts]) chownSync(path, runAs.uid, -1);

  const [initializer, ...initializerArgs] = program.initialize;
  await run(initializer, [...initializerArgs, ...user, `--datadir=${data}`]);

  return {
    folder,
    data,
    setUp: `--init-file=${accounts}`,
    launch(port, more = []) {
      const url = `mysql://root:${password}@127.0.0.1:${port}/`;
      const settings = [...user, ...placeOf({ folder, data, port }), ...settingsOf(program.kind, durable), ...more];
      const [path, ...first] = program.server;
      const { pid, isGone } = spawnServer(path, [...first, ...settings], folder);
      if (pid !== undefined) {
        later({ kind: 'processes', pid, graceMs: 0 });
        markOwner(folder, pid);
      }
      const ready = async () => {
        try {
          return await untilReady(url, { timeoutMs: START_TIMEOUT_MS, isGone });
        } catch (error) {
          throw new Error(`it did not start:\n${lastLines(join(folder, 'server.log'))}`, { cause: error });
        }
      };
      return { url, pid, isGone, ready };
    },
  };
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} folder
 */
function spawnServer(program, args, folder) {
  const log = openSync(join(folder, 'server.log'), 'a', 0o600);
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
  `--datadir=${data}`,
  `--tmpdir=${folder}`,
  `--socket=${join(folder, 'socket')}`,
  `--pid-file=${join(folder, 'pid')}`,
  `--port=${port}`,
  '--bind-address=127.0.0.1',
];

/** @param {string} password one statement per line, as old servers want it */
const accountsSql = (password) => `ALTER USER root@localhost IDENTIFIED BY '${password}';
DROP USER IF EXISTS root@'127.0.0.1';
DROP USER IF EXISTS root@'::1';
CREATE USER root@'%' IDENTIFIED BY '${password}';
GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;
`;

/** @param {string} file */
const lastLines = (file) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
