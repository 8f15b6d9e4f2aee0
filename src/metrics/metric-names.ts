/** Every metric of ours by name: what it measures, in which unit, and by which labels. docs/metrics.md is made from it. */

/** One metric. Counters begin at 0 when the daemon starts; gauges are read when somebody asks. */
export interface MetricDescription {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** For people; ends without a full stop, as is the custom. */
  readonly help: string;
  /** Upper bounds; only of a histogram. */
  readonly buckets?: readonly number[];
}

/** From the commit on one site to the confirmation by the other: a second as a rule, days after an outage. */
const LAG_BUCKETS = [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400] as const;
const WORK_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** All of them. No label holds anything of a person, or a secret. */
export const METRICS = {
  account_sync_build_info: {
    type: 'gauge',
    labels: ['site', 'version'],
    help: 'Always 1; says which site and which version this is',
  },
  account_sync_health: {
    type: 'gauge',
    labels: ['check'],
    help: 'Each check of /health: 0 ok, 1 degraded, 2 down; check="all" is the worst of them',
  },
  account_sync_triggers: {
    type: 'gauge',
    labels: ['state'],
    help: '1 for the state the triggers are in (ok, mending, missing; unused in scan mode), 0 for the others; while missing, changes are not seen',
  },
  account_sync_vanished_accounts: {
    type: 'gauge',
    labels: [],
    help: 'Accounts that are gone though nobody deleted them: a table emptied, or an older backup restored',
  },
  account_sync_queue_markers: {
    type: 'gauge',
    labels: [],
    help: 'Markers of the triggers that the drain has not processed',
  },
  account_sync_queue_oldest_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Age of the oldest marker; 0 while there is none',
  },
  account_sync_markers_drained_total: { type: 'counter', labels: [], help: 'Markers processed' },
  account_sync_users_changed_total: {
    type: 'counter',
    labels: [],
    help: 'Users in whom the drain found a change or a removal, once per pass',
  },
  account_sync_outbox_entries: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Users and removals that wait to be sent to the peer, without those held or parked',
  },
  account_sync_outbox_oldest_age_seconds: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Age of the oldest change that waits to be sent to the peer; 0 while there is none',
  },
  account_sync_parked: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Records that cannot succeed by waiting, from the peer and to it: a person is needed',
  },
  account_sync_unproven: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Accounts of the peer whose address nobody proved there and an account here has: they wait for that, and need nobody',
  },
  account_sync_held: {
    type: 'gauge',
    labels: ['peer', 'class'],
    help: 'Users and removals of which the guard holds something, from the peer and to it, until approved; one user may be in several classes: removals, credentials, revivals, creations',
  },
  account_sync_lag_seconds: {
    type: 'histogram',
    labels: ['peer'],
    buckets: LAG_BUCKETS,
    help: 'From the commit of a change here to its confirmation by the peer',
  },
  account_sync_records_sent_total: {
    type: 'counter',
    labels: ['peer', 'type', 'result'],
    help: 'Records streamed to the peer (type user or removal) by its answer: applied, unchanged, retry, parked; refused: not even alone',
  },
  account_sync_records_received_total: {
    type: 'counter',
    labels: ['peer', 'type', 'via', 'result'],
    help: 'Records of the peer merged here (type user or removal; via stream, feed or parked) by what came of it: applied, unchanged, retry, parked',
  },
  account_sync_apply_duration_seconds: {
    type: 'histogram',
    labels: ['via'],
    buckets: WORK_BUCKETS,
    help: 'Time to merge one batch of records of a peer (via stream, feed or parked)',
  },
  account_sync_conflicts_total: {
    type: 'counter',
    labels: ['peer'],
    help: 'Registers that both sites had changed since they last agreed; the later change was kept',
  },
  account_sync_codes_total: {
    type: 'counter',
    labels: ['peer', 'code'],
    help: 'What went otherwise than asked while records of the peer were merged, by code of the registry',
  },
  account_sync_unknown_locations: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Different countries, regions and cities that the peer has named and this site does not know',
  },
  account_sync_peer_failing_seconds: {
    type: 'gauge',
    labels: ['peer'],
    help: 'For how long calls to the peer have been failing; 0 while they succeed',
  },
  account_sync_peer_clock_skew_seconds: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Our clock minus that of the peer, as last measured; absent until then',
  },
  account_sync_database_clock_skew_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Our clock minus that of the database server',
  },
  account_sync_feed_running: {
    type: 'gauge',
    labels: ['peer'],
    help: '1 while this daemon feeds from the peer',
  },
  account_sync_feed_users: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Users that the feed under way, or the last one of this daemon, has to bring',
  },
  account_sync_feed_remaining_users: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Users that the feed under way, or the last one of this daemon, has not brought yet',
  },
  account_sync_feed_last_user_id: {
    type: 'gauge',
    labels: ['peer'],
    help: 'Highest id of the peer that a feed has brought, whoever ran it',
  },
  account_sync_pool_connections: {
    type: 'gauge',
    labels: [],
    help: 'Connections to the database that are in use',
  },
  account_sync_pool_waiting: {
    type: 'gauge',
    labels: [],
    help: 'Statements and transactions that wait for a connection',
  },
  account_sync_pool_limit: { type: 'gauge', labels: [], help: 'Most connections to the database at a time' },
  account_sync_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['method', 'route', 'status'],
    buckets: WORK_BUCKETS,
    help: 'Time to answer a request, by route; route="unknown" for addresses there are none at',
  },
} as const satisfies Record<string, MetricDescription>;

export type MetricName = keyof typeof METRICS;

/** Names of the metrics of one type. */
export type NameOf<T extends MetricDescription['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];

/** Exactly the labels that a metric has. */
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;
