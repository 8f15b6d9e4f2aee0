/** The pace of a rolling re-feed: its calls are spread over the time within which everybody must have been asked for. Pure. */

import type { FeedOwner } from '../model/feed-owner.ts';

/** How far the present round is. */
export interface Round {
  /** Whose users it brings; null: an older version began it, and did not note that. */
  readonly of: FeedOwner | null;
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
export function afterCall(
  round: Round,
  next: number | undefined,
  withinMs: number,
  { nowMs, owner }: { readonly nowMs: number; readonly owner: FeedOwner },
): Round {
  const calls = round.calls + 1;
  if (next !== undefined) return { ...round, cursor: next, calls };
  return { of: owner, cursor: 0, calls: 0, startedMs: nowMs + gapMs(calls, withinMs), callsBefore: calls };
}

function gapMs(callsBefore: number, withinMs: number): number {
  return callsBefore === 0 ? Math.min(FIRST_GAP_MS, withinMs / 100) : withinMs / (callsBefore + 1);
}

function firstRound(nowMs: number, of: FeedOwner): Round {
  return { of, cursor: 0, calls: 0, startedMs: nowMs, callsBefore: 0 };
}

/** Reads what JSON.stringify made of a round; a new one if it cannot be read, or is one of another owner. */
export function parseRound(text: string | undefined, nowMs: number, owner: FeedOwner): Round {
  const parsed = text === undefined ? undefined : (JSON.parse(text) as Partial<Round>);
  const { of = null, cursor, calls, startedMs, callsBefore } = parsed ?? {};
  if (of !== null && of !== owner) return firstRound(nowMs, owner);
  if (cursor === undefined || calls === undefined || startedMs === undefined || callsBefore === undefined) {
    return firstRound(nowMs, owner);
  }
  return { of, cursor, calls, startedMs, callsBefore };
}
