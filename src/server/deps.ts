/** What the HTTP server needs from the rest: plain functions, wired in src/daemon. The server knows no SQL and no feature. */
import type { FeedChoice } from '../feed/control.ts';
import type { FeedQuery } from '../feed/reader.ts';
import type { GuardClass } from '../model/guard.ts';
import type { LogEntry } from '../model/log-entry.ts';
import type { FeedPage, Hello, StreamAnswer, StreamRequest } from '../model/record.ts';
import type { Identified } from '../peer/authentication.ts';
import type { Refused, Signed, SignedRequest } from '../peer/verify-signature.ts';
import type { Log } from '../runtime/logger.ts';
import type {
  FeedProgress,
  Health,
  LinkOutcome,
  LogPage,
  ParkedPage,
  PeerDetail,
  PeerSummary,
  PendingPage,
  ReleaseOutcome,
  RetryOutcome,
  RunOutcome,
} from '../model/response-schemas.ts';
import type { EntryQuery, LogQuery } from './request-schemas.ts';

/** Who called, and how: for the log records that the called function writes. */
export interface Call {
  /** The same id at both ends of the exchange. */
  readonly trace: string;
  /** Address of the caller. */
  readonly ip: string;
  /** Names the caller's key; see src/peer/key-digest.ts. */
  readonly keyDigest: string;
}

/** An administrator who asks for something, for the log record that the called function writes. */
export interface Actor {
  /** Name of the token, or of who runs a command. */
  readonly name: string;
  readonly keyDigest: string | null;
  readonly ip: string | null;
  readonly trace: string;
}

/** What a greeting may bring besides; see src/peer/call-back.ts. */
export interface Greeting {
  /** The caller wants to be called back with this. */
  readonly callBack?: string | undefined;
  /** The caller calls back with this. */
  readonly calledBack?: string | undefined;
  /** Id of the caller's installation. */
  readonly installation?: string | undefined;
}

/** Of which accounts a person says that they are one, or two: that of the address here, and at the peer. */
export interface LinkedPair {
  readonly email: string;
  /** Name of the peer. */
  readonly peer: string;
  /** Says what would be done; writes nothing. */
  readonly dryRun: boolean;
}

/** What the plugin's protocol answers. */
export interface PluginAnswer {
  readonly httpStatus: number;
  readonly body: { readonly status: string; readonly message: string; readonly data: readonly unknown[] };
}

/** Who may call in the plugin's protocol. Asked at each call, for reloads. */
export interface PluginDoor {
  /** False: no peer runs the plugin, so nothing is there. */
  readonly isOpen: () => boolean;
  /** From the bare key; of any other than a peer that runs the plugin, `invalid`. */
  readonly identify: (key: string) => Exclude<Identified, { kind: 'admin' }>;
}

/** A request that was answered, without anything of what was in it. */
export interface AnsweredRequest {
  readonly method: string;
  /** As the route was declared: `/v1/peers/:name`; `unknown` where there is none. */
  readonly route: string;
  readonly status: string;
  readonly seconds: number;
}

/** Everything a {@link makeApp} needs. Functions may throw SyncError: the registry says how it is answered. */
export interface ServerDeps {
  readonly identify: (authorization: string | undefined) => Identified;
  /** Judges the header of a request with a signature. Throws where the database is away. */
  readonly identifySigned: (request: SignedRequest) => Promise<Signed | Refused>;
  /** The path that peers see in place of {@link basePath}. Asked at each call, for reloads. */
  readonly publicPath: () => string;
  /** False: no `http.admin_token`, so admin routes answer 403. Asked at each call, for reloads. */
  readonly adminConfigured: () => boolean;
  /** `/metrics` without the admin token. Asked at each call, for reloads. */
  readonly openMetrics: () => boolean;
  /** Path prefix, with or without slashes around it. */
  readonly basePath: string;
  /** Largest body in bytes, before and after decompression. Asked at each call, for reloads. */
  readonly maxBodyBytes: () => number;
  /** True: what X-Forwarded-For says stands before this address is believed; hop 0 is where the connection comes from. */
  readonly trustProxy: (address: string, hop: number) => boolean;
  readonly log: Log;
  /** A request must have arrived whole within this time; default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Called before a large body is taken apart: what is garbage should not lie beside it. */
  readonly makeRoom?: () => void;
  /** A clock that is never set back; that of this process by default. */
  readonly monotonicMs?: () => number;
  /** Smaller in tests. */
  readonly mostConnections?: number;
  /** True from the moment the daemon stops: everything but liveness answers 503. */
  readonly isStopping: () => boolean;
  /** Writes log records. The server calls it for failed authentications, and waits for it at most a second. */
  readonly appendLog: (entries: readonly LogEntry[]) => Promise<void>;
  readonly health: () => Promise<Health>;

  /** A call of a peer begins; returns what ends it. Throws `QUOTA` if too many are under way. Absent: there is no limit. */
  readonly enterCall?: (peer: string) => () => void;
  readonly hello: (peer: string, asked?: Greeting) => Promise<Hello>;
  readonly serveFeed: (peer: string, query: FeedQuery, call: Call) => Promise<FeedPage>;
  readonly acceptStream: (peer: string, body: StreamRequest, call: Call) => Promise<StreamAnswer>;
  readonly pluginDoor: PluginDoor;
  /** A form of this protocol as it was sent: what it may hold is the business of its handler. Absent: nothing is there. */
  readonly servePlugin?: (peer: string, form: Uint8Array, call: Call) => Promise<PluginAnswer>;

  readonly queryLogs: (query: LogQuery) => Promise<LogPage>;
  readonly listPeers: () => Promise<readonly PeerSummary[]>;
  /** Throws `PEER_UNKNOWN`. */
  readonly peerDetail: (name: string) => Promise<PeerDetail>;
  /** All throw `PEER_UNKNOWN`. `start` returns once the feed is under way, and throws nothing if it already was. */
  readonly feedControl: {
    readonly start: (name: string, options: FeedChoice) => Promise<FeedProgress>;
    /**
     * Begins a feed for somebody who follows it, and stops it when `signal` aborts. `site` is who the caller takes us for: throws
     * `REQUEST_INVALID` if we are another.
     */
    readonly follow: (
      name: string,
      site: string,
      options: FeedChoice,
      signal: AbortSignal,
    ) => Promise<AsyncIterable<object>>;
    readonly progress: (name: string) => Promise<FeedProgress>;
    readonly stop: (name: string) => Promise<FeedProgress>;
  };
  /** Drains and delivers until everything that can be sent is sent. */
  readonly runStream: () => Promise<RunOutcome>;
  readonly pending: (query: EntryQuery) => Promise<PendingPage>;
  /** `id` as the list gave it. Undefined, or false: there is none of that id. */
  readonly parked: {
    readonly list: (query: EntryQuery) => Promise<ParkedPage>;
    readonly retry: (id: string, by: Actor) => Promise<RetryOutcome | undefined>;
    readonly drop: (id: string, by: Actor) => Promise<boolean>;
  };
  /** Lets through what the guard holds for that peer, in and out. Throws `PEER_UNKNOWN`. */
  readonly approve: (
    name: string,
    by: Actor,
    approval: { readonly only?: GuardClass | undefined; readonly dryRun: boolean },
  ) => Promise<ReleaseOutcome>;
  /** A person says that the account of an address here and that at a peer are one person's, or two. */
  readonly link: (pair: LinkedPair, by: Actor) => Promise<LinkOutcome>;
  readonly unlink: (pair: LinkedPair, by: Actor) => Promise<LinkOutcome>;
  /** Prometheus text; absent: `/metrics` answers 404. */
  readonly metrics?: () => Promise<string>;
  /** Is told of every request that was answered. */
  readonly onAnswered?: (answer: AnsweredRequest) => void;
}
