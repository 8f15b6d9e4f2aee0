/** The daemon of a site in a process of its own that can be told to die by SIGKILL between two SQL statements. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/config.ts';
import type { CrashOrder, Operation } from './crash-child.ts';

/** A running daemon that may die. */
export interface CrashingDaemon {
  /** From now on: it dies after its `after`-th statement (from 1); 0: never. */
  arm(after: number): Promise<void>;
  /** Drain, deliver, sweep, parked records: once each. True if it lived to tell. */
  work(): Promise<boolean>;
  /** Statements since it was armed. */
  count(): Promise<number>;
  /** Waits for the process to end, as it has been told to; true if it was by SIGKILL, false if it lives on after ten seconds. */
  died(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Processes that have loaded the program already; the next one is made while this one works. */
export interface CrashingDaemons {
  /** Starts a daemon and waits until it serves. */
  start(config: Config): Promise<CrashingDaemon>;
  /**
   * One operation as a command does it, in a process of its own that dies after its `after`-th statement (0: never).
   * Gives the number of statements, or undefined: it died.
   */
  operate(config: Config, what: Operation, after: number): Promise<number | undefined>;
  close(): Promise<void>;
}

const DEATH_WITHIN_MS = 10_000;

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url));

/** Uses the Node that runs the tests. */
export function makeCrashingDaemons(): CrashingDaemons {
  const all = new Set<ChildProcess>();
  const make = (): ChildProcess => {
    const child = fork(CHILD, {
      execPath: process.execPath,
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    all.add(child);
    child.once('exit', () => all.delete(child));
    return child;
  };
  let spare = make();
  return {
    async start(config) {
      const child = spare;
      spare = make();
      const daemon = handle(child);
      await daemon.ask({ order: 'start', config });
      return daemon;
    },
    async operate(config, what, after) {
      const child = spare;
      spare = make();
      const statements = await handle(child).ask({ order: 'operate', config, what, after });
      await end(child);
      return statements;
    },
    async close() {
      await Promise.all([...all].map(end));
    },
  };
}

function handle(child: ChildProcess): CrashingDaemon & { ask(order: CrashOrder): Promise<number | undefined> } {
  const exited = once(child, 'exit');
  /** Undefined: it died instead of answering. */
  const ask = async (order: CrashOrder): Promise<number | undefined> => {
    const answered = once(child, 'message') as Promise<[{ statements: number; error?: string }]>;
    child.send(order, () => undefined);
    const answer = await Promise.race([answered, exited.then(() => undefined)]);
    if (answer === undefined) return undefined;
    if (answer[0].error !== undefined) throw new Error(answer[0].error);
    return answer[0].statements;
  };
  return {
    ask,
    async arm(after) {
      await ask({ order: 'arm', after });
    },
    work: async () => (await ask({ order: 'work' })) !== undefined,
    count: async () => (await ask({ order: 'count' })) ?? 0,
    async died() {
      const ended = exited.then(([, signal]) => signal === 'SIGKILL');
      return await Promise.race([ended, setTimeout(DEATH_WITHIN_MS, false, { ref: false })]);
    },
    stop: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
