/**
 * The programs that the samples in deploy/ are written for, for the tests that run them: the one of this machine, else the
 * one of Debian unstable, in the project's .cache folder.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './database/command.js';
import { canUnpack, loaderOf, unpackedPackages } from './debian-packages.js';

/** Where each is in its package. */
const PROGRAMS = {
  nginx: 'usr/sbin/nginx',
  caddy: 'usr/bin/caddy',
  promtool: 'usr/bin/promtool',
  'docker-compose': 'usr/libexec/docker/cli-plugins/docker-compose',
};
const PACKAGES = ['nginx', 'caddy', 'promtool', 'docker-compose'];
const FOLDER = 'sample-programs';

/** @typedef {keyof typeof PROGRAMS} SampleProgram */

/**
 * The command of a program.
 *
 * @param {SampleProgram} name
 * @returns {Promise<{ command: [string, ...string[]] } | { reason: string }>} `reason`: what is missing, and what would help
 */
export async function sampleProgram(name) {
  const own = findProgram(name);
  if (own !== undefined) return { command: [own] };
  const advice = `${name} is not on this machine: install it, so that the sample is run`;
  if (!canUnpack()) return { reason: advice };
  try {
    const isNeeded = (/** @type {string} */ one) => PACKAGES.includes(one) || /^lib(?!js-)/.test(one);
    const root = await unpackedPackages(FOLDER, PACKAGES, isNeeded, () =>
      console.error(
        "fetching nginx, Caddy, promtool and docker-compose of Debian unstable into the project's .cache folder …",
      ),
    );
    const path = join(root, PROGRAMS[name]);
    if (!existsSync(path)) return { reason: `${root} has no ${PROGRAMS[name]}: remove that folder` };
    return { command: [...loaderOf(root), path] };
  } catch (error) {
    return { reason: `${advice} (Debian unstable: ${/** @type {Error} */ (error).message})` };
  }
}
