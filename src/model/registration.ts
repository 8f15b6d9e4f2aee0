/** Registrations: whether two accounts with one address were registered at one time, and so are one account. Pure. */
import { compareStamps, isAdoption, type Stamp } from './stamp.ts';

/** When an account was registered, as far as it is known. */
export interface Registered {
  /** `dt_reg_date`, in milliseconds; undefined if it is not known, or no time. */
  readonly registeredMs: number | undefined;
  readonly born: Stamp;
}

/** Dates of registration have whole seconds, and a site that is not sent one writes its own when it makes the account. */
const SECONDS_OFF_MS = 5_000;
/** Offsets of time zones are multiples of this. */
const ZONE_STEP_MS = 15 * 60_000;
/** From UTC-12 to UTC+14. */
const FARTHEST_ZONES_MS = 26 * 3_600_000;

/**
 * True if both were registered at one time. A registration that a daemon saw has its exact existence stamp, which no other has.
 * Where a daemon came later, on either side, the dates count.
 */
export function isSameRegistration(one: Registered, other: Registered): boolean {
  if (!isAdoption(one.born) && !isAdoption(other.born)) return compareStamps(one.born, other.born) === 0;
  const isKnown = one.born.ms > 0 && other.born.ms > 0;
  const areTogether = isKnown && Math.abs(one.born.ms - other.born.ms) <= SECONDS_OFF_MS;
  return datesAgree(one, other) ?? areTogether;
}

/**
 * Whether their dates may be of one registration; undefined if one is not known. They may be some seconds apart, or a
 * difference of time zones, for a site may state a wrong zone or none, and plugins send local times.
 */
export function datesAgree(one: Registered, other: Registered): boolean | undefined {
  if (one.registeredMs === undefined || other.registeredMs === undefined) return undefined;
  const apart = Math.abs(one.registeredMs - other.registeredMs);
  return apart <= SECONDS_OFF_MS || (apart <= FARTHEST_ZONES_MS && apart % ZONE_STEP_MS < 1000);
}

/**
 * The existence stamp of what was taken for two accounts until now. Of one registration the stamp that a daemon saw is
 * exact, and a date is not; of several the latest counts, for a removal before it does not concern the account.
 */
export function existenceStamp(one: Registered, other: Registered): Stamp {
  if (isAdoption(one.born) !== isAdoption(other.born) && isSameRegistration(one, other)) {
    return isAdoption(one.born) ? other.born : one.born;
  }
  return compareStamps(one.born, other.born) >= 0 ? one.born : other.born;
}
