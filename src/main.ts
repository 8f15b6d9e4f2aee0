#!/usr/bin/env node
/** The process edge: arguments to a command, signals, exit codes. */
import type { ExitCode, Terminal } from './cli/context.ts';
import { explainError } from './cli/failure.ts';
import { makeProgram } from './cli/program.ts';
import { escapeControls } from './runtime/escape-controls.ts';

const INTERRUPTED = 130;

const stop = new AbortController();
let isListening = false;
let showStack = isDebug(process.env['LOG_LEVEL']);

const terminal: Terminal = {
  env: process.env,
  out: (text) => void process.stdout.write(escapeControls(text)),
  err: (text) => void process.stderr.write(escapeControls(text)),
  paint: (text) => void process.stdout.write(text),
  isInteractive: process.stderr.isTTY,
  isColoured: process.stdout.isTTY && process.stdout.hasColors(),
  untilStopped() {
    if (!isListening) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stopOrEnd);
    isListening = true;
    return stop.signal;
  },
  noteLevel(level) {
    showStack ||= isDebug(level);
  },
};

function stopOrEnd(): void {
  if (stop.signal.aborted) process.exit(INTERRUPTED);
  stop.abort();
}

function isDebug(level: string | undefined): boolean {
  return level === 'debug' || level === 'trace';
}

function fail(error: unknown): ExitCode {
  if (stop.signal.aborted) return INTERRUPTED;
  const { text, code } = explainError(error, showStack);
  terminal.err(text);
  return code;
}

// A reader that has seen enough (`| head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
}
process.on('uncaughtException', (error) => process.exit(fail(error)));

process.exitCode = 0;
const program = makeProgram(terminal, (code) => {
  process.exitCode = code;
});
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error);
}
