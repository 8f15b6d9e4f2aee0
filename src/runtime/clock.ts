/** Time as an argument. */

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/** True once `ms` have passed since `sinceMs`; also if the clock was set back since, for then nobody knows. */
export function hasPassed(ms: number, sinceMs: number, nowMs: number): boolean {
  return nowMs - sinceMs > ms || nowMs < sinceMs;
}
