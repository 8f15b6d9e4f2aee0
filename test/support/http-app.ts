/** The HTTP server with stand-ins behind it: each test replaces what it is about. */
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { LogEntry } from '../../src/model/log-entry.ts';
import { makeAuthenticator } from '../../src/peer/authentication.ts';
import { makeKeyDigest } from '../../src/peer/key-digest.ts';
import { silentLog } from '../../src/runtime/logger.ts';
import { makeApp } from '../../src/server/app.ts';
import type { ServerDeps } from '../../src/server/deps.ts';
import type { App } from '../../src/server/request.ts';

const HOMES_KEY = 'homes-key-aaaaaaaaaaaaaaa';
const PLUG = { kind: 'peer', name: 'plug', protocol: 'plugin', keyDigest: 'deadbeef' } as const;
/** Of the peer that runs the plugin. */
export const PLUGIN_KEY = 'plugin-key-bbbbbbbbbbbbbb';
const ADMIN_TOKEN = 'admin-token-ccccccccccccc';

/** Headers of a caller with the peer's key, and with the admin token. */
export const asPeer = { authorization: `Bearer ${HOMES_KEY}` } as const;
export const asAdmin = { authorization: `Bearer ${ADMIN_TOKEN}` } as const;

/** Names keys, as the app does. */
export const keyDigest = makeKeyDigest({
  site: { apiKey: 'cars-key-aaaaaaaaaaaaaaa', signingKey: null },
  database: { password: 'secret' },
});

const nobody = async (): Promise<never> => {
  throw new Error('not part of this test');
};

const progress = {
  peer: 'homes',
  running: false,
  message: null,
  retrieved: 0,
  remaining: 0,
  total: 0,
  last_user_id: 0,
  error: null,
};

/** An app that is closed when the test is over, and the log records it wrote. */
export function httpApp(changes: Partial<ServerDeps> = {}): { app: App; logged: LogEntry[] } {
  const logged: LogEntry[] = [];
  const { identify, hasAdmin } = makeAuthenticator({
    peers: [{ name: 'homes', protocol: 'native', apiKeys: [HOMES_KEY], publicKeys: [] }],
    admins: [{ name: 'ana', token: ADMIN_TOKEN }],
    keyDigest,
  });
  const app = makeApp({
    identify,
    identifySigned: nobody,
    publicPath: () => '/',
    adminConfigured: hasAdmin,
    openMetrics: () => false,
    basePath: '/',
    maxBodyBytes: () => 100_000,
    trustProxy: () => false,
    pluginDoor: {
      isOpen: () => true,
      identify: (key) => (key === PLUGIN_KEY ? PLUG : { kind: 'invalid', keyDigest: 'a1b2c3d4' }),
    },
    log: silentLog,
    isStopping: () => false,
    appendLog: async (entries) => void logged.push(...entries),
    health: nobody,
    hello: nobody,
    serveFeed: nobody,
    acceptStream: nobody,
    queryLogs: nobody,
    listPeers: nobody,
    peerDetail: nobody,
    feedControl: {
      start: async () => progress,
      follow: async () => Readable.from([{ event: 'begun' }]),
      progress: async () => progress,
      stop: async () => progress,
    },
    runStream: nobody,
    pending: nobody,
    parked: { list: nobody, retry: nobody, drop: nobody },
    approve: nobody,
    link: nobody,
    unlink: nobody,
    ...changes,
  });
  onTestFinished(async () => app.close());
  return { app, logged };
}

/** Listens on a free port of loopback and gives the address: `http://127.0.0.1:PORT`. */
export async function listening(app: App): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 });
}
