/**
 * Runs a program with a database server: finds or starts one, sets TEST_DATABASE_URL, and at the end, whatever kind of
 * end it is, leaves nothing running and nothing in the temporary folder.
 *
 *     node scripts/with-database.js [--durable] -- program [arguments]     (the program is run by this same Node)
 *
 * TEST_DATABASE_URL        the server to take, `mysql://user:password@host:port/`; its account makes and drops databases
 * TEST_DATABASE_SERVER     `mysql`: MySQL 9.7 instead of what is at hand
 */

import { findServer } from './database/find.js';
import { startGuard } from './start-guard.js';
import { runToEnd, signalCode, STOPPING, watchParent } from './run.js';

/** Daemons have 10 s to stop; what is still there then is killed. */
const PROGRAM_GRACE_MS = 10_000;

const separator = process.argv.indexOf('--');
const options = process.argv.slice(2, separator);
const program = process.argv.slice(separator + 1);
if (separator < 0 || program.length === 0 || options.some((option) => option !== '--durable')) {
  console.error('usage: node scripts/with-database.js [--durable] -- program [arguments]');
  process.exit(2);
}

const guard = startGuard();
/** @type {(name: NodeJS.Signals) => void} until the program runs: clean up and go; then: leave it to the program */
let stop = (name) => void guard.end().then(() => process.exit(signalCode(name)));
for (const name of STOPPING) process.on(name, (which) => stop(which));
watchParent(() => stop('SIGTERM'));

const code = await main();
await guard.end();
process.exit(code);

/** @returns {Promise<number>} the exit code */
async function main() {
  const server = await findServer({
    durable: options.includes('--durable'),
    say: (line) => console.error(line),
    later: guard.later,
  });
  if (server === undefined) return 1;

  const env = { ...process.env, TEST_DATABASE_URL: server.url };
  const { pid, ended, signal } = runToEnd(process.execPath, program, { cwd: process.cwd(), env, detached: true });
  if (pid !== undefined) guard.later({ kind: 'processes', pid, graceMs: PROGRAM_GRACE_MS });
  stop = signal;
  return ended;
}
