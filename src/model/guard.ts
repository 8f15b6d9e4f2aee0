/** The guard: how many accounts a peer may remove or disable within a window before a person has to say yes. Pure. */

/** Thresholds of the config. */
export interface GuardLimits {
  /** So many are always let through. */
  readonly removals: number;
  /** So much of all users is let through, in percent. */
  readonly percent: number;
  readonly windowMs: number;
}

/**
 * How many more may go through. Held is what exceeds both the number and the percentage; what came before in the window
 * has gone through.
 *
 * @param used let through within the window so far
 * @param users all users of this site
 */
export function allowance(limits: GuardLimits, used: number, users: number): number {
  return Math.max(0, Math.max(limits.removals, Math.floor((users * limits.percent) / 100)) - used);
}

/** True if a peer's own guard holds at least whatever ours would: then it decides about its users itself. */
export function isAsStrict(theirs: GuardLimits, ours: GuardLimits): boolean {
  return theirs.removals <= ours.removals && theirs.percent <= ours.percent && theirs.windowMs >= ours.windowMs;
}
