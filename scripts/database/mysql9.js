/**
 * MySQL 9.7 on Debian: the package of Debian unstable and the libraries it needs, unpacked into a folder and run
 * through the loader that came with them. Neither the machine's packages nor its apt settings are touched, and one need
 * not be root.
 */

import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../run.js';
import { isDebian } from './apt.js';
import { findProgram, run } from './command.js';
import { startPrivateServer } from './private-server.js';

const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));
const UNPACKED = join(CACHE, 'mysql-9');
const PACKAGE = 'mysql-server-core';
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.pgp', '/usr/share/keyrings/debian-archive-keyring.gpg'];

/** @type {import('./find.js').Way} */
export async function mysql9Server(around) {
  if (!isDebian() || findProgram('apt-get') === undefined) return {};
  try {
    const { url, version } = await startPrivateServer(await mysql9Program(around.say), around);
    const description = `mysqld ${version.split(' ')[1]} of Debian unstable, private, in a temporary folder`;
    return { server: { url, description } };
  } catch (error) {
    return { reason: `MySQL of Debian unstable: ${/** @type {Error} */ (error).message}` };
  }
}

/**
 * The programs, fetched if they are not there yet.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<import('./private-server.js').ServerProgram>}
 */
export async function mysql9Program(say) {
  if (!existsSync(UNPACKED)) {
    say("fetching MySQL from Debian unstable into the project's .cache folder …");
    await unpack();
  }
  return programIn(UNPACKED);
}

/**
 * The commands for a server that finds nothing where it was made for.
 *
 * @param {string} root
 * @returns {import('./private-server.js').ServerProgram}
 */
function programIn(root) {
  const loader = globSync(join(root, 'usr/lib/*/ld-linux*.so.*'))[0];
  if (loader === undefined) throw new Error(`${root} has no loader: remove that folder`);
  /** @type {import('./private-server.js').Command} */
  const server = [
    loader,
    '--library-path',
    `${dirname(loader)}:${join(root, 'usr/lib/mysql/private')}`,
    join(root, 'usr/sbin/mysqld'),
    '--no-defaults',
    `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
    '--secure-file-priv=NULL',
  ];
  return { kind: 'mysql', server, initialize: [...server, '--initialize-insecure'] };
}

/** Fills the folder beside and renames it, so that it is there whole or not at all, also when two runs do this. */
async function unpack() {
  mkdirSync(CACHE, { recursive: true });
  sweepDrafts();
  const draft = mkdtempSync(join(CACHE, `mysql-9-draft-${process.pid}-`));
  try {
    const root = join(draft, 'root');
    const packages = join(draft, 'packages');
    mkdirSync(packages);
    await download(draft, packages);
    for (const file of readdirSync(packages)) await run('dpkg', ['-x', join(packages, file), root]);
    if (!existsSync(UNPACKED)) renameSync(root, UNPACKED);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Downloads the package and what it depends on as if nothing were installed; without perl, which only its side tools
 * need.
 *
 * @param {string} folder for apt's own lists and settings
 * @param {string} packages
 */
async function download(folder, packages) {
  const apt = await ownApt(folder);
  await run('apt-get', [...apt, 'update']);
  const plan = await run('apt-get', [...apt, '--simulate', '--no-install-recommends', 'install', PACKAGE]);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  const wanted = names.filter((name) => !/^(lib)?perl/.test(name));
  await run('apt-get', [...apt, 'download', ...wanted], { cwd: packages });
}

/**
 * Options that give apt-get lists, status and sources of its own. Everything else, proxies above all, stays as this
 * machine has it; the mirror too, read from its sources.
 *
 * @param {string} folder
 */
async function ownApt(folder) {
  const none = join(folder, 'none');
  for (const path of [none, join(folder, 'lists', 'partial'), join(folder, 'cache', 'archives', 'partial')]) {
    mkdirSync(path, { recursive: true });
  }
  const keyring = KEYRINGS.find((file) => existsSync(file));
  const signedBy = keyring === undefined ? '' : `[signed-by=${keyring}] `;
  writeFileSync(join(folder, 'sources.list'), `deb ${signedBy}${await debianMirror()} unstable main\n`);
  writeFileSync(join(folder, 'status'), '');
  const options = {
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': none,
    'Dir::Etc::preferences': join(none, 'preferences'),
    'Dir::Etc::preferencesparts': none,
    'Acquire::Languages': 'none',
    // Mirrors that are frozen, so that builds can be repeated, serve lists past their date; the signature counts.
    'Acquire::Check-Valid-Until': 'false',
    // Its unprivileged user cannot write into our folder; signatures are checked all the same.
    'APT::Sandbox::User': 'root',
  };
  return ['-q', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

/** The mirror of the main archive that this machine's apt uses; security has an archive of its own. */
async function debianMirror() {
  const format = '$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)';
  const lines = (await run('apt-get', ['indextargets', '--no-release-info', '--format', format])).split('\n');
  const sources = lines
    .map((line) => line.split(' '))
    .filter(([by, component]) => by === 'Packages' && component === 'main');
  const mirror = sources.find(([, , release, uri]) => uri?.endsWith('/debian/') && !release?.includes('security'));
  if (mirror?.[3] === undefined) throw new Error("apt's sources name no mirror of Debian");
  return mirror[3];
}

/** Drafts of runs that were killed. */
function sweepDrafts() {
  for (const name of readdirSync(CACHE)) {
    const owner = /^mysql-9-draft-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(CACHE, name), { recursive: true, force: true });
  }
}
