/** One site with a daemon whose only peer runs the PHP plugin. */
import { withoutGuard } from './guard.ts';
import { parseConfig } from '../../src/config/load.ts';
import { startDaemon, type Daemon, type OpenSite } from '../../src/daemon/daemon.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/logger.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { createHost, type Host, type HostOptions } from './osclass/host.ts';

/** How it is made. */
export interface PluginSiteOptions {
  readonly ourKey: string;
  readonly peerKey: string;
  /** Where the plugin listens; nowhere unless given. */
  readonly peerUrl?: string;
  /** YAML lines at top level, and of the peer entry. */
  readonly extra?: string;
  readonly peerExtra?: string;
  readonly host?: HostOptions;
  readonly clock?: Clock;
  /** False: the loops run. */
  readonly manual?: boolean;
}

/** The site. */
export interface PluginSite {
  readonly db: TestDatabase;
  readonly host: Host;
  readonly daemon: Daemon;
  readonly open: OpenSite;
  close(): Promise<void>;
}

/** Starts it; the peer is called `plugin`. */
export async function makePluginSite(options: PluginSiteOptions): Promise<PluginSite> {
  const db = await createDatabase();
  const host = await createHost(db, { name: 'ours', ...options.host });
  const { config } = parseConfig(
    `
site: { name: ours, url: "https://ours.example.com/", api_key: ${options.ourKey} }
database: { host: ${db.host}, port: ${db.port}, user: ${db.user}, password: ${JSON.stringify(db.password)}, name: ${db.name} }
http: { host: 127.0.0.1, port: 0, admin_token: ours-token-0123456789-abcdef }
${withoutGuard(options.extra ?? '')}
peers:
  - name: plugin
    url: ${options.peerUrl ?? 'http://127.0.0.1:9/'}
    api_key: ${options.peerKey}
    protocol: plugin
    email_trust: verified
${options.peerExtra ?? ''}
`,
    'ours.yaml',
    {},
    () => '',
  );
  const daemon = await startDaemon({
    config,
    log: silentLog,
    manual: options.manual ?? true,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const open = await daemon.ready;
  while (await open.site.isScanPending()) await open.site.scanPage();
  return {
    db,
    host,
    daemon,
    open,
    async close() {
      await daemon.stop('test');
      await host.close();
      await db.drop();
    },
  };
}
