/** How far our clock is from those it is compared with. */
import { readClock } from '../db/server-facts.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Site } from '../site/site.ts';

/** Our clock minus the database's, or minus a peer's, whichever is further off; in milliseconds. */
export async function largestSkew(site: Pick<Site, 'db' | 'helloCache'>, clock: Clock): Promise<number> {
  const ofDatabase = clock.nowMs() - (await readClock(site.db));
  const ofPeers = site.helloCache.clockSkewMs() ?? 0;
  return Math.abs(ofPeers) > Math.abs(ofDatabase) ? ofPeers : ofDatabase;
}
