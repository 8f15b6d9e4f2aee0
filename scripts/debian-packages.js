/**
 * Programs of Debian unstable and the libraries they need, unpacked into a folder of the project and run through the loader
 * that came with them. Neither the machine's packages nor its apt settings are touched, no service is started, and one need
 * not be root.
 */

import { existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDebian } from './database/apt.js';
import { findProgram, run } from './database/command.js';
import { isAlive } from './run.js';

const CACHE = fileURLToPath(new URL('../.cache/', import.meta.url));
const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.pgp', '/usr/share/keyrings/debian-archive-keyring.gpg'];

/** Whether packages can be had so: on Debian, where apt is. */
export function canUnpack() {
  return isDebian() && findProgram('apt-get') !== undefined;
}

/**
 * The folder with the packages and what they depend on, fetched if it is not there yet.
 *
 * @param {string} name of the folder, below `.cache`
 * @param {string[]} packages
 * @param {(dependency: string) => boolean} isNeeded false for packages whose files the programs can do without
 * @param {() => void} say called before it takes long
 * @returns {Promise<string>}
 * @throws if apt cannot give them
 */
export async function unpackedPackages(name, packages, isNeeded, say) {
  const unpacked = join(CACHE, name);
  if (existsSync(unpacked)) return unpacked;
  say();
  await unpack(unpacked, packages, isNeeded);
  return unpacked;
}

/**
 * What stands before the path of a program, so that it finds its libraries where they were unpacked.
 *
 * @param {string} root of the unpacked packages
 * @param {string} [more] a further folder of libraries
 * @returns {[string, ...string[]]}
 * @throws if there is no loader
 */
export function loaderOf(root, more) {
  const loader = globSync(join(root, 'usr/lib/*/ld-linux*.so.*'))[0];
  if (loader === undefined) throw new Error(`${root} has no loader: remove that folder`);
  return [loader, '--library-path', [dirname(loader), ...(more === undefined ? [] : [more])].join(':')];
}

/**
 * Fills the folder beside and renames it, so that it is there whole or not at all, also when two runs do this.
 *
 * @param {string} unpacked
 * @param {string[]} packages
 * @param {(dependency: string) => boolean} isNeeded
 */
async function unpack(unpacked, packages, isNeeded) {
  mkdirSync(CACHE, { recursive: true });
  const prefix = `${basename(unpacked)}-draft-`;
  sweepDrafts(prefix);
  const draft = mkdtempSync(join(CACHE, `${prefix}${process.pid}-`));
  try {
    const root = join(draft, 'root');
    const files = join(draft, 'packages');
    mkdirSync(files);
    await download(draft, files, packages, isNeeded);
    for (const file of readdirSync(files)) await run('dpkg', ['-x', join(files, file), root]);
    try {
      renameSync(root, unpacked);
    } catch (error) {
      // Another run was faster; asked before, that could be so between the question and the renaming.
      if (!existsSync(unpacked)) throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Downloads the packages and what they depend on as if nothing were installed.
 *
 * @param {string} folder for apt's own lists and settings
 * @param {string} files where the packages go
 * @param {string[]} packages
 * @param {(dependency: string) => boolean} isNeeded
 */
async function download(folder, files, packages, isNeeded) {
  const apt = await ownApt(folder);
  await run('apt-get', [...apt, 'update']);
  const plan = await run('apt-get', [...apt, '--simulate', '--no-install-recommends', 'install', ...packages]);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
  await run('apt-get', [...apt, 'download', ...names.filter(isNeeded)], { cwd: files });
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

/**
 * Drafts of runs that were killed.
 *
 * @param {string} prefix
 */
function sweepDrafts(prefix) {
  for (const name of readdirSync(CACHE).filter((one) => one.startsWith(prefix))) {
    const owner = /^(\d+)-/.exec(name.slice(prefix.length))?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(CACHE, name), { recursive: true, force: true });
  }
}
