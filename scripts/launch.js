/**
 * The way in for `npm test`, `npm run demo` and the like, on a machine that has only git, Node.js >= 20 and npm: brings
 * the dependencies up to date, then hands over to with-database.js, run by the newer Node that came with them.
 *
 *     node scripts/launch.js test [arguments of vitest]
 *     node scripts/launch.js demo [arguments of the demo]
 *
 * Runs on the machine's own Node, so only its built-in modules may be imported here.
 */

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from './install.js';
import { runToEnd, watchParent } from './run.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

/** What can be launched. `durable`: the server writes every commit to disk, as a site's does. */
const COMMANDS = {
  test: { program: ['node_modules/vitest/vitest.mjs', 'run'], durable: false },
  demo: { program: ['demo/main.ts'], durable: true },
  clusters: { program: ['test/clusters/main.ts'], durable: false },
  faults: { program: ['test/faults/main.ts'], durable: false },
  kills: { program: ['test/endurance/kills-main.ts'], durable: false },
  soak: { program: ['test/endurance/soak-main.ts'], durable: false },
  bench: { program: ['bench/main.ts'], durable: true },
};

const [name, ...rest] = process.argv.slice(2);
const command = Object.entries(COMMANDS).find(([known]) => known === name)?.[1];
if (command === undefined) {
  console.error(`usage: node scripts/launch.js ${Object.keys(COMMANDS).join('|')} [arguments]`);
  process.exit(2);
}

if (!(await installDependencies(root))) process.exit(1);

const node = join(bin, 'node');
if (!existsSync(node)) {
  console.error("The package `node` has no program: npm's install scripts are switched off (ignore-scripts).");
  process.exit(1);
}

const withDatabase = [join(root, 'scripts', 'with-database.js'), ...(command.durable ? ['--durable'] : []), '--'];
const { ended, signal } = runToEnd(node, [...withDatabase, ...command.program, ...rest], {
  cwd: root,
  env: {
    // The tests start the program hundreds of times: what was compiled once is there for the next.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'),
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  },
});
// Started by hand, this may well outlive its shell; started by npm, it is of no use to anyone without npm.
if (process.env.npm_lifecycle_event !== undefined) watchParent(() => signal('SIGTERM'), { throughShell: true });
process.exit(await ended);
