/** The daemon of one site as a process of its own, so that it can be killed and paused. Started by daemon-process.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../../src/config/config.ts';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import { makeLogger } from '../../src/runtime/logger.ts';

/** What the process is told: first to start. */
export type ChildOrder =
  | {
      readonly order: 'start';
      readonly config: Config;
      /** How long leases last; the daemon's own unless given. */
      readonly leaseMs: number | undefined;
    }
  /** To stop by SIGSTOP, once, after SQL statements that match these, one after the other. */
  | { readonly order: 'pause after'; readonly statements: readonly string[] };

let awaited: string[] = [];

const onStatement = (statement: string): void => {
  if (awaited[0] === undefined || !new RegExp(awaited[0], 'i').test(statement)) return;
  awaited.shift();
  if (awaited.length === 0) process.kill(process.pid, 'SIGSTOP');
};

const start = async (config: Config, leaseMs: number | undefined): Promise<void> => {
  const log = makeLogger({ level: 'warn' });
  const daemon = await startPatiently(() => startDaemon({ config, leaseMs, log, onStatement, processMetrics: true }));
  process.once('SIGTERM', () => void daemon.stop('SIGTERM').then(() => process.exit(0)));
  await daemon.ready;
  process.send?.('ready');
};

/** While nobody listened, a connection of any program may have got the port: whoever supervises daemons starts them again. */
const startPatiently = async (begin: () => Promise<Daemon>): Promise<Daemon> => {
  for (;;) {
    try {
      return await begin();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EADDRINUSE') throw error;
      await wait(200);
    }
  }
};

process.on('message', (message: ChildOrder) => {
  switch (message.order) {
    case 'start':
      start(message.config, message.leaseMs).catch((error: unknown) => {
        process.stdout.write(`${JSON.stringify({ level: 'error', msg: String(error) })}\n`);
        process.exit(1);
      });
      return;
    case 'pause after':
      awaited = [...message.statements];
      process.send?.('armed');
      return;
    default:
      message satisfies never;
  }
});
// Nobody is left who would end it.
process.on('disconnect', () => process.exit(0));
