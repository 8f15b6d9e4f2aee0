/** The native protocol, calling side: one client per peer. Failures come as {@link SyncError}; it never retries itself. */
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Compile, type Validator } from 'typebox/compile';
import type { TSchema, Static } from 'typebox';
import { Pool } from 'undici';
import type { Runner } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import { INSTALLATION } from '../model/feed-owner.ts';
import {
  FeedPage as FeedPageSchema,
  Hello as HelloSchema,
  StreamAnswer as StreamAnswerSchema,
  type FeedPage,
  type Hello,
  type StreamAnswer,
  type WireRecord,
} from '../model/record.ts';
import { readAnswer, toPeerError } from '../runtime/http-calls.ts';
import { readOurs, refusal } from './answer.ts';
import type { OwnCredentials } from './own-credentials.ts';

/** What one call needs besides its data. */
export interface CallOptions {
  /** Goes to the peer as `x-trace-id`, so that both logs can be joined. */
  readonly trace: string;
  readonly signal?: AbortSignal;
}

/** A greeting, which may ask for a call back, or be one. */
export interface HelloOptions extends CallOptions {
  /** See call-back.ts. */
  readonly callBack?: Readonly<Record<string, string>>;
  /** Id of our installation, for the peer to know. */
  readonly installation?: string;
}

/** Sending is the work of one at a time. */
export interface SendOptions extends CallOptions {
  /** Throws `LEASE_LOST` where another worker took over; to be called in the transaction of what is remembered of a call. */
  readonly stillOurs: (trx: Runner) => Promise<void>;
}

/** One page of a feed that is wanted. */
export interface FeedRequest {
  readonly after: number;
  readonly limit: number;
  /** `local`: our site states no zone, so times are wanted as they are stored there. */
  readonly times: 'utc' | 'local';
  /** The peer is to say of each row whether it is there; it has to understand that. */
  readonly rows?: boolean;
  /** Likewise, births and proofs. */
  readonly proofs?: boolean;
  /** No users: only where the page ends, or the removals it remembers. Peers before 0.2 answer `REQUEST_INVALID`. */
  readonly only?: 'ids' | 'removed';
}

/** Calls one peer. Every method throws a PEER_… error, or BODY_TOO_LARGE / REQUEST_INVALID when the peer says so. */
export interface PeerClient {
  hello(options: HelloOptions): Promise<Hello>;
  feed(wanted: FeedRequest, options: CallOptions): Promise<FeedPage>;
  stream(records: readonly WireRecord[], options: SendOptions): Promise<StreamAnswer>;
  /**
   * Sends no record, the way records are sent: whether it is anything but what is in them that keeps them from the peer.
   * `plain`: only compressed bodies are kept from it, so all go plain from now on. Throws as the others do.
   */
  probe(options: CallOptions): Promise<'open' | 'plain'>;
  /**
   * Sends about so many bytes that compress no further, in a form that daemons of every version refuse as such: whether bodies
   * of that size get there. Throws as the others do.
   */
  weigh(bytes: number, options: CallOptions): Promise<void>;
  /** Names the key that the last call was made with, or the next one will be; see key-digest.ts. */
  keyDigest(): string;
  /** Ends calls under way. */
  close(): Promise<void>;
  /** Nobody calls any more: the connections end when the calls under way have. */
  retire(): void;
}

export interface PeerClientOptions {
  /** Base URL of the peer's daemon, with a final slash. */
  readonly url: string;
  /** Tell the peer who we are. */
  readonly credentials: OwnCredentials;
  /** Our own name. */
  readonly site: string;
  /** Shorter in tests. */
  readonly connectTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const TOTAL_TIMEOUT_MS = 30_000;
/** Nothing has to be done for it. */
const PROBE_TIMEOUT_MS = 10_000;
/** Below this, compressing costs more than it saves. */
const GZIP_FROM_BYTES = 1024;

const compress = promisify(gzip);

/** What an answer has to be. One that is larger is none of ours. */
interface Expected<Schema extends TSchema> {
  readonly form: Validator<Record<never, never>, Schema>;
  /** Expanded. */
  readonly mostBytes: number;
}

const KIB = 1024;
const [helloForm, feedForm, streamForm] = [Compile(HelloSchema), Compile(FeedPageSchema), Compile(StreamAnswerSchema)];
const hello = { form: helloForm, mostBytes: 64 * KIB };
/** A page holds at most 4 MB, or one user. */
const feedPage = (users: number) => ({ form: feedForm, mostBytes: Math.min(16 * KIB, 4 * KIB + 64 * users) * KIB });
const streamAnswer = (records: number) => ({ form: streamForm, mostBytes: (64 + 4 * records) * KIB });

/** Opens keep-alive connections on first use; `close` ends them. */
export function makePeerClient(options: PeerClientOptions): PeerClient {
  const base = new URL(options.url);
  const totalMs = options.totalTimeoutMs ?? TOTAL_TIMEOUT_MS;
  const pool = openPool(base, options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, totalMs);
  const call = makeCall(pool, base, options.credentials, totalMs);
  /** Something between does not let compressed bodies through. */
  let isPlain = false;

  const post = async (
    records: readonly WireRecord[],
    body: Buffer,
    zip: boolean,
    callOptions: CallOptions,
    timeoutMs = totalMs,
  ): Promise<StreamAnswer> => {
    const answer = await call('POST', '/v1/stream', streamAnswer(records.length), callOptions, {
      body,
      zip,
      timeoutMs,
    });
    if (answer.results.length === records.length) return answer;
    throw new SyncError(
      'PEER_BAD_ANSWER',
      `The peer answered ${answer.results.length} results to ${records.length} records.`,
    );
  };

  return {
    hello: (callOptions) => {
      const { callBack, installation } = callOptions;
      const ours = installation === undefined ? {} : { [INSTALLATION]: installation };
      return call('GET', '/v1/hello', hello, callOptions, { headers: { ...callBack, ...ours } });
    },
    feed: ({ after, limit, times, only, rows = false, proofs = false }, callOptions) => {
      const more = `${rows ? '&rows=said' : ''}${proofs ? '&proofs=said' : ''}${only === undefined ? '' : `&only=${only}`}`;
      return call('GET', `/v1/feed?after=${after}&limit=${limit}&times=${times}${more}`, feedPage(limit), callOptions);
    },
    async stream(records, callOptions) {
      const body = Buffer.from(JSON.stringify({ site: options.site, records }));
      return await post(records, body, !isPlain && body.length >= GZIP_FROM_BYTES, callOptions);
    },
    async probe(callOptions) {
      const body = Buffer.from(JSON.stringify({ site: options.site, records: [] }));
      const timeoutMs = Math.min(totalMs, PROBE_TIMEOUT_MS);
      if (!isPlain) {
        try {
          await post([], body, true, callOptions, timeoutMs);
          return 'open';
        } catch (error) {
          if (!(error instanceof SyncError)) throw error;
        }
      }
      await post([], body, false, callOptions, timeoutMs);
      if (isPlain) return 'open';
      try {
        // The first time it may have been something that has passed.
        await post([], body, true, callOptions, timeoutMs);
        return 'open';
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        isPlain = true;
        return 'plain';
      }
    },
    async weigh(bytes, callOptions) {
      const padding = randomBytes(bytes).toString('base64');
      try {
        const body = Buffer.from(JSON.stringify({ site: options.site, records: [], padding }));
        await post([], body, !isPlain, callOptions);
      } catch (error) {
        if (!(error instanceof SyncError) || error.code !== 'REQUEST_INVALID') throw error;
      }
    },
    keyDigest: () => options.credentials.digest(),
    close: () => pool.destroy(),
    retire: () => void pool.close(),
  };
}

function openPool(base: URL, connectMs: number, totalMs: number): Pool {
  return new Pool(base.origin, {
    // Two deliveries, and whatever else is asked meanwhile.
    connections: 3,
    // The build leaves HTTP/2 out.
    allowH2: false,
    // Certificates are checked, whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    connect: { timeout: connectMs, rejectUnauthorized: true },
    headersTimeout: totalMs,
    bodyTimeout: totalMs,
    keepAliveTimeout: 30_000,
  });
}

/** What a request carries. */
interface Sending {
  readonly body?: Buffer;
  readonly zip?: boolean;
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request and its answer, read and checked. Throws what {@link PeerClient} says. */
type RequestCall = <Schema extends TSchema>(
  method: 'GET' | 'POST',
  path: string,
  answer: Expected<Schema>,
  options: CallOptions,
  sending?: Sending,
) => Promise<Static<Schema>>;

function makeCall(pool: Pool, base: URL, credentials: OwnCredentials, totalMs: number): RequestCall {
  return async (
    method,
    path,
    answer,
    { trace, signal },
    { body, zip = false, timeoutMs = totalMs, headers = {} } = {},
  ) => {
    const deadline = AbortSignal.timeout(timeoutMs);
    const target = base.pathname.replace(/\/$/, '') + path;
    try {
      const sent = body === undefined ? undefined : zip ? await compress(body, { level: 3 }) : body;
      const plain = {
        accept: 'application/json',
        'accept-encoding': 'br, gzip',
        'x-trace-id': trace,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(zip ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      };
      return await credentials.attempt(async (headersOf) => {
        const response = await pool.request({
          method,
          path: target,
          headers: { ...plain, ...headersOf({ method, url: base.origin + target, headers: plain, body: sent }) },
          body: sent ?? null,
          signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        });
        const said = await readAnswer(response, answer.mostBytes);
        if (said.status !== 200) throw refusal(said, base);
        return readOurs(said, base, answer.form);
      });
    } catch (error) {
      throw toPeerError(error, signal, deadline);
    }
  };
}
