/** A daemon that finds itself elsewhere does nothing until a person has said what it is; this looks, and says so. */
import { ERRORS } from '../../model/errors.ts';
import { hasPassed, type Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/logger.ts';
import type { PassOutcome } from '../../runtime/loop.ts';
import type { Site } from '../../site/site.ts';
import { stopError, type Stop } from '../../site/standing.ts';

type Pass = (signal: AbortSignal) => Promise<PassOutcome>;

/** Both wrap a pass, which does nothing while the daemon is stopped. */
export interface StandingWatch {
  /** Looks: now and then, and at each call while it is stopped, so that `account-sync resume` is noticed at once. */
  looking(pass: Pass): Pass;
  /** Goes by what the other found. */
  following(pass: Pass): Pass;
}

/** One line for the person who has to say what it is. */
export function tellStop(stop: Stop | undefined, log: Log): void {
  if (stop === undefined) return;
  const error = stopError(stop);
  log.error({ code: error.code, err: error, remedy: ERRORS[error.code].remedy }, 'restored, moved or cloned');
}

const LOOK_EVERY_MS = 30_000;
const NOTHING: PassOutcome = { done: 0, full: false };

/** The first look was taken when the site was opened. */
export function watchStanding({ standing }: Pick<Site, 'standing'>, log: Log, clock: Clock): StandingWatch {
  let lookedAtMs = clock.nowMs();
  const look = async (): Promise<Stop | undefined> => {
    const before = standing.stop();
    if (before === undefined && !hasPassed(LOOK_EVERY_MS, lookedAtMs, clock.nowMs())) return undefined;
    lookedAtMs = clock.nowMs();
    const stop = await standing.note();
    if (stop?.message !== before?.message) tellStop(stop, log);
    if (stop === undefined && before !== undefined) log.info({}, 'a person said what it is: the work goes on');
    return stop;
  };
  return {
    looking: (pass) => async (signal) => ((await look()) === undefined ? await pass(signal) : NOTHING),
    following: (pass) => async (signal) => (standing.stop() === undefined ? await pass(signal) : NOTHING),
  };
}
