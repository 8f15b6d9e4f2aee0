/** A daemon that finds the site moved, restored or cloned does nothing until a person says which; this checks and logs it. */
import { ERRORS } from '../../model/errors.ts';
import { hasPassed, type Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/logger.ts';
import type { PassOutcome } from '../../runtime/loop.ts';
import type { Site } from '../../site/site.ts';
import { mismatchError, type IdentityMismatch } from '../../site/identity-check.ts';

type Pass = (signal: AbortSignal) => Promise<PassOutcome>;

/** Both wrap a pass, which does nothing while the daemon is stopped. */
export interface IdentityWatch {
  /** Looks: now and then, and at each call while it is stopped, so that `account-sync resume` is noticed at once. */
  afterCheck(pass: Pass): Pass;
  /** Uses the result of the last check. */
  afterLastCheck(pass: Pass): Pass;
}

/** Logs the mismatch, with what the operator does about it. */
export function logMismatch(mismatch: IdentityMismatch | undefined, log: Log): void {
  if (mismatch === undefined) return;
  const error = mismatchError(mismatch);
  log.error({ code: error.code, err: error, remedy: ERRORS[error.code].remedy }, 'restored, moved or cloned');
}

const LOOK_EVERY_MS = 30_000;
const NOTHING: PassOutcome = { done: 0, full: false };

/** The first look was taken when the site was opened. */
export function watchIdentity({ identityCheck }: Pick<Site, 'identityCheck'>, log: Log, clock: Clock): IdentityWatch {
  let lookedAtMs = clock.nowMs();
  const look = async (): Promise<IdentityMismatch | undefined> => {
    const before = identityCheck.mismatch();
    if (before === undefined && !hasPassed(LOOK_EVERY_MS, lookedAtMs, clock.nowMs())) return undefined;
    lookedAtMs = clock.nowMs();
    const mismatch = await identityCheck.note();
    if (mismatch?.message !== before?.message) logMismatch(mismatch, log);
    if (mismatch === undefined && before !== undefined) log.info({}, 'a person said what it is: the work goes on');
    return mismatch;
  };
  return {
    afterCheck: (pass) => async (signal) => ((await look()) === undefined ? await pass(signal) : NOTHING),
    afterLastCheck: (pass) => async (signal) => (identityCheck.mismatch() === undefined ? await pass(signal) : NOTHING),
  };
}
