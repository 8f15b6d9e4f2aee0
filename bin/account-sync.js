#!/usr/bin/env node
/**
 * The way into the program for every Node: one that is too old is told so in one sentence, instead of failing at the first
 * line that it cannot read. Here beside the sources; "npm run build" puts the same beside what it makes of them.
 */

/** What the daemon and a feed need little memory with; docs/performance.md says what each is worth. */
const FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=100', '--expose-gc'];
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };

/** As `engines` of package.json; exit code 2: to start it again does not help. */
const NEEDED_MAJOR = 22;
const NEEDED_MINOR = 19;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < NEEDED_MAJOR || (major === NEEDED_MAJOR && minor < NEEDED_MINOR)) {
  console.error(
    `account-sync needs Node.js ${NEEDED_MAJOR}.${NEEDED_MINOR} or later, and this is ${process.versions.node} (${process.execPath}).\n` +
      '  → Install Node.js 24 (https://nodejs.org/en/download) and start account-sync with it.',
  );
  process.exitCode = 2;
} else {
  takeFlags();
  import('../src/main.ts').catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

/**
 * Node takes these only when it starts, so a program that was started without them is replaced by itself with them: the same
 * process, with the same number, signals and files. Flags and variables that were given are kept.
 */
function takeFlags() {
  const isLong = process.argv.slice(2).some((word) => word === 'run' || word === 'feed');
  const isTaken = FLAGS.every((flag) => process.execArgv.some((given) => given.split('=')[0] === flag.split('=')[0]));
  // Not on Windows, and not where a parent speaks with us by a channel, which would be lost.
  if (!isLong || isTaken || process.execve === undefined || process.channel !== undefined) return;
  const [, ...args] = process.argv;
  const env = { ...ENVIRONMENT, ...process.env };
  process.execve(process.execPath, [process.execPath, ...FLAGS, ...process.execArgv, ...args], env);
}
