/**
 * A process of its own with the daemon of one site, which ends itself by SIGKILL after its n-th SQL statement. Started
 * by crashing-site.ts; speaks with it over the channel of `fork`.
 */
import type { Config } from '../../src/config/config.ts';
import { installOnce, uninstallOnce } from '../../src/capture/install.ts';
import { startDaemon, type OpenSite } from '../../src/daemon/daemon.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/logger.ts';
import { openSite } from '../../src/site/site.ts';
import { PLAIN_FEED } from './feeding.ts';

/** What the parent asks for. Each is answered by `{ statements }`: how many there were since the last `arm`. */
export type CrashOrder =
  | { readonly order: 'start'; readonly config: Config }
  /** From now on statements count; the process dies after the `after`-th, or never if it is 0. */
  | { readonly order: 'arm'; readonly after: number }
  /** Drain, deliver to everyone, sweep, try parked records again: once each. */
  | { readonly order: 'work' }
  /** Without a daemon, as a command does it: the whole of one operation, in which the process dies as after `arm`. */
  | { readonly order: 'operate'; readonly config: Config; readonly what: Operation; readonly after: number }
  | { readonly order: 'count' };

/** What commands do. `feed`: from the first peer. `scan`: all pages of a baseline or re-scan. */
export type Operation = 'install' | 'uninstall' | 'scan' | 'feed';

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

const operate = async (config: Config, what: Operation): Promise<void> => {
  const site = await openSite(config, { clock: systemClock, onStatement });
  const { db } = site;
  const { catalog } = site.snapshot();
  try {
    switch (what) {
      case 'install':
        await installOnce(db, catalog);
        return;
      case 'uninstall':
        await uninstallOnce(db, catalog);
        return;
      case 'scan':
        while (await site.isScanPending()) await site.scanPage();
        return;
      case 'feed':
        await site.feed(site.routes()[0]?.name ?? '', PLAIN_FEED);
        return;
      default:
        what satisfies never;
    }
  } finally {
    await site.close();
  }
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
    case 'operate':
      seen = 0;
      fatal = message.after;
      return await operate(message.config, message.what);
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
