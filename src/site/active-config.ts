/** What an edit of the config replaces in a site, in one assignment, so that no work sees half of it. */
import type { Config } from '../config/config.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import { routesOf, type HostSnapshot } from '../osclass/host.ts';

/** A config, and all that follows from it. */
export interface ActiveConfig {
  readonly config: Config;
  /** The host as last read under this config. */
  readonly snapshot: HostSnapshot;
  readonly routes: readonly PeerRoute[];
  readonly origin: Origin;
}

/** Pure. */
export function makeActiveConfig(config: Config, snapshot: HostSnapshot): ActiveConfig {
  const { name, priority } = config.site;
  const origin = { site: name, priority };
  return { config, snapshot, routes: routesOf(config), origin };
}
