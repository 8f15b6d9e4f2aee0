/**
 * The daemon: server first, so that health answers from the start; then the site, tried until the database is there; then
 * the loops. It stops in reverse.
 */
import { noteRefusedEdit } from '../admin/refused-edit.ts';
import { ADMIN, type Config } from '../config/config.ts';
import type { ConfigWatcher } from '../config/watch-file.ts';
import { makeFeedControl } from '../feed/control.ts';
import { makeMeter } from '../metrics/meter.ts';
import { makeMetrics, type Metrics } from '../metrics/metrics.ts';
import { remedyOf } from '../model/errors.ts';
import { makeAuthenticator, type Authenticator, type Credentials } from '../peer/authentication.ts';
import { makeKeyDigest } from '../peer/key-digest.ts';
import { judgeSignature } from '../peer/verify-signature.ts';
import { rememberNonce } from '../store/nonces.ts';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { makeLifecycle, type Lifecycle } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/logger.ts';
import { processMemory, watchMemory, type MemoryWatch } from '../runtime/memory-watch.ts';
import { makeApp } from '../server/app.ts';
import type { PluginDoor } from '../server/deps.ts';
import { isTrustedProxy } from '../server/trusted-proxies.ts';
import type { SiteOptions } from '../site/site-options.ts';
import type { Site } from '../site/site.ts';
import { lateRoutes } from './late-routes.ts';
import { makeLoops, type Loops } from './loops.ts';
import { openPatiently } from './open-patiently.ts';
import { makeReload, type Reload } from './reload.ts';
import { makePeerQuotas, type PeerQuotas } from '../peer/quotas.ts';
import { wireSite } from './site-routes.ts';
import { configOf, firstStage, healthAt, openSiteOf, readingsAt, routesOfOpenSite, type Stage } from './stage.ts';

/** What a daemon is started with. */
export interface DaemonOptions {
  readonly config: Config;
  readonly log: Log;
  readonly clock?: Clock;
  /** 0 ≤ n < 1. */
  readonly random?: () => number;
  /** Called after every SQL statement; tests stop the process there. */
  readonly onStatement?: SiteOptions['onStatement'];
  readonly leaseMs?: SiteOptions['leaseMs'];
  /** Metrics of the process too: only one daemon of a process may have them. */
  readonly processMetrics?: boolean;
  /** Where edits of the config come from; absent: it stays as it is. */
  readonly edits?: ConfigWatcher;
  /** Told of each config that is taken over. */
  readonly onConfig?: (config: Config) => void;
  /** Serves, but repeats nothing by itself: whoever started it calls the passes. */
  readonly manual?: boolean;
}

/** A daemon under way. */
export interface Daemon {
  /** Where it listens: `http://127.0.0.1:8470/`. */
  readonly url: string;
  readonly lifecycle: Lifecycle;
  /** Resolves when the site is open and its loops run; rejects with what makes that impossible, after stopping. */
  readonly ready: Promise<OpenSite>;
  /** Looks at the config file now. */
  reload(): void;
  stop(reason: string): Promise<void>;
}

/** A site with its loops. */
export interface OpenSite {
  readonly site: Site;
  readonly loops: Loops;
}

const NO_EDITS: ConfigWatcher = { read: async () => undefined };

function credentialsOf(config: Config): Credentials {
  const { peers, http } = config;
  const first = http.adminToken === null ? [] : [{ name: ADMIN, token: http.adminToken }];
  return { peers, admins: [...first, ...http.adminTokens], keyDigest: makeKeyDigest(config) };
}

/** Starts a daemon. Throws only if it cannot listen. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, log, clock = systemClock } = options;
  const lifecycle = makeLifecycle({ log });
  const authenticator = makeAuthenticator(credentialsOf(config));
  const metrics = makeMetrics({ ofProcess: options.processMetrics ?? false });
  const stage = firstStage(config);
  const quotas = makePeerQuotas(
    () => configOf(stage).quotas,
    () => clock.nowMs(),
  );
  const memory = watchMemory(processMemory);
  const frame: Frame = { stage, clock, lifecycle, authenticator, metrics, quotas, memory };
  const reload = makeReloadOf(options, frame);
  const app = makeServer(options, frame, reload);

  const { host, port, basePath } = config.http;
  const url = await app.listen({ host, port });
  lifecycle.add('server', () => app.close());
  lifecycle.add('memory watch', async () => memory.end());
  const { site: us, peers } = stage.coming;
  log.info({ listening: listeningOn(host, url), basePath, site: us.name, peers: peers.length }, 'listening');

  const begin = async (): Promise<OpenSite> => {
    const site = await openPatiently({
      ...options,
      clock,
      meter: makeMeter(metrics, clock),
      config: () => stage.coming,
      signal: lifecycle.signal,
      onProblem(error) {
        stage.problem = error;
      },
    });
    lifecycle.add('database', () => site.close());
    // What is being answered needs the database; what comes new gets 503.
    lifecycle.add('requests', () => app.close());
    const loops = makeLoops(site, log, clock);
    const feeds = makeFeedControl((peer, feedOptions) => site.feed(peer, feedOptions));
    stage.open = { site, loops, feeds, routes: wireSite(site, loops, { feeds, clock, quotas }) };
    if (options.manual !== true) loops.start();
    lifecycle.add('loops', async () => {
      await Promise.all([reload.stop(), loops.stop(), feeds.stopAll()]);
    });
    return { site, loops };
  };
  if (options.edits !== undefined) reload.start();
  lifecycle.add('config', () => reload.stop());
  const ready = begin();
  ready.catch(async (error: unknown) => {
    if (lifecycle.isStopping()) return;
    log.error({ err: error, remedy: remedyOf(error) }, 'cannot start');
    await lifecycle.stop('cannot start');
  });
  return {
    url: url.endsWith('/') ? url : `${url}/`,
    lifecycle,
    ready,
    reload: () => reload.now(),
    async stop(reason) {
      await lifecycle.stop(reason);
    },
  };
}

/** What there is of a daemon from the start. */
interface Frame {
  readonly stage: Stage;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly authenticator: Authenticator;
  readonly metrics: Metrics;
  readonly quotas: PeerQuotas;
  readonly memory: MemoryWatch;
}

/** An edit is for the site that is open, or for the one to be opened, and for everything beside it. */
function makeReloadOf(options: DaemonOptions, { stage, clock, lifecycle, authenticator }: Frame): Reload {
  return makeReload({
    edits: options.edits ?? NO_EDITS,
    activeConfig: () => configOf(stage),
    async takeOver(next) {
      if (stage.open === undefined) stage.coming = next;
      else await stage.open.site.reconfigure(next, lifecycle.signal);
      authenticator.update(credentialsOf(next));
      stage.open?.loops.followConfig();
      options.onConfig?.(next);
    },
    async note(refusal) {
      if (stage.open === undefined) return false;
      await noteRefusedEdit(stage.open.site.db, refusal, clock.nowMs());
      return true;
    },
    log: options.log,
  });
}

/** Answers from the start; what needs the site answers once it is open. */
function makeServer({ config, log }: DaemonOptions, frame: Frame, reload: Reload): ReturnType<typeof makeApp> {
  const { stage, clock, lifecycle, authenticator, metrics, quotas, memory } = frame;
  const health = () => healthAt(stage, clock, reload.refusal() !== undefined);
  return makeApp({
    ...lateRoutes(() => routesOfOpenSite(stage)),
    identify: (header) => authenticator.identify(header),
    identifySigned: (request) =>
      judgeSignature(request, {
        site: configOf(stage).site.name,
        keysOf: authenticator.publicKeysOf,
        nowMs: () => clock.nowMs(),
        remember: (...nonce) => rememberNonce(openSiteOf(stage).db, ...nonce),
      }),
    publicPath: () => configOf(stage).http.publicPath,
    adminConfigured: () => authenticator.hasAdmin(),
    openMetrics: () => configOf(stage).http.openMetrics,
    basePath: config.http.basePath,
    maxBodyBytes: () => configOf(stage).http.maxBodyBytes,
    trustProxy: (address, hop) => isTrustedProxy(configOf(stage).http.trustProxy, address, hop),
    pluginDoor: pluginDoorOf(() => configOf(stage).peers, authenticator),
    log,
    isStopping: () => lifecycle.isStopping(),
    makeRoom: () => memory.makeRoom(),
    appendLog: async (entries) => {
      if (stage.open !== undefined) await stage.open.site.activity.append(stage.open.site.db, entries);
    },
    health,
    enterCall: quotas.enter,
    metrics: async () => {
      const state = await health();
      return metrics.render(await readingsAt(stage, clock, state));
    },
    onAnswered: ({ seconds, ...labels }) =>
      metrics.observe('account_sync_http_request_duration_seconds', labels, seconds),
  });
}

/** Only keys of peers that run the plugin open its door. */
function pluginDoorOf(peers: () => Config['peers'], { identifyKey }: Authenticator): PluginDoor {
  const plugins = () => peers().filter(({ protocol }) => protocol === 'plugin');
  return {
    isOpen: () => plugins().length > 0,
    identify(key) {
      const who = identifyKey(key);
      if (who.kind === 'missing' || who.kind === 'invalid') return who;
      const isPlugin = who.kind === 'peer' && plugins().some(({ name }) => name === who.name);
      return isPlugin ? who : { kind: 'invalid', keyDigest: who.keyDigest };
    },
  };
}

/** The address as the config has it: Fastify names the first of those that 0.0.0.0 stands for. */
function listeningOn(host: string, url: string): string {
  return `${host.includes(':') ? `[${host}]` : host}:${new URL(url).port}`;
}
