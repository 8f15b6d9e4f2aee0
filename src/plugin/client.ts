/**
 * The PHP plugin's protocol, calling side: one request at a time to one peer. Success is 2xx with a JSON object whose
 * status is OK, and nothing else. Never follows a redirect, never retries itself.
 */
import { Pool } from 'undici';
import { SyncError } from '../model/errors.ts';
import { readAnswer, retryAfterSeconds, toPeerError } from '../runtime/http-calls.ts';
import { encodeForm } from './wire.ts';

/** A call to a plugin peer. */
export interface PluginClient {
  /** What it throws: see {@link makePluginClient}. */
  call(action: PluginAction, fields: readonly (readonly [string, string])[], signal?: AbortSignal): Promise<PluginSays>;
  close(): Promise<void>;
}

/** What can be asked of the plugin. */
export type PluginAction = 'userStreamPost' | 'userStreamPostRemoval' | 'userFeedRequest';

/** An answer in its protocol. */
export interface PluginSays {
  readonly status: 'OK' | 'ERR';
  readonly message: string;
  readonly data: readonly unknown[];
}

export interface PluginClientOptions {
  /** The site root, with a final slash. */
  readonly url: string;
  /** Our own key. */
  readonly apiKey: string;
  /** Default 30 s in all; shorter in tests. */
  readonly totalTimeoutMs?: number;
}

const TOTAL_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A feed of 200 users is some hundred kilobytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Opens one connection for each call, as the plugin does. `call` resolves to what was said in the protocol, `ERR` too;
 * it throws `PEER_UNREACHABLE`, `PEER_TIMEOUT`, `BODY_TOO_LARGE`, `PEER_REFUSED_KEY` for 401 and 403, `PEER_FAILED` for
 * other 4xx and 5xx (with Retry-After), and `PEER_BAD_ANSWER` for whatever is not this protocol.
 */
export function makePluginClient({
  url,
  apiKey,
  totalTimeoutMs = TOTAL_TIMEOUT_MS,
}: PluginClientOptions): PluginClient {
  const base = new URL(url);
  const pool = new Pool(base.origin, {
    connections: 1,
    pipelining: 0,
    // The build leaves HTTP/2 out.
    allowH2: false,
    connect: { timeout: Math.min(CONNECT_TIMEOUT_MS, totalTimeoutMs) },
    headersTimeout: totalTimeoutMs,
    bodyTimeout: totalTimeoutMs,
  });
  return {
    async call(action, fields, signal) {
      const deadline = AbortSignal.timeout(totalTimeoutMs);
      const body = encodeForm([['ascSync', '1'], ['ascApiKey', apiKey], ['ascAction', action], ...fields]);
      try {
        const response = await pool.request({
          method: 'POST',
          path: base.pathname,
          headers: { accept: '*/*', 'content-type': 'application/x-www-form-urlencoded' },
          body,
          signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        });
        const text = (await readAnswer(response.body as AsyncIterable<Buffer>, MAX_ANSWER_BYTES)).toString('utf8');
        return judge(response.statusCode, response.headers['retry-after'], text);
      } catch (error) {
        throw toPeerError(error, signal, deadline);
      }
    },
    close: () => pool.destroy(),
  };
}

function judge(http: number, retryAfter: string | string[] | undefined, text: string): PluginSays {
  if (http < 200 || http > 299) {
    const words = parse(text)?.message;
    const message = words === undefined || words === '' ? `HTTP ${http}` : `HTTP ${http}: ${words.slice(0, 300)}`;
    if (http === 413) throw new SyncError('BODY_TOO_LARGE', message);
    if (http === 401 || http === 403) throw new SyncError('PEER_REFUSED_KEY', message);
    if (http < 400 || http === 404) throw new SyncError('PEER_BAD_ANSWER', message);
    throw new SyncError('PEER_FAILED', message, { retryAfterS: retryAfterSeconds(retryAfter) });
  }
  const said = parse(text);
  if (said === undefined) {
    throw new SyncError('PEER_BAD_ANSWER', `HTTP ${http}, but the answer is not one of the plugin.`);
  }
  return said;
}

function parse(text: string): PluginSays | undefined {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { status, message, data } = (said ?? {}) as Record<string, unknown>;
  if ((status !== 'OK' && status !== 'ERR') || typeof message !== 'string' || !Array.isArray(data)) return undefined;
  return { status, message, data };
}
