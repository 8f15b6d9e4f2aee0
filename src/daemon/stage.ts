/** How far a daemon has come: on the way to its site, or with it open. What it can tell of itself differs. */
import { healthOf, noDatabase } from '../admin/gather-health.ts';
import type { Config } from '../config/config.ts';
import type { FeedControl } from '../feed/control.ts';
import type { Sample } from '../metrics/metrics.ts';
import { SyncError } from '../model/errors.ts';
import type { Health } from '../model/response-schemas.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Site } from '../site/site.ts';
import { gaugesOf, gaugesOfHealth } from './gauges.ts';
import type { Loops } from './loops.ts';
import type { SiteDeps } from './site-routes.ts';

/** An open site, with all that a daemon does for it. */
export interface RunningSite {
  readonly site: Site;
  readonly loops: Loops;
  readonly feeds: FeedControl;
  readonly routes: SiteDeps;
}

/** The stage of one daemon; whoever brings it further writes that down here. */
export interface Stage {
  /** What the site will be opened with, as long as it is not. */
  coming: Config;
  /** Why it is not open, by the last try. */
  problem: unknown;
  open: RunningSite | undefined;
}

/** Before the first try. */
export function firstStage(config: Config): Stage {
  return { coming: config, problem: new SyncError('DB_UNAVAILABLE', 'The daemon is starting.'), open: undefined };
}

/** The config in force. */
export function configOf({ open, coming }: Stage): Config {
  return open?.site.config ?? coming;
}

/** The routes of the open site. Throws `DB_UNAVAILABLE` where it is not open. */
export function routesOfOpenSite({ open }: Stage): SiteDeps {
  if (open === undefined) throw new SyncError('DB_UNAVAILABLE', undefined, { retryAfterS: 1 });
  return open.routes;
}

/** The open site. Throws `DB_UNAVAILABLE` where it is not open. */
export function openSiteOf({ open }: Stage): Site {
  if (open === undefined) throw new SyncError('DB_UNAVAILABLE', undefined, { retryAfterS: 1 });
  return open.site;
}

/** Health, whether the site is open or not. */
export async function healthAt({ open, problem }: Stage, clock: Clock, configRefused: boolean): Promise<Health> {
  if (open === undefined) return noDatabase(problem, clock.nowMs(), configRefused);
  return await healthOf(open.site, open.loops.state, clock, configRefused);
}

/** All that can be measured now. */
export async function readingsAt({ open, coming }: Stage, clock: Clock, health: Health): Promise<Sample[]> {
  if (open === undefined) return gaugesOfHealth(coming.site.name, health);
  return await gaugesOf(open.site, open.loops, open.feeds, clock, health);
}
