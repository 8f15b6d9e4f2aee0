/** What the HTTP server needs from the rest: plain functions, wired in src/daemon. The server knows no SQL and no feature. */
import type { FeedChoice } from '../feed/control.ts';
import type { FeedQuery } from '../feed/reader.ts';
import type { GuardClass } from '../model/guard.ts';
import type { LogEntry, LogType } from '../model/log-entry.ts';
import type { FeedPage, Hello, StreamAnswer, StreamRequest } from '../model/record.ts';
import type { Identified } from '../peer/authentication.ts';
import type { Log } from '../runtime/logger.ts';
import type {
  FeedProgress,
  Health,
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
  /** First 8 hex digits of the SHA-256 of the caller's key. */
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

/** A call of the PHP plugin's protocol, undecoded: what it may hold is the business of its handler. */
export interface PluginCall {
  /** Query string as sent, without the question mark. */
  readonly query: string;
  /** Form body as sent. */
  readonly body: Uint8Array;
  readonly trace: string;
  readonly ip: string;
}

/** A failed authentication that a handler found itself: the server counts it and writes its log record. */
export interface RefusedKey {
  /** What the call was about: `FEED` if it brought data, `STREAM` if it asked for ours. */
  readonly type: LogType;
  /** Null: no key was given. */
  readonly keyDigest: string | null;
}

/** What the plugin's protocol answers. With `refusedKey` the handler writes no log record itself. */
export interface PluginAnswer {
  readonly httpStatus: number;
  readonly body: { readonly status: string; readonly message: string; readonly data: readonly unknown[] };
  readonly refusedKey?: RefusedKey;
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
  /** False: no `http.admin_token`, so admin routes answer 403. Asked at each call, for reloads. */
  readonly adminConfigured: () => boolean;
  /** `/metrics` without the admin token. Asked at each call, for reloads. */
  readonly openMetrics: () => boolean;
  /** Path prefix, with or without slashes around it. */
  readonly basePath: string;
  /** Largest body in bytes, before and after decompression. Asked at each call, for reloads. */
  readonly maxBodyBytes: () => number;
  /** Take the caller's address from X-Forwarded-For, as the nearest proxy wrote it. Asked at each call, for reloads. */
  readonly trustProxy: () => boolean;
  readonly log: Log;
  /** A request must have arrived whole within this time; default 30 s. */
  readonly requestTimeoutMs?: number;
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
  /** Absent: the plugin's routes answer 404. */
  readonly servePlugin?: (call: PluginCall) => Promise<PluginAnswer>;

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
  /** Prometheus text; absent: `/metrics` answers 404. */
  readonly metrics?: () => Promise<string>;
  /** Is told of every request that was answered. */
  readonly onAnswered?: (answer: AnsweredRequest) => void;
}
