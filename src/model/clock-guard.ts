/**
 * The clock guard: stamps from a time that has not come yet. They are refused on the way in, and their sender waits until
 * it has come. Where that would take too long, because a clock was far ahead and was set right, they are taken back. Pure.
 */
import type { RegisterState, Shadow } from './shadow.ts';
import { nextStamp, type Origin, type Stamp } from './stamp.ts';

/** Clocks that agree differ by no more. */
const TOLERANCE_MS = 60_000;

/** What is stamped later than this from now is not waited for. */
const LONGEST_WAIT_MS = 3_600_000;

/** True for a stamp so far ahead of the clock that it cannot be one of now. */
export function isAhead(stamp: Stamp, nowMs: number): boolean {
  return stamp.ms > nowMs + TOLERANCE_MS;
}

/** True for a stamp so far ahead that it is none: a clock was wrong, and this one had believed it. */
export function isFarAhead(stamp: Stamp, nowMs: number): boolean {
  return stamp.ms > nowMs + LONGEST_WAIT_MS;
}

/**
 * The shadow with every stamp that our own clock made while it was far ahead as of now; the same object if there is none.
 * What others stamped stays: they do the same.
 */
export function restampShadow(shadow: Shadow, nowMs: number, origin: Origin): Shadow {
  const isWrong = (stamp: Stamp): boolean => restamp(stamp, nowMs, origin) !== stamp;
  const renewed = new Map<string, RegisterState>();
  for (const [register, { prior, ...state }] of shadow.registers) {
    if (!isWrong(state.stamp)) continue;
    const known = prior === undefined || isFarAhead(prior, nowMs) ? undefined : prior;
    const stamp = nextStamp(nowMs, known, origin);
    renewed.set(register, { ...state, stamp, ...(known === undefined ? {} : { prior: known }) });
  }
  const born = restamp(shadow.born, nowMs, origin);
  if (renewed.size === 0 && born === shadow.born) return shadow;
  return { born, registers: new Map([...shadow.registers, ...renewed]) };
}

/** Likewise for one stamp, as that of a removal. */
export function restamp(stamp: Stamp, nowMs: number, origin: Origin): Stamp {
  return stamp.site === origin.site && isFarAhead(stamp, nowMs) ? nextStamp(nowMs, undefined, origin) : stamp;
}
