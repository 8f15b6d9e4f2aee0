/**
 * A process of its own with the daemon of one site, which ends itself by SIGKILL after its n-th SQL statement. Started
 * by crashing-site.ts; speaks with it over the channel of `fork`.
 */
import type { Config } from '../../src/config/config.ts';
import { startDaemon, type OpenSite } from '../../src/daemon/daemon.ts';
import { silentLog } from '../../src/runtime/logger.ts';

/** What the parent asks for. Each is answered by `{ statements }`: how many there were since the last `arm`. */
export type CrashOrder =
  | { readonly order: 'start'; readonly config: Config }
  /** From now on statements count; the process dies after the `after`-th, or never if it is 0. */
  | { readonly order: 'arm'; readonly after: number }
  /** Drain, deliver to everyone, sweep, try parked records again: once each. */
  | { readonly order: 'work' }
  | { readonly order: 'count' };

let seen = 0;
let fatal = 0;
let open: OpenSite | undefined;

const onStatement = (): void => {
  seen += 1;
  if (seen === fatal) process.kill(process.pid, 'SIGKILL');
};

const work = async (): Promise<void> => {
  if (open === undefined) return;
  const { site } = open;
  await site.drain();
  for (const route of site.routes()) await site.deliver(route);
  await site.sweep();
  await site.retryParked();
};

const carryOut = async (message: CrashOrder): Promise<void> => {
  switch (message.order) {
    case 'start': {
      const daemon = await startDaemon({ config: message.config, log: silentLog, manual: true, onStatement });
      open = await daemon.ready;
      while (await open.site.isScanPending()) await open.site.scanPage();
      return;
    }
    case 'arm':
      seen = 0;
      fatal = message.after;
      return;
    case 'work':
      return await work();
    case 'count':
      return;
    default:
      message satisfies never;
  }
};

process.on('message', (message: CrashOrder) => {
  carryOut(message).then(
    () => process.send?.({ statements: seen }),
    (error: unknown) => process.send?.({ statements: seen, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
