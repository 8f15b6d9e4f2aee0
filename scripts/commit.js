/** The commit that figures were made at, for the pages that show them. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a run writes itself: pages of figures, and results. They make no other program of it. */
const WRITTEN = [':!docs', ':!bench/*.json'];

/**
 * `84863e0`, or `84863e0 with changes` where the program is not as it was committed; `unknown` without git.
 *
 * @returns {string}
 */
export function commitHere() {
  const commit = git('rev-parse', '--short=7', 'HEAD');
  if (commit === undefined) return 'unknown';
  return git('status', '--porcelain', '--', '.', ...WRITTEN) === '' ? commit : `${commit} with changes`;
}

/** @param {string[]} args */
function git(...args) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
