/**
 * The daemon: server first, so that health answers from the start; then the site, tried until the database is there; then
 * the loops. It stops in reverse.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { installOnce } from '../capture/install.ts';
import { ADMIN, type Config } from '../config/config.ts';
import type { Edits } from '../config/watch-file.ts';
import { isInstalled } from '../db/migrate.ts';
import { makeFeedControl, type FeedControl } from '../feed/control.ts';
import { gaugesOf, gaugesOfHealth } from './gauges.ts';
import { makeMeter } from '../metrics/meter.ts';
import { ERRORS, SyncError, remedyOf } from '../model/errors.ts';
import type { Health } from '../model/response-schemas.ts';
import { makeMetrics } from '../metrics/metrics.ts';
import { noteRefusedEdit } from '../admin/refused-edit.ts';
import { makeAuthenticator, type Credentials } from '../peer/authentication.ts';
import { backoffMs } from '../runtime/backoff.ts';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { makeLifecycle, type Lifecycle } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/logger.ts';
import { makeReload } from './reload.ts';
import { makeApp } from '../server/app.ts';
import { tellStop } from './loops/identity-watch.ts';
import { openSite, type Site } from '../site/site.ts';
import type { SiteOptions } from '../site/site-options.ts';
import { healthOf, noDatabase } from '../admin/gather-health.ts';
import { wireSite, type SiteDeps } from './site-routes.ts';
import { makeWork, type Work } from './loops.ts';

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
  readonly edits?: Edits;
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
  readonly work: Work;
}

const NO_EDITS: Edits = { read: async () => undefined };

function credentialsOf({ peers, http }: Config): Credentials {
  const first = http.adminToken === null ? [] : [{ name: ADMIN, token: http.adminToken }];
  return { peers, admins: [...first, ...http.adminTokens] };
}

/** Starts a daemon. Throws only if it cannot listen. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, clock = systemClock } = options;
  const lifecycle = makeLifecycle({ log });
  const authenticator = makeAuthenticator(credentialsOf(options.config));
  const metrics = makeMetrics({ ofProcess: options.processMetrics ?? false });
  const meter = makeMeter(metrics, clock);
  let open: (OpenSite & { deps: SiteDeps; feeds: FeedControl }) | undefined;
  /** What the site will be opened with, as long as it is not. */
  let coming = options.config;
  const inForce = (): Config => open?.site.config ?? coming;
  let problem: unknown = new SyncError('DB_UNAVAILABLE', 'The daemon is starting.');
  const deps = (): SiteDeps => {
    if (open === undefined) throw new SyncError('DB_UNAVAILABLE', undefined, { retryAfterS: 1 });
    return open.deps;
  };

  const reload = makeReload({
    edits: options.edits ?? NO_EDITS,
    inForce,
    async takeOver(next) {
      if (open === undefined) coming = next;
      else await open.site.reconfigure(next, lifecycle.signal);
      authenticator.update(credentialsOf(next));
      open?.work.followConfig();
      options.onConfig?.(next);
    },
    async note(refusal) {
      if (open === undefined) return false;
      await noteRefusedEdit(open.site.db, refusal, clock.nowMs());
      return true;
    },
    log,
  });
  const health = async (): Promise<Health> => {
    const isRefused = reload.refusal() !== undefined;
    if (open === undefined) return noDatabase(problem, clock.nowMs(), isRefused);
    return await healthOf(open.site, open.work.state, clock, isRefused);
  };

  const app = makeApp({
    identify: (header) => authenticator.identify(header),
    adminConfigured: () => authenticator.hasAdmin(),
    openMetrics: () => inForce().http.openMetrics,
    basePath: options.config.http.basePath,
    maxBodyBytes: () => inForce().http.maxBodyBytes,
    trustProxy: () => inForce().http.trustProxy,
    log,
    isStopping: () => lifecycle.isStopping(),
    appendLog: async (entries) => {
      if (open !== undefined) await open.site.activity.append(open.site.db, entries);
    },
    health,
    metrics: async () => {
      const state = await health();
      if (open === undefined) return metrics.render(gaugesOfHealth(coming.site.name, state));
      return metrics.render(await gaugesOf(open.site, open.work, open.feeds, clock, state));
    },
    onAnswered: ({ seconds, ...labels }) =>
      metrics.observe('account_sync_http_request_duration_seconds', labels, seconds),
    hello: (...args) => deps().hello(...args),
    serveFeed: (...args) => deps().serveFeed(...args),
    acceptStream: (...args) => deps().acceptStream(...args),
    servePlugin: async (...args) => await deps().servePlugin(...args),
    queryLogs: (...args) => deps().queryLogs(...args),
    listPeers: () => deps().listPeers(),
    peerDetail: (...args) => deps().peerDetail(...args),
    feedControl: {
      start: (...args) => deps().feedControl.start(...args),
      follow: (...args) => deps().feedControl.follow(...args),
      progress: (...args) => deps().feedControl.progress(...args),
      stop: (...args) => deps().feedControl.stop(...args),
    },
    runStream: () => deps().runStream(),
    pending: (...args) => deps().pending(...args),
    parked: {
      list: (...args) => deps().parked.list(...args),
      retry: (...args) => deps().parked.retry(...args),
      drop: (...args) => deps().parked.drop(...args),
    },
    approve: (...args) => deps().approve(...args),
  });
  const { host, port } = options.config.http;
  const url = await app.listen({ host, port });
  lifecycle.add('server', () => app.close());
  // The address as the config has it: Fastify names the first of those that 0.0.0.0 stands for.
  const on = `${host.includes(':') ? `[${host}]` : host}:${new URL(url).port}`;
  log.info(
    { listening: on, basePath: options.config.http.basePath, site: coming.site.name, peers: coming.peers.length },
    'listening',
  );

  const begin = async (): Promise<OpenSite> => {
    const site = await openPatiently(
      { ...options, meter },
      () => coming,
      clock,
      lifecycle,
      (error) => {
        problem = error;
      },
    );
    lifecycle.add('database', () => site.close());
    // What is being answered needs the database; what comes new gets 503.
    lifecycle.add('requests', () => app.close());
    const work = makeWork(site, log, clock);
    const feeds = makeFeedControl((peer, feedOptions) => site.feed(peer, feedOptions));
    open = { site, work, feeds, deps: wireSite(site, work, feeds, clock, authenticator.identifyKey) };
    if (options.manual !== true) work.start();
    lifecycle.add('loops', async () => {
      await Promise.all([reload.stop(), work.stop(), feeds.stopAll()]);
    });
    return { site, work };
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

/** Opens and installs, again and again while the database is away; gives up on what waiting does not mend. */
async function openPatiently(
  options: DaemonOptions & Pick<SiteOptions, 'meter'>,
  config: () => Config,
  clock: Clock,
  lifecycle: Lifecycle,
  onProblem: (error: unknown) => void,
): Promise<Site> {
  const { log, random = Math.random } = options;
  for (let failures = 1; ; failures++) {
    let site: Site | undefined;
    try {
      site = await openSite(config(), { ...options, clock });
      await prepare(site, log, lifecycle.signal);
      await site.refresh();
      tellStop(await site.standing.note(), log);
      return site;
    } catch (error) {
      await site?.close();
      onProblem(error);
      lifecycle.signal.throwIfAborted();
      const isPassing = error instanceof SyncError && ERRORS[error.code].reaction === 'retry';
      if (!isPassing) throw error;
      const waitMs = backoffMs(failures, random());
      log.warn({ err: error, waitMs, remedy: remedyOf(error) }, 'cannot start yet');
      await wait(waitMs, undefined, { signal: lifecycle.signal });
    }
  }
}

/** Tables and triggers; `run` makes them itself if nobody ran `install`. */
async function prepare(site: Site, log: Log, signal: AbortSignal): Promise<void> {
  const { db } = site;
  const isFirst = !(await isInstalled(db));
  if (isFirst) log.info({}, 'not installed yet: installing tables and triggers');
  const installed = await installOnce(db, site.parts().catalog, {
    signal,
    related: site.parts().hosts.related,
    mode: site.config.capture.mode,
  });
  if (isFirst || installed.migrations.length > 0 || installed.triggers > 0) {
    log.info({ ...installed }, 'installed');
  }
}
