/** Running one program to its end: signals go on to it, its exit code comes back. Node's built-in modules only. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** A Ctrl-C reaches every process of a terminal, and npm repeats it: what comes this soon is the same key press. */
const SAME_SIGNAL_MS = 1000;

/**
 * Starts a program, unless told otherwise on our own terminal. SIGINT, SIGTERM and SIGHUP that we get are passed on to it, each only once
 * per second, because a second one means "stop at once" to many programs.
 *
 * `detached` gives it a process group of its own, so that Ctrl-C does not reach it beside us, and what it leaves
 * running can be found.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, detached?: boolean, stdio?: import('node:child_process').StdioOptions }} options
 * @returns {{ pid: number | undefined, ended: Promise<number>, signal: (name: NodeJS.Signals) => void }}
 *   `ended`: its exit code, 128 + n if signal n ended it, 127 if it could not be started
 */
export function runToEnd(program, args, { stdio = 'inherit', ...options }) {
  const child = spawn(program, args, { ...options, stdio });
  /** @type {Map<string, number>} */
  const sent = new Map();
  /** @param {NodeJS.Signals} name */
  const signal = (name) => {
    const now = performance.now();
    if (now - (sent.get(name) ?? -Infinity) < SAME_SIGNAL_MS) return;
    sent.set(name, now);
    child.kill(name);
  };
  for (const name of STOPPING) process.on(name, signal);
  const ended = new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`${program} could not be started: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (code, by) => resolve(code ?? signalCode(by)));
  }).finally(() => {
    for (const name of STOPPING) process.off(name, signal);
  });
  return { pid: child.pid, ended, signal };
}

/** @type {NodeJS.Signals[]} */
export const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * The exit code a shell reports for a program that a signal ended.
 *
 * @param {NodeJS.Signals | null} name
 */
export const signalCode = (name) => 128 + (name === null ? 0 : constants.signals[name]);

/**
 * Calls `orphaned` once when the process that started us is gone. Nothing tells a process that its parent was killed
 * with SIGKILL, so this looks every second; it does not keep us alive.
 *
 * @param {() => void} orphaned
 * @param {{ throughShell?: boolean }} [options] `throughShell`: a shell in between is not the one that counts, but the
 *   one that started it (npm runs its scripts so); only where the system has /proc
 */
export function watchParent(orphaned, { throughShell = false } = {}) {
  const ancestors = () => `${process.ppid} ${throughShell ? parentOf(process.ppid) : ''}`;
  const atFirst = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === atFirst) return;
    clearInterval(timer);
    orphaned();
  }, 1000);
  timer.unref();
}

/** @param {number} pid */
function parentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8').match(/^PPid:\s*(\d+)$/m)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Whether a process with this id exists, whoever owns it.
 *
 * @param {number} pid
 */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
