/**
 * MySQL 9.7 on Debian: the package of Debian unstable and the libraries it needs, unpacked into a folder and run
 * through the loader that came with them; see debian-packages.js.
 */

import { join } from 'node:path';
import { canUnpack, loaderOf, unpackedPackages } from '../debian-packages.js';
import { startPrivateServer } from './private-server.js';

/** @type {import('./find.js').Way} */
export async function mysql9Server(around) {
  if (!canUnpack()) return {};
  try {
    const { url, version } = await startPrivateServer(await mysql9Program(around.say), around);
    const description = `mysqld ${version.split(' ')[1]} of Debian unstable, private, in a temporary folder`;
    return { server: { url, description } };
  } catch (error) {
    return { reason: `MySQL of Debian unstable: ${/** @type {Error} */ (error).message}` };
  }
}

/**
 * The programs, fetched if they are not there yet. Without perl, which only side tools of the server need.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<import('./private-server.js').ServerProgram>}
 */
export async function mysql9Program(say) {
  const isNeeded = (/** @type {string} */ name) => !/^(lib)?perl/.test(name);
  return programIn(
    await unpackedPackages('mysql-9', ['mysql-server-core'], isNeeded, () =>
      say("fetching MySQL from Debian unstable into the project's .cache folder …"),
    ),
  );
}

/**
 * The commands for a server that finds nothing where it was made for.
 *
 * @param {string} root
 * @returns {import('./private-server.js').ServerProgram}
 */
function programIn(root) {
  /** @type {import('./private-server.js').Command} */
  const server = [
    ...loaderOf(root, join(root, 'usr/lib/mysql/private')),
    join(root, 'usr/sbin/mysqld'),
    '--no-defaults',
    `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
    '--secure-file-priv=NULL',
  ];
  return { kind: 'mysql', server, initialize: [...server, '--initialize-insecure'] };
}
