/**
 * The PHP plugin's protocol, calling side: one request at a time to one peer. Success is 2xx with a JSON object whose
 * status is OK, and nothing else. Never follows a redirect, never retries itself.
 */
import { Pool } from 'undici';
import { SyncError } from '../model/errors.ts';
import { foreignAnswer, retryAfterSeconds, type HttpAnswer } from '../runtime/foreign-answer.ts';
import { readAnswer, toPeerError } from '../runtime/http-calls.ts';
import { encodeForm } from './wire.ts';

/** A call to a plugin peer. */
export interface PluginClient {
  /** What it throws: see {@link makePluginClient}. */
  call(action: PluginAction, fields: readonly (readonly [string, string])[], signal?: AbortSignal): Promise<PluginSays>;
  close(): Promise<void>;
}

/** Ids of Osclass are 32 bits. */
const HIGHEST_ID = '4294967295';

/**
 * Asks for the users after the highest id there can be: it changes nothing, and the plugin has to know our key for it.
 * Throws as {@link PluginClient.call} does.
 */
export async function greet(client: PluginClient, signal?: AbortSignal): Promise<PluginSays> {
  return await client.call('userFeedRequest', [['ascLastUserId', HIGHEST_ID]], signal);
}

/** As {@link greet}; throws `PEER_REFUSED_KEY` too. */
export async function probe(client: PluginClient, signal?: AbortSignal): Promise<'open'> {
  const { status, message } = await greet(client, signal);
  if (status === 'OK') return 'open';
  throw new SyncError('PEER_REFUSED_KEY', `HTTP 200: ${message.slice(0, 300)}`, { httpStatus: 200 });
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
/**
 * Answers larger than these are none of the plugin. How many users a page has is set there: 200 are some hundred kilobytes. To
 * a row it says the row.
 */
const KIB = 1024;
const ANSWER_BYTES: Readonly<Record<PluginAction, number>> = {
  userFeedRequest: 16 * KIB * KIB,
  userStreamPost: 8 * KIB * KIB,
  userStreamPostRemoval: 64 * KIB,
};

/**
 * Opens one connection for each call, as the plugin does. `call` resolves to what was said in the protocol, `ERR` too;
 * it throws `PEER_UNREACHABLE`, `PEER_TIMEOUT`, and for another status than success in its words `BODY_TOO_LARGE`,
 * `PEER_REFUSED_KEY` (401 and 403) or `PEER_FAILED` (with Retry-After). What is not its words is told as {@link foreignAnswer}
 * says: not even a refusal then comes from the plugin.
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
    // Certificates are checked, whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    connect: { timeout: Math.min(CONNECT_TIMEOUT_MS, totalTimeoutMs), rejectUnauthorized: true },
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
        return readPluginAnswer(await readAnswer(response, ANSWER_BYTES[action]), base);
      } catch (error) {
        throw toPeerError(error, signal, deadline);
      }
    },
    close: () => pool.destroy(),
  };
}

/** What an answer says in the protocol. Throws as `call` does for what is no success, or is not this protocol. */
export function readPluginAnswer(answer: HttpAnswer, url: URL): PluginSays {
  const { status, headers, text } = answer;
  const said = parse(text);
  if (said === undefined || (status >= 300 && status < 400)) throw foreignAnswer(answer, url);
  if (status >= 200 && status < 300) return said;
  const words = said.message.slice(0, 300);
  const message = words === '' ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
  if (status === 413) throw new SyncError('BODY_TOO_LARGE', message, { httpStatus: status });
  if (status === 401 || status === 403) throw new SyncError('PEER_REFUSED_KEY', message, { httpStatus: status });
  const retryAfterS = retryAfterSeconds(headers['retry-after']);
  throw new SyncError('PEER_FAILED', message, { httpStatus: status, retryAfterS });
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
