/** The native protocol, calling side: one client per peer. Failures come as {@link SyncError}; it never retries itself. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, gzip } from 'node:zlib';
import { Compile, type Validator } from 'typebox/compile';
import type { TSchema, Static } from 'typebox';
import { Pool, type Dispatcher } from 'undici';
import type { Runner } from '../db/transaction.ts';
import { SyncError, type ErrorCode } from '../model/errors.ts';
import {
  FeedPage as FeedPageSchema,
  Hello as HelloSchema,
  StreamAnswer as StreamAnswerSchema,
  type FeedPage,
  type Hello,
  type StreamAnswer,
  type WireRecord,
} from '../model/record.ts';
import { readAnswer, retryAfterSeconds, toPeerError } from '../runtime/http-calls.ts';

/** What one call needs besides its data. */
export interface CallOptions {
  /** Goes to the peer as `x-trace-id`, so that both logs can be joined. */
  readonly trace: string;
  readonly signal?: AbortSignal;
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
}

/** Calls one peer. Every method throws a PEER_… error, or BODY_TOO_LARGE / REQUEST_INVALID when the peer says so. */
export interface PeerClient {
  hello(options: CallOptions): Promise<Hello>;
  feed(wanted: FeedRequest, options: CallOptions): Promise<FeedPage>;
  stream(records: readonly WireRecord[], options: SendOptions): Promise<StreamAnswer>;
  /** Ends calls under way. */
  close(): Promise<void>;
  /** Nobody calls any more: the connections end when the calls under way have. */
  retire(): void;
}

export interface PeerClientOptions {
  /** Base URL of the peer's daemon, with a final slash. */
  readonly url: string;
  /** Our own key: it tells the peer who we are. */
  readonly apiKey: string;
  /** Our own name. */
  readonly site: string;
  /** Shorter in tests. */
  readonly connectTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
const TOTAL_TIMEOUT_MS = 30_000;
/** An answer larger than this is not one of ours. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Below this, compressing costs more than it saves. */
const GZIP_FROM_BYTES = 1024;

const compress = promisify(gzip);
const EXPAND = { gzip: promisify(gunzip), br: promisify(brotliDecompress) };

const hello = Compile(HelloSchema);
const feedPage = Compile(FeedPageSchema);
const streamAnswer = Compile(StreamAnswerSchema);

/** Opens keep-alive connections on first use; `close` ends them. */
export function makePeerClient(options: PeerClientOptions): PeerClient {
  const base = new URL(options.url);
  const totalMs = options.totalTimeoutMs ?? TOTAL_TIMEOUT_MS;
  const pool = new Pool(base.origin, {
    // Two deliveries, and whatever else is asked meanwhile.
    connections: 3,
    // The build leaves HTTP/2 out.
    allowH2: false,
    connect: { timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS },
    headersTimeout: totalMs,
    bodyTimeout: totalMs,
    keepAliveTimeout: 30_000,
  });

  const call = async <Schema extends TSchema>(
    method: 'GET' | 'POST',
    path: string,
    answer: Validator<Record<never, never>, Schema>,
    { trace, signal }: CallOptions,
    body?: Buffer,
  ): Promise<Static<Schema>> => {
    const deadline = AbortSignal.timeout(totalMs);
    const zipped = body !== undefined && body.length >= GZIP_FROM_BYTES;
    try {
      const response = await pool.request({
        method,
        path: base.pathname.replace(/\/$/, '') + path,
        headers: {
          authorization: `Bearer ${options.apiKey}`,
          accept: 'application/json',
          'accept-encoding': 'br, gzip',
          'x-trace-id': trace,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(zipped ? { 'content-encoding': 'gzip' } : {}),
        },
        body: body === undefined ? null : zipped ? await compress(body, { level: 3 }) : body,
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      const text = await readText(response);
      if (response.statusCode !== 200) throw refusal(response, text);
      return check(text, answer);
    } catch (error) {
      throw toPeerError(error, signal, deadline);
    }
  };

  return {
    hello: (callOptions) => call('GET', '/v1/hello', hello, callOptions),
    feed: ({ after, limit, times, rows = false }, callOptions) =>
      call(
        'GET',
        `/v1/feed?after=${after}&limit=${limit}&times=${times}${rows ? '&rows=said' : ''}`,
        feedPage,
        callOptions,
      ),
    async stream(records, callOptions) {
      const body = Buffer.from(JSON.stringify({ site: options.site, records }));
      const answer = await call('POST', '/v1/stream', streamAnswer, callOptions, body);
      if (answer.results.length === records.length) return answer;
      throw new SyncError(
        'PEER_BAD_ANSWER',
        `The peer answered ${answer.results.length} results to ${records.length} records.`,
      );
    },
    close: () => pool.destroy(),
    retire: () => void pool.close(),
  };
}

async function readText({ body, headers }: Dispatcher.ResponseData): Promise<string> {
  const raw = await readAnswer(body as AsyncIterable<Buffer>, MAX_ANSWER_BYTES);
  const coding = headers['content-encoding'];
  if (coding !== 'gzip' && coding !== 'br') return raw.toString('utf8');
  try {
    return (await EXPAND[coding](raw, { maxOutputLength: MAX_ANSWER_BYTES })).toString('utf8');
  } catch (cause) {
    throw new SyncError('PEER_BAD_ANSWER', `The answer is too large or no valid ${coding}.`, { cause });
  }
}

function check<Schema extends TSchema>(text: string, answer: Validator<Record<never, never>, Schema>): Static<Schema> {
  const value = parseJson(text);
  if (answer.Check(value)) return value;
  const [problem] = value === undefined ? [] : answer.Errors(value);
  const where = problem === undefined ? 'not JSON' : `${problem.instancePath || 'the answer'} ${problem.message}`;
  throw new SyncError('PEER_BAD_ANSWER', `The answer is not one of our protocol: ${where}.`);
}

/** The error a peer's refusal stands for, with its own words where it speaks our protocol. */
function refusal(response: Dispatcher.ResponseData, text: string): SyncError {
  const status = response.statusCode;
  const said = parseJson(text) as { code?: unknown; message?: unknown } | undefined;
  const words = typeof said?.message === 'string' ? said.message.slice(0, 300) : `HTTP ${status}`;
  const options = { retryAfterS: retryAfterSeconds(response.headers['retry-after']) };
  const code: ErrorCode =
    said?.code === 'NOT_ACCEPTED'
      ? 'NOT_ACCEPTED'
      : status === 401 || status === 403
        ? 'PEER_REFUSED_KEY'
        : status === 413
          ? 'BODY_TOO_LARGE'
          : status === 422
            ? 'REQUEST_INVALID'
            : status === 404 || (status >= 300 && status < 400)
              ? 'PEER_BAD_ANSWER'
              : 'PEER_FAILED';
  return new SyncError(code, `HTTP ${status}: ${words}`, options);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
