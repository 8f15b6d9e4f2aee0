/** A checked file → the config the program works with. */
import type { Config, DatabaseConfig, GuardConfig, PeerConfig } from './config.ts';
import { parseDuration } from './duration.ts';
import type { RemovalMode } from '../model/route.ts';
import type { RawConfig } from './schema.ts';
import { parsePublicKey, parseSigningKey, type PublicKey } from '../model/signing-key.ts';
import { parseSize } from './size.ts';
import { normalizeUrl } from './url.ts';

/** Renames, converts units and normalises. `raw` must have passed every check, else the result is meaningless. */
export function resolveConfig(raw: RawConfig): Config {
  return {
    site: {
      name: raw.site.name,
      url: normalizeUrl(raw.site.url),
      apiKey: raw.site.api_key,
      signingKey: raw.site.signing_key === undefined ? null : (parseSigningKey(raw.site.signing_key) ?? null),
      timezone: raw.site.timezone ?? null,
      priority: raw.site.priority,
      serverIdentity: raw.site.server_identity,
    },
    database: resolveDatabase(raw.database),
    http: {
      host: raw.http.host,
      port: raw.http.port,
      basePath: withSlash(raw.http.base_path),
      publicPath: withSlash(raw.http.public_path ?? raw.http.base_path),
      adminToken: raw.http.admin_token ?? null,
      adminTokens: raw.http.admin_tokens,
      openMetrics: raw.http.open_metrics,
      maxBodyBytes: parseSize(raw.http.max_body) ?? 0,
      trustProxy: raw.http.trust_proxy,
      allowInsecurePeers: raw.http.allow_insecure_peers,
    },
    capture: { mode: raw.capture.mode, scanEveryMs: parseDuration(raw.capture.scan_every) ?? 0 },
    columns: { custom: raw.columns.custom },
    relatedTables: raw.related_tables,
    feed: { limit: raw.feed.limit },
    stream: { schedule: raw.stream.schedule, batchSize: raw.stream.batch_size },
    locations: raw.locations,
    removal: {
      itemsOfBlocked: raw.removal.items_of_blocked,
      tombstoneDays: raw.removal.tombstone_days,
    },
    guard: {
      removals: raw.guard.removals ?? null,
      percent: raw.guard.percent,
      credentials: classLimits(raw.guard.credentials),
      revivals: classLimits(raw.guard.revivals),
      creations: classLimits(raw.guard.creations),
      total: raw.guard.total,
      windowMs: parseDuration(raw.guard.window) ?? 0,
    },
    quotas: {
      callsAtOnce: raw.quotas.calls_at_once,
      recordsPerMinute: raw.quotas.records_per_minute,
      parkedRows: raw.quotas.parked_rows,
      parkedBytes: parseSize(raw.quotas.parked_size) ?? 0,
    },
    logs: {
      level: raw.logs.level,
      retentionMs: parseDuration(raw.logs.retention) ?? 0,
      maxRows: raw.logs.max_rows,
    },
    peers: raw.peers.map((peer) => resolvePeer(peer, raw.removal.mode, raw.site.api_key)),
  };
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

function classLimits({ number, percent }: RawConfig['guard']['credentials']): GuardConfig['credentials'] {
  return { number: number ?? null, percent };
}

function resolveDatabase(raw: RawConfig['database']): DatabaseConfig {
  return {
    host: raw.host,
    port: raw.port,
    user: raw.user,
    password: raw.password,
    name: raw.name,
    socketPath: raw.socket_path ?? null,
    tablePrefix: raw.table_prefix,
    ssl: resolveSsl(raw.ssl),
  };
}

function resolveSsl(raw: RawConfig['database']['ssl']): DatabaseConfig['ssl'] {
  if (typeof raw !== 'object') return raw === true || raw === 'on';
  return { ...(raw.ca === undefined ? {} : { ca: raw.ca }), rejectUnauthorized: raw.reject_unauthorized };
}

function resolvePeer(raw: RawConfig['peers'][number], removalMode: RemovalMode, siteKey: string): PeerConfig {
  const apiKeys = listOf(raw.api_key);
  return {
    name: raw.name,
    url: normalizeUrl(raw.url),
    apiKey: apiKeys[0] ?? '',
    apiKeys,
    publicKeys: publicKeysOf(raw),
    sendKey: raw.send_key ?? siteKey,
    protocol: raw.protocol,
    columns: raw.columns,
    sendColumns: raw.send_columns,
    receive: raw.receive,
    send: raw.send,
    relay: raw.relay,
    removalMode: raw.removal_mode ?? removalMode,
    sanitize: raw.sanitize ?? (raw.protocol === 'plugin' ? 'osclass' : 'none'),
    emailTrust: emailTrustOf(raw),
    timezone: raw.timezone ?? null,
    feedWithinMs: raw.feed_schedule === undefined ? null : (parseDuration(raw.feed_schedule) ?? null),
  };
}

/** The pinned keys of an entry, read. */
function publicKeysOf({ public_key: keys }: Pick<RawConfig['peers'][number], 'public_key'>): PublicKey[] {
  return listOf(keys).flatMap((text) => parsePublicKey(text) ?? []);
}

function listOf(one: string | readonly string[] | undefined): readonly string[] {
  return one === undefined ? [] : typeof one === 'string' ? [one] : one;
}

/** A plugin cannot tell of proofs, so there is nothing to be believed. */
function emailTrustOf({ protocol, email_trust: trust = 'auto' }: RawConfig['peers'][number]): PeerConfig['emailTrust'] {
  return protocol === 'plugin' && trust === 'auto' ? 'unproven' : trust;
}
