/** The MariaDB or MySQL that is installed on this machine, started privately. */

import { findProgram, run } from './command.js';
import { startPrivateServer } from './private-server.js';

/** @type {import('./find.js').Way} */
export async function localServer(around) {
  const path = findProgram('mariadbd', 'mysqld');
  if (path === undefined) return {};
  try {
    const program = await programAt(path);
    const { url, version } = await startPrivateServer(program, around);
    const name = program.kind === 'mariadb' ? 'mariadbd' : 'mysqld';
    const description = `${name} ${version.split(' ')[1]} on this machine, private, in a temporary folder`;
    return { server: { url, description } };
  } catch (error) {
    return { reason: `${path}: ${/** @type {Error} */ (error).message}` };
  }
}

/**
 * The MariaDB that is installed on this machine.
 *
 * @returns {Promise<import('./private-server.js').ServerProgram | undefined>}
 */
export async function mariadbProgram() {
  const path = findProgram('mariadbd', 'mysqld');
  const program = path === undefined ? undefined : await programAt(path);
  return program?.kind === 'mariadb' ? program : undefined;
}

/**
 * `mysqld` may be either of the two.
 *
 * @param {string} path
 * @returns {Promise<import('./private-server.js').ServerProgram>}
 */
async function programAt(path) {
  /** @type {import('./private-server.js').Command} */
  const server = [path, '--no-defaults'];
  if (!/mariadb/i.test(await run(path, ['--no-defaults', '--version']))) {
    return { kind: 'mysql', server, initialize: [...server, '--initialize-insecure'] };
  }
  const installer = findProgram('mariadb-install-db', 'mysql_install_db');
  if (installer === undefined) throw new Error('mariadb-install-db, which belongs to it, is missing');
  /** @type {import('./private-server.js').Command} */
  const initialize = [installer, '--no-defaults', '--auth-root-authentication-method=normal', '--skip-test-db'];
  return { kind: 'mariadb', server, initialize };
}
