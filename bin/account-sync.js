#!/usr/bin/env node
/**
 * The way into the program for every Node: one that is too old is told so in one sentence, instead of failing at the first
 * line that it cannot read. Here beside the sources; "npm run build" puts the same beside what it makes of them.
 */

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
  import('../src/main.ts').catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
