/** Quotas of peers: how many calls each may have under way, and how many records it may send. Kept by each daemon for itself. */
import { SyncError } from '../model/errors.ts';

/** What each peer may do. */
export interface CallQuotas {
  /** Calls under way at a time. */
  readonly callsAtOnce: number;
  /** Records that it sends. */
  readonly recordsPerMinute: number;
}

/** Asked for every call of a peer. What exceeds throws `QUOTA`, with the time after which it may be tried again. */
export interface PeerQuotas {
  /** A call begins. Returns what ends it, to be called once. */
  enter(peer: string): () => void;
  /**
   * The peer sends so many records. Once it has sent too many, every call that brings records waits, one without any too: whoever
   * asks whether anything gets through is told no.
   */
  takeRecords(peer: string, records: number): void;
}

/** One peer. */
interface Use {
  calls: number;
  /** Records it may send now. */
  left: number;
  /** When that was worked out. */
  atMs: number;
  waitsUntilMs: number;
}

const MINUTE_MS = 60_000;
/** A call is over after so long at the latest; most are within a second. */
const CALLS_AGAIN_S = 1;

/** Counts from nothing. @param limits of the config in force */
export function makePeerQuotas(limits: () => CallQuotas, nowMs: () => number): PeerQuotas {
  const uses = new Map<string, Use>();
  const useOf = (peer: string): Use => {
    const known = uses.get(peer);
    if (known !== undefined) return known;
    const use = { calls: 0, left: limits().recordsPerMinute, atMs: nowMs(), waitsUntilMs: 0 };
    uses.set(peer, use);
    return use;
  };
  return {
    enter(peer) {
      const use = useOf(peer);
      const { callsAtOnce } = limits();
      if (use.calls >= callsAtOnce) {
        throw exceeded(
          `${peer} has ${use.calls} calls under way; quotas.calls_at_once is ${callsAtOnce}.`,
          CALLS_AGAIN_S,
        );
      }
      use.calls += 1;
      return () => {
        use.calls -= 1;
      };
    },
    takeRecords(peer, records) {
      const use = useOf(peer);
      const { recordsPerMinute } = limits();
      const perMs = recordsPerMinute / MINUTE_MS;
      const now = nowMs();
      // A clock that was set back gives nothing, and takes nothing.
      use.left = Math.min(recordsPerMinute, use.left + Math.max(0, now - use.atMs) * perMs);
      use.atMs = now;
      const waitMs = Math.min(use.waitsUntilMs - now, MINUTE_MS);
      const why = `${peer} sends more records than quotas.records_per_minute (${recordsPerMinute}).`;
      if (waitMs > 0) throw exceeded(why, waitMs / 1000);
      // One call with more than a minute's worth goes through by itself, and is paid for afterwards.
      const needed = Math.min(records, recordsPerMinute);
      if (use.left < needed) {
        const untilMs = (needed - use.left) / perMs;
        use.waitsUntilMs = now + untilMs;
        throw exceeded(why, untilMs / 1000);
      }
      use.left -= records;
    },
  };
}

function exceeded(message: string, retryAfterS: number): SyncError {
  return new SyncError('QUOTA', message, { retryAfterS });
}
