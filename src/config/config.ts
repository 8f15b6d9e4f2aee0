/** The config as the rest of the program sees it: checked, with defaults, units in the names. */
import type { EmailTrust } from '../model/proof.ts';
import type { GuardLimits } from '../model/guard.ts';
import type { ColumnList } from '../model/policy.ts';
import type { RemovalMode } from '../model/route.ts';
import type { PublicKey, SigningKey } from '../model/signing-key.ts';

/** What log records call whoever uses `http.admin_token`. */
export const ADMIN = 'admin';

/** A whole config. Never changes; an edit of the file makes a new one. */
export interface Config {
  readonly site: SiteConfig;
  readonly database: DatabaseConfig;
  readonly http: HttpConfig;
  readonly capture: CaptureConfig;
  /** `custom`: further `t_user` columns that may be synchronised. */
  readonly columns: { readonly custom: readonly string[] };
  readonly relatedTables: readonly RelatedTableConfig[];
  /** `limit`: most users asked for, or served, in one call. */
  readonly feed: { readonly limit: number };
  readonly stream: StreamConfig;
  readonly locations: 'resolve' | 'text_only';
  readonly removal: RemovalConfig;
  readonly guard: GuardConfig;
  readonly quotas: QuotasConfig;
  readonly logs: LogsConfig;
  readonly peers: readonly PeerConfig[];
}

export interface SiteConfig {
  readonly name: string;
  /** Ends in `/`. */
  readonly url: string;
  /** Secret. */
  readonly apiKey: string;
  /** Secret; null: our calls carry a key. */
  readonly signingKey: SigningKey | null;
  /** IANA zone; null: Osclass's own preference counts. */
  readonly timezone: string | null;
  /** 0 to 65535; the smaller wins ties. */
  readonly priority: number;
  /** `ignore`: the database may be on another server than last time. */
  readonly serverIdentity: 'watched' | 'ignore';
}

/** Where the database is. `host` and `port` are ignored if `socketPath` is given. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Secret. */
  readonly password: string;
  readonly name: string;
  /** Used instead of host and port. */
  readonly socketPath: string | null;
  readonly tablePrefix: string;
  /** false: plain; true: TLS, certificate checked against the system's authorities; an object: options of `tls.connect`, `ca` as PEM text. */
  readonly ssl: boolean | { readonly ca?: string; readonly rejectUnauthorized?: boolean };
}

export interface HttpConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Begins and ends in `/`. */
  readonly basePath: string;
  /** The path that peers see in its place. Begins and ends in `/`. */
  readonly publicPath: string;
  /** Secret; null: admin routes answer 403. */
  readonly adminToken: string | null;
  /** Further admin tokens, each with the name of who has it. The tokens are secret. */
  readonly adminTokens: readonly { readonly name: string; readonly token: string }[];
  readonly openMetrics: boolean;
  readonly maxBodyBytes: number;
  readonly trustProxy: TrustedProxies;
  readonly allowInsecurePeers: boolean;
}

/** Proxies whose X-Forwarded-For is believed: addresses and networks; see src/server/trusted-proxies.ts for `true`. */
export type TrustedProxies = boolean | readonly string[];

export interface CaptureConfig {
  readonly mode: 'triggers' | 'scan';
  /** Only in mode `scan`: from the end of one comparison of all users to the start of the next. */
  readonly scanEveryMs: number;
}

export interface RelatedTableConfig {
  /** Without prefix. */
  readonly table: string;
  /** Column that holds the user's id. */
  readonly key: string;
  /** Name of the register group. */
  readonly as: string;
  readonly columns: readonly string[];
}

export interface StreamConfig {
  /** node-schedule expression of six fields, seconds first. */
  readonly schedule: string;
  readonly batchSize: number;
}

export interface RemovalConfig {
  readonly itemsOfBlocked: 'keep' | 'hide';
  readonly tombstoneDays: number;
}

/** See src/model/guard.ts. */
export type GuardConfig = GuardLimits;

/** What each peer may take of this site. */
export interface QuotasConfig {
  readonly callsAtOnce: number;
  readonly recordsPerMinute: number;
  readonly parkedRows: number;
  readonly parkedBytes: number;
}

export interface LogsConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly retentionMs: number;
  readonly maxRows: number;
}

export interface PeerConfig {
  readonly name: string;
  /** Ends in `/`. */
  readonly url: string;
  /** Secret. The first of `apiKeys`, or empty. */
  readonly apiKey: string;
  /** Secret. All keys the peer may identify itself with; more than one while it changes its key. None of them opens anything while there are `publicKeys`. */
  readonly apiKeys: readonly string[];
  /** The keys its calls may be signed with; none: it identifies itself with a key. */
  readonly publicKeys: readonly PublicKey[];
  /** Secret. What we identify ourselves with where it does not take our signature. */
  readonly sendKey: string;
  readonly protocol: 'native' | 'plugin';
  /** What we accept. */
  readonly columns: ColumnList;
  /** What we send. */
  readonly sendColumns: ColumnList;
  readonly receive: boolean;
  readonly send: boolean;
  readonly relay: boolean;
  /** Its own, or else `removal.mode`. */
  readonly removalMode: RemovalMode;
  /** `osclass`: texts that it sends are stored as a form of Osclass would store them. */
  readonly sanitize: 'osclass' | 'none';
  /** How far its word on proofs of addresses goes. */
  readonly emailTrust: EmailTrust;
  /** Only plugin peers: IANA zone of its DATETIME values; null: as ours. */
  readonly timezone: string | null;
  /** Only plugin peers: everybody there is asked for again within this time. */
  readonly feedWithinMs: number | null;
}
