/** Who may call a route. A failed authentication leaves a log record; an address with too many of them is refused. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, SyncError } from '../model/errors.ts';
import type { LogType } from '../model/log-entry.ts';
import type { Identified } from '../peer/authentication.ts';
import { CALLED_BACK, nonceIn } from '../peer/call-back.ts';
import { isSigned } from '../peer/verify-signature.ts';
import type { ServerDeps } from './deps.ts';
import { makeFailedAttempts } from './failed-attempts.ts';
import { makeFailureLog } from './failure-log.ts';
import { addressOf, believeTrace, pathOf } from './request.ts';
import { identifySigned } from './signed-request.ts';

/** Throws what the caller is told; sets `request.caller` otherwise. */
export type KeyCheck = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** A failed authentication. */
interface Refused {
  /** What the call was about: `FEED` if it brought data, `STREAM` if it asked for ours. */
  readonly type: LogType;
  /** Null: no key was given. */
  readonly keyDigest: string | null;
  /** For the log alone: what is wrong. */
  readonly reason?: string;
}

export interface KeyChecks {
  readonly peer: KeyCheck;
  readonly admin: KeyCheck;
  /** Throws `RATE_LIMITED` where the address has failed too often. */
  readonly address: (request: FastifyRequest) => Promise<void>;
  /** Counts and logs a failed authentication. Gives what the caller is told: `told`, or `RATE_LIMITED` if it was one too many. */
  readonly failed: (request: FastifyRequest, by: Refused, told: SyncError) => Promise<SyncError>;
  /** Takes the caller for who it showed to be. */
  readonly succeeded: (
    request: FastifyRequest,
    reply: FastifyReply,
    who: NonNullable<FastifyRequest['caller']>,
  ) => void;
}

/** Counts from now on. */
export function makeKeyChecks(deps: ServerDeps): KeyChecks {
  const nowMs = deps.monotonicMs ?? (() => performance.now());
  const attempts = makeFailedAttempts(nowMs);
  const log = makeFailureLog(deps, nowMs);

  const failed: KeyChecks['failed'] = async (request, by, error) => {
    const { retryAfterS, isFirstBeyond } = attempts.failed(addressOf(request));
    const told = retryAfterS === undefined ? error : new SyncError('RATE_LIMITED', undefined, { retryAfterS });
    if (retryAfterS === undefined || isFirstBeyond) await log(entryOf(request, told, by));
    return told;
  };

  const address: KeyChecks['address'] = async (request) => {
    if (attempts.refusal(addressOf(request)) === undefined) return;
    throw await failed(request, { type: typeOf(request), keyDigest: null }, new SyncError('RATE_LIMITED'));
  };

  const succeeded: KeyChecks['succeeded'] = (request, reply, who) => {
    attempts.succeeded(addressOf(request));
    request.caller = who;
    believeTrace(request, reply);
  };

  const check =
    (wanted: 'peer' | 'admin'): KeyCheck =>
    async (request, reply) => {
      await address(request);
      if (wanted === 'peer' && isSigned(request.headers)) {
        const refuse = (reason: string): Promise<SyncError> =>
          failed(request, { type: typeOf(request), keyDigest: null, reason }, new SyncError('SIGNATURE_INVALID'));
        succeeded(request, reply, await identifySigned(request, deps, refuse));
        return;
      }
      const who = deps.identify(request.headers.authorization);
      const isClosed = wanted === 'admin' && !deps.adminConfigured();
      if (who.kind === 'missing' || who.kind === 'invalid') {
        throw await failed(request, refusedBy(who, typeOf(request)), isClosed ? adminClosed() : keyError(who));
      }
      if (isClosed) throw adminClosed();
      if (who.kind !== wanted || (who.kind === 'peer' && who.protocol !== 'native')) {
        throw new SyncError('FORBIDDEN', `The key is not for this route: it takes ${KEY_NAME[wanted]}.`);
      }
      succeeded(request, reply, who);
    };

  return { peer: check('peer'), admin: check('admin'), address, failed, succeeded };
}

/** Of whom the record of a failed authentication speaks. */
export function refusedBy(who: Extract<Identified, { kind: 'missing' | 'invalid' }>, type: LogType): Refused {
  return { type, keyDigest: who.kind === 'invalid' ? who.keyDigest : null };
}

/** What somebody without a key, or with a wrong one, is told. */
export function keyError({ kind }: Pick<Identified, 'kind'>): SyncError {
  return new SyncError(kind === 'missing' ? 'API_KEY_MISSING' : 'API_KEY_INVALID');
}

function entryOf(
  request: FastifyRequest,
  told: SyncError,
  by: Refused,
): Parameters<ReturnType<typeof makeFailureLog>>[0] {
  // That it came here with a wrong key is worth knowing to whoever asked for the call.
  const calledBack = nonceIn(request.headers[CALLED_BACK]);
  return {
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
      ...(by.reason === undefined ? {} : { reason: by.reason }),
      ...(calledBack === undefined ? {} : { called_back: calledBack }),
    },
    trace: request.id,
  };
}

/** What a stream would have brought is data of a peer arriving; all else asks for ours. */
function typeOf(request: FastifyRequest): LogType {
  return pathOf(request).endsWith('/stream') ? 'FEED' : 'STREAM';
}

const KEY_NAME = { peer: 'the key of a native peer', admin: 'the admin token' } as const;

function adminClosed(): SyncError {
  return new SyncError('FORBIDDEN', 'Admin routes are closed: the config has no http.admin_token.');
}
