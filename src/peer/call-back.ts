/**
 * Proof that the calls from a peer get to this site, and to no copy of it: we give the peer a number that nobody else knows, with
 * a greeting; it greets us at the address that *its* config has for us, and brings the number back. Whoever knows the number
 * here, in the database of this site, has proof. A peer calls nothing but that one address, and only for a caller it knows.
 */
import { randomBytes } from 'node:crypto';
import { SyncError, remedyOf } from '../model/errors.ts';
import type { Hello } from '../model/record.ts';
import { hasPassed } from '../runtime/clock.ts';

/** On a greeting: please call back with this. */
export const CALL_BACK = 'x-call-back';
/** On a greeting that is such a call. */
export const CALLED_BACK = 'x-called-back';

/** What a peer says of its call. */
export type CalledBack = NonNullable<Hello['called_back']>;

const PATTERN = /^[0-9a-f]{32}$/;

/** A number nobody can guess. */
export function newNonce(): string {
  return randomBytes(16).toString('hex');
}

/** The number of a header, if it is one. */
export function nonceIn(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && PATTERN.test(header) ? header : undefined;
}

/** Calls peers back. */
export interface CallBacks {
  /** Greets the peer at the address of our config, and says what came of it. Throws nothing. */
  callBack(peer: { readonly name: string; readonly url: string }, nonce: string): Promise<CalledBack>;
}

/** For each peer, one such call a second: nobody gets more out of us than was put in. */
const EVERY_MS = 1_000;

/** @param greet greets a peer with a header; throws PEER_… errors */
export function makeCallBacks(
  greet: (peer: string, headers: Readonly<Record<string, string>>) => Promise<Hello>,
  nowMs: () => number,
): CallBacks {
  const last = new Map<string, number>();
  return {
    async callBack({ name, url }, nonce) {
      const before = last.get(name);
      if (before !== undefined && !hasPassed(EVERY_MS, before, nowMs())) {
        return {
          result: 'ERR',
          url,
          code: 'RATE_LIMITED',
          message: 'One call a second is enough.',
          remedy: 'Ask again.',
        };
      }
      last.set(name, nowMs());
      try {
        const { site } = await greet(name, { [CALLED_BACK]: nonce });
        return { result: 'OK', url, message: `${site} answered` };
      } catch (error) {
        const known = error instanceof SyncError ? error : new SyncError('INTERNAL');
        return { result: 'ERR', url, code: known.code, message: known.message, remedy: remedyOf(known) };
      }
    },
  };
}
