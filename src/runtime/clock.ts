/** Time as an argument. */

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = { nowMs: () => Date.now() };
