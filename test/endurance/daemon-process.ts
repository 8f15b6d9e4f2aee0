/** The processes with daemons, run as the image runs them: started, killed, paused, and asked how large they are. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/config.ts';
import { imageEnv, imageFlags } from '../support/image.ts';
import type { ChildOrder } from './daemon-child.ts';

/** A daemon under way. */
export interface DaemonProcess {
  readonly pid: number;
  /** True once its site is open and its loops run. */
  isReady(): boolean;
  /** Resolves then, or when the process has ended. */
  readonly ready: Promise<unknown>;
  /** Resolves when the process has ended after this signal. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Stops it where it stands, until {@link resume}. */
  pause(): void;
  /** Lets it stop by itself right after SQL statements that match these, one after the other. */
  pauseAfter(statements: readonly RegExp[]): Promise<void>;
  isPaused(): boolean;
  resume(): void;
  /** Resident memory in MiB; undefined once it has ended. */
  residentMiB(): number | undefined;
  /** Lines of its log: warnings and errors. */
  readonly said: readonly string[];
}

const CHILD = fileURLToPath(new URL('daemon-child.ts', import.meta.url));
/** Lines that are kept of each process. */
const MOST_LINES = 500;

/** Starts one; it ends with this process at the latest. */
export function startProcess(config: Config, leaseMs?: number): DaemonProcess {
  const env = { ...process.env, ...imageEnv() };
  const child = fork(CHILD, { execArgv: imageFlags(), env, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  let ready = false;
  const isReady = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (message !== 'ready') return;
      ready = true;
      resolve();
    });
  });
  const said = linesOf(child);
  const tell = (order: ChildOrder): void => void child.send(order, () => undefined);
  tell({ order: 'start', config, leaseMs });
  return {
    pid: child.pid ?? 0,
    isReady: () => ready && child.exitCode === null && child.signalCode === null,
    ready: Promise.race([isReady, exited]),
    async end(signal) {
      child.kill(signal);
      // One that is paused would not hear of anything else.
      if (signal === 'SIGTERM') child.kill('SIGCONT');
      await exited;
    },
    pause: () => void child.kill('SIGSTOP'),
    async pauseAfter(statements) {
      const armed = once(child, 'message');
      tell({ order: 'pause after', statements: statements.map(({ source }) => source) });
      await armed;
    },
    isPaused: () => /^State:\s+T/m.test(statusOf(child.pid ?? 0)),
    resume: () => void child.kill('SIGCONT'),
    residentMiB: () => residentMiB(child.pid ?? 0),
    said,
  };
}

function linesOf(child: ChildProcess): string[] {
  const lines: string[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    lines.splice(0, lines.length - MOST_LINES);
  });
  return lines;
}

/** Resident memory of a process in MiB; undefined once it has ended, or where the system does not tell. */
export function residentMiB(pid: number): number | undefined {
  const size = /^VmRSS:\s+(\d+) kB/m.exec(statusOf(pid))?.[1];
  return size === undefined ? undefined : Number(size) / 1024;
}

/** Empty once it has ended. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
