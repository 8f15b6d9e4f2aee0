/** The daemon of one site as a process of its own, so that it can be killed and paused. Started by fleet.ts. */
import type { Config } from '../../src/config/config.ts';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { makeLogger } from '../../src/runtime/logger.ts';

/** What the process is told, once. */
export interface StartOrder {
  readonly config: Config;
  /** How long leases last; the daemon's own unless given. */
  readonly leaseMs: number | undefined;
}

process.once('message', (order: StartOrder) => {
  const start = async (): Promise<void> => {
    const { config, leaseMs } = order;
    const daemon = await startDaemon({ config, leaseMs, log: makeLogger({ level: 'warn' }), processMetrics: true });
    process.once('SIGTERM', () => void daemon.stop('SIGTERM').then(() => process.exit(0)));
    process.send?.('listening');
    await daemon.ready;
    process.send?.('ready');
  };
  start().catch((error: unknown) => {
    process.stdout.write(`${JSON.stringify({ level: 'error', msg: String(error) })}\n`);
    process.exit(1);
  });
});
// Nobody is left who would end it.
process.on('disconnect', () => process.exit(0));
