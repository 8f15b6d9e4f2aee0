/** Opening the site of a daemon: again and again while the database is away, with tables and triggers made where they are not. */
import { setTimeout as wait } from 'node:timers/promises';
import { installOnce } from '../capture/install.ts';
import type { Config } from '../config/config.ts';
import { isInstalled } from '../db/migrate.ts';
import { ERRORS, SyncError, remedyOf } from '../model/errors.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Log } from '../runtime/logger.ts';
import type { SiteOptions } from '../site/site-options.ts';
import { openSite, type Site } from '../site/site.ts';
import { logMismatch } from './loops/identity-watch.ts';

/** How to open it. */
export interface OpeningOptions extends SiteOptions {
  /** The config to open it with, asked at each try. */
  readonly config: () => Config;
  readonly log: Log;
  /** Gives up when it aborts. */
  readonly signal: AbortSignal;
  /** Is told why a try failed. */
  readonly onProblem: (error: unknown) => void;
}

/** Opens and installs, again and again while the database is away; throws what waiting does not mend, and the signal's reason. */
export async function openPatiently(options: OpeningOptions): Promise<Site> {
  const { config, log, signal, onProblem, random = Math.random } = options;
  for (let failures = 1; ; failures++) {
    let site: Site | undefined;
    try {
      site = await openSite(config(), options);
      await prepare(site, log, signal);
      await site.refresh();
      logMismatch(await site.identityCheck.note(), log);
      return site;
    } catch (error) {
      await site?.close();
      onProblem(error);
      signal.throwIfAborted();
      const isPassing = error instanceof SyncError && ERRORS[error.code].reaction === 'retry';
      if (!isPassing) throw error;
      const waitMs = backoffMs(failures, random());
      log.warn({ err: error, waitMs, remedy: remedyOf(error) }, 'cannot start yet');
      await wait(waitMs, undefined, { signal });
    }
  }
}

/** Tables and triggers; `run` makes them itself if nobody ran `install`. */
async function prepare(site: Site, log: Log, signal: AbortSignal): Promise<void> {
  const { db } = site;
  const isFirst = !(await isInstalled(db));
  if (isFirst) log.info({}, 'not installed yet: installing tables and triggers');
  const installed = await installOnce(db, site.snapshot().catalog, {
    signal,
    related: site.snapshot().hosts.related,
    mode: site.config.capture.mode,
  });
  if (isFirst || installed.migrations.length > 0 || installed.triggers > 0) {
    log.info({ ...installed }, 'installed');
  }
}
