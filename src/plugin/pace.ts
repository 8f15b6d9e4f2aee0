/** The pace of a rolling re-feed: its calls are spread over the time within which everybody must have been asked for. Pure. */

/** How far the present round is. */
export interface Round {
  readonly cursor: number;
  /** Calls made in it. */
  readonly calls: number;
  readonly startedMs: number;
  /** Calls of the round before; 0: there was none. */
  readonly callsBefore: number;
}

/** While nobody knows how many calls a round takes, they follow each other at least this closely. */
const FIRST_GAP_MS = 60_000;

/** When the next call is due. One more call is planned than the last round took, for sites grow. */
export function dueAtMs(round: Round, withinMs: number): number {
  return round.startedMs + Math.min(withinMs, gapMs(round.callsBefore, withinMs) * round.calls);
}

/** The round after a call that led to `next`; undefined, if the peer had no more: then a new one, at the same pace. */
export function afterCall(round: Round, next: number | undefined, withinMs: number, nowMs: number): Round {
  const calls = round.calls + 1;
  if (next !== undefined) return { ...round, cursor: next, calls };
  return { cursor: 0, calls: 0, startedMs: nowMs + gapMs(calls, withinMs), callsBefore: calls };
}

function gapMs(callsBefore: number, withinMs: number): number {
  return callsBefore === 0 ? Math.min(FIRST_GAP_MS, withinMs / 100) : withinMs / (callsBefore + 1);
}

function firstRound(nowMs: number): Round {
  return { cursor: 0, calls: 0, startedMs: nowMs, callsBefore: 0 };
}

/** Reads what JSON.stringify made of a round; a new one if it cannot be read. */
export function parseRound(text: string | undefined, nowMs: number): Round {
  const parsed = text === undefined ? undefined : (JSON.parse(text) as Partial<Round>);
  const { cursor, calls, startedMs, callsBefore } = parsed ?? {};
  if (cursor === undefined || calls === undefined || startedMs === undefined || callsBefore === undefined) {
    return firstRound(nowMs);
  }
  return { cursor, calls, startedMs, callsBefore };
}
