/** How things stand with a daemon, as readings of its gauges. Names of peers are in them, so `/metrics` asks for a token. */
import { queueDepth } from '../store/queue.ts';
import { readClock } from '../db/server-facts.ts';
import { fromSqlTime } from '../db/time.ts';
import type { FeedControl } from '../feed/control.ts';
import { GUARD_CLASSES } from '../model/guard.ts';
import type { Health, PeerSummary } from '../model/response-schemas.ts';
import { sample, type Sample } from '../metrics/metrics.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Site } from '../site/site.ts';
import type { WorkState } from '../admin/gather-health.ts';
import type { Loops } from './loops.ts';
import { VERSION } from '../version.ts';
import { peerFacts } from '../admin/peer-facts.ts';

const LEVEL: Readonly<Record<Health['status'], number>> = { ok: 0, degraded: 1, down: 2 };
const TRIGGER_STATES: readonly WorkState['triggers'][] = ['ok', 'mending', 'missing', 'unused'];

/** What can be told of a daemon whose database cannot be used. */
export function gaugesOfHealth(site: string, health: Health): Sample[] {
  return [
    sample('account_sync_build_info', 1, { site, version: VERSION }),
    sample('account_sync_health', LEVEL[health.status], { check: 'all' }),
    ...Object.entries(health.checks).map(([check, { status }]) =>
      sample('account_sync_health', LEVEL[status], { check }),
    ),
  ];
}

/** All readings of an open site. What only the database knows is left out while it is away: `health` says that. */
export async function gaugesOf(
  site: Site,
  loops: Loops,
  feeds: Pick<FeedControl, 'progress'>,
  clock: Clock,
  health: Health,
): Promise<Sample[]> {
  const common = [
    ...gaugesOfHealth(site.config.site.name, health),
    ...poolGauges(site),
    ...[...site.helloCache.clockSkewsMs()].map(([peer, skewMs]) =>
      sample('account_sync_peer_clock_skew_seconds', skewMs / 1000, { peer }),
    ),
    ...site.routes().flatMap(({ name }) => feedGauges(name, feeds)),
  ];
  if (health.checks.database.status === 'down') return common;
  try {
    return [...common, ...(await storedGauges(site, loops, clock))];
  } catch {
    return common;
  }
}

async function storedGauges(site: Site, { state }: Loops, clock: Clock): Promise<Sample[]> {
  const { depth, oldest } = await queueDepth(site.db);
  const ageS = oldest === null ? 0 : Math.max(0, (clock.nowMs() - fromSqlTime(oldest)) / 1000);
  const summaries = await site.status.summaries(peerFacts(site));
  const skewMs = clock.nowMs() - (await readClock(site.db));
  return [
    ...TRIGGER_STATES.map((each) => sample('account_sync_triggers', Number(each === state.triggers), { state: each })),
    sample('account_sync_vanished_accounts', state.vanished, {}),
    sample('account_sync_queue_markers', depth, {}),
    sample('account_sync_queue_oldest_age_seconds', ageS, {}),
    sample('account_sync_database_clock_skew_seconds', skewMs / 1000, {}),
    ...summaries.flatMap((summary) => peerGauges(summary, clock.nowMs())),
  ];
}

function peerGauges(summary: PeerSummary, nowMs: number): Sample[] {
  const { name: peer, pending, oldest_pending_age: oldest, parked, unproven, failing_since: since } = summary;
  const failingS = since === null ? 0 : Math.max(0, (nowMs - Date.parse(since)) / 1000);
  return [
    sample('account_sync_outbox_entries', pending, { peer }),
    sample('account_sync_outbox_oldest_age_seconds', oldest ?? 0, { peer }),
    sample('account_sync_parked', parked, { peer }),
    sample('account_sync_unproven', unproven, { peer }),
    ...GUARD_CLASSES.map((name) => sample('account_sync_held', summary.held_by_class[name], { peer, class: name })),
    sample('account_sync_unknown_locations', summary.unknown_locations, { peer }),
    sample('account_sync_peer_failing_seconds', failingS, { peer }),
    sample('account_sync_feed_last_user_id', summary.last_user_id, { peer }),
  ];
}

function feedGauges(peer: string, feeds: Pick<FeedControl, 'progress'>): Sample[] {
  const { running, total, remaining } = feeds.progress(peer);
  return [
    sample('account_sync_feed_running', Number(running), { peer }),
    sample('account_sync_feed_users', total, { peer }),
    sample('account_sync_feed_remaining_users', remaining, { peer }),
  ];
}

function poolGauges({ connections }: Site): Sample[] {
  const { inUse, waiting, limit } = connections.use();
  return [
    sample('account_sync_pool_connections', inUse, {}),
    sample('account_sync_pool_waiting', waiting, {}),
    sample('account_sync_pool_limit', limit, {}),
  ];
}
