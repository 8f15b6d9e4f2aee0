/** Who may call a route. A failed authentication leaves a log record; too many from one address are turned away. */
import { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, SyncError } from '../model/errors.ts';
import type { LogEntry, LogType } from '../model/log-entry.ts';
import { CALLED_BACK, nonceIn } from '../peer/call-back.ts';
import type { RefusedKey, ServerDeps } from './deps.ts';
import { addressOf, type App } from './request.ts';

/** Failed authentications that an address has per {@link FAILURE_WINDOW_MS}. Calls with a valid key are not counted. */
const MAX_FAILURES = 20;
const FAILURE_WINDOW_MS = 60_000;

/** A slow database must not hold up the refusal of a key. */
const LOG_PATIENCE_MS = 1_000;

/** Throws what the caller is told; sets `request.caller` otherwise. */
export type KeyCheck = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

export interface KeyChecks {
  readonly peer: KeyCheck;
  readonly admin: KeyCheck;
  /** Counts and logs a failed authentication that a route found itself. Throws `RATE_LIMITED` if it was one too many. */
  readonly refused: (request: FastifyRequest, refused: RefusedKey) => Promise<void>;
}

/** `app` must have @fastify/rate-limit registered. */
export function makeKeyChecks(app: App, deps: ServerDeps): KeyChecks {
  // `ban: 1` tells the first call beyond the limit (exceeded) from those after it (banned).
  const count = app.createRateLimit({
    max: MAX_FAILURES,
    timeWindow: FAILURE_WINDOW_MS,
    ban: 1,
    keyGenerator: (request) => subnetOf(addressOf(request)),
  });

  /** What the caller is told: `error`, or that it was one too many. Of a flood only the first leaves a log record. */
  const countFailure = async (request: FastifyRequest, error: SyncError, by: RefusedKey): Promise<SyncError> => {
    const counted = await count(request);
    const exceeded = !counted.isAllowed && counted.isExceeded;
    const told = exceeded ? new SyncError('RATE_LIMITED', undefined, { retryAfterS: counted.ttlInSeconds }) : error;
    if (!exceeded || !counted.isBanned) await record(request, told, by, deps);
    return told;
  };

  const check =
    (wanted: 'peer' | 'admin'): KeyCheck =>
    async (request) => {
      const who = deps.identify(request.headers.authorization);
      const isClosed = wanted === 'admin' && !deps.adminConfigured();
      if (who.kind === 'missing' || who.kind === 'invalid') {
        const error = isClosed ? adminClosed() : keyError(who.kind === 'missing');
        const keyDigest = who.kind === 'invalid' ? who.keyDigest : null;
        throw await countFailure(request, error, { type: typeOf(request), keyDigest });
      }
      if (isClosed) throw adminClosed();
      if (who.kind !== wanted) {
        throw new SyncError('FORBIDDEN', `The key is not for this route: it takes ${KEY_NAME[wanted]}.`);
      }
      request.caller = who;
    };

  return {
    peer: check('peer'),
    admin: check('admin'),
    async refused(request, by) {
      const told = await countFailure(request, keyError(by.keyDigest === null), by);
      if (told.code === 'RATE_LIMITED') throw told;
    },
  };
}

async function record(request: FastifyRequest, told: SyncError, by: RefusedKey, deps: ServerDeps): Promise<void> {
  // That it came here with a wrong key is worth knowing to whoever asked for the call.
  const calledBack = nonceIn(request.headers[CALLED_BACK]);
  const entry: LogEntry = {
    type: by.type,
    peer: null,
    key: by.keyDigest,
    ip: addressOf(request),
    status: String(ERRORS[told.code].http),
    response: told.message,
    content: {
      code: told.code,
      method: request.method,
      path: pathOf(request).slice(0, 200),
      ...(calledBack === undefined ? {} : { called_back: calledBack }),
    },
    trace: request.id,
  };
  const write = async (): Promise<void> => {
    try {
      await deps.appendLog([entry]);
    } catch (error) {
      deps.log.warn({ err: error, trace: request.id }, 'log record not written');
    }
  };
  const patience = new AbortController();
  await Promise.race([write(), wait(LOG_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined)]);
  patience.abort();
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/** What a stream would have brought is data of a peer arriving; all else asks for ours. */
function typeOf(request: FastifyRequest): LogType {
  return pathOf(request).endsWith('/stream') ? 'FEED' : 'STREAM';
}

function keyError(isMissing: boolean): SyncError {
  return new SyncError(isMissing ? 'API_KEY_MISSING' : 'API_KEY_INVALID');
}

const KEY_NAME = { peer: 'the key of a peer', admin: 'the admin token' } as const;

function adminClosed(): SyncError {
  return new SyncError('FORBIDDEN', 'Admin routes are closed: the config has no http.admin_token.');
}

/** Whoever has one IPv6 address has 2^64 of them: the /64 counts as one address. */
function subnetOf(address: string): string {
  return isIP(address) === 0 ? address : normalizeIP(address, 64);
}
