/**
 * `npm run demo`: three sites on a private database server, each with a daemon; they feed each other, then go through a
 * day of changes, and are compared at the end.
 *
 *     node demo/main.ts            the sites keep running until Ctrl-C
 *     node demo/main.ts --exit     ends by itself: exit code 0 if all sites ended up equal, else 1
 */
import { parseArgs } from 'node:util';
import { makeLogger } from '../src/runtime/logger.ts';
import { playDay } from './day.ts';
import { makeScreen } from './screen.ts';

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What a shell reports for a program that Ctrl-C ended. */
const INTERRUPTED = 130;
/** Clearing away takes about a second; whatever holds it up must not hold up the person for good. */
const CLEAR_WITHIN_MS = 15_000;
const LOG_LINES_SHOWN = 10;

process.exit(await main(process.argv.slice(2)));

async function main(args: string[]): Promise<number> {
  const exit = exitWanted(args);
  if (exit === undefined) {
    console.error('usage: npm run demo [-- --exit]');
    return 2;
  }
  if ((process.env['TEST_DATABASE_URL'] ?? '') === '') {
    console.error('No database server: `npm run demo` finds or starts one; or set TEST_DATABASE_URL.');
    return 1;
  }
  const stopping = new AbortController();
  let interrupted = false;
  const stop = (reason: unknown): void => {
    if (stopping.signal.aborted) return;
    stopping.abort(reason);
    setTimeout(() => {
      console.error('The demo could not clear away in time: databases named test_… may be left on the server.');
      process.exit(1);
    }, CLEAR_WITHIN_MS).unref();
  };
  for (const name of STOPPING) {
    process.on(name, () => {
      interrupted = true;
      stop(new Error(`stopped by ${name}`));
    });
  }
  // What nobody caught must not keep the databases from being dropped; nor must a reader that has gone (`| head`).
  process.on('uncaughtException', stop);
  process.stdout.on('error', stop);
  process.stderr.on('error', stop);

  const lines: string[] = [];
  const log = makeLogger({ level: 'error', destination: { write: (line: string) => void lines.push(line.trimEnd()) } });
  const { signal } = stopping;
  try {
    const isGood = await playDay({ screen: makeScreen(process.stdout), log, stay: !exit, signal });
    if (!isGood) tell(lines);
    return isGood && (!signal.aborted || interrupted) ? 0 : 1;
  } catch (error) {
    if (interrupted) return INTERRUPTED;
    explain(signal.aborted ? signal.reason : error);
    tell(lines);
    return 1;
  }
}

/** Undefined where the arguments make no sense. */
function exitWanted(args: string[]): boolean | undefined {
  try {
    const { values } = parseArgs({ args, options: { exit: { type: 'boolean' } } });
    return values.exit ?? false;
  } catch {
    return undefined;
  }
}

/** In one line where the system says what is wrong, such as a server that is not there; in full where the demo is wrong. */
function explain(error: unknown): void {
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Whoever read our output wants no more of it.
  if (code === 'EPIPE') return;
  console.error(syscall !== undefined && error instanceof Error ? `The demo cannot go on: ${error.message}` : error);
}

/** The end of what the daemons logged as errors. */
function tell(lines: readonly string[]): void {
  if (lines.length > 0) console.error(`\nThe daemons' last errors:\n${lines.slice(-LOG_LINES_SHOWN).join('\n')}`);
}
