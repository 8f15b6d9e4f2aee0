/**
 * Addresses from which too many authentications fail are refused, with the right key or the wrong one, so that nobody learns
 * from the refusal which it was; but not those that showed who they are within the hour before.
 */
import ipaddr from 'ipaddr.js';

/** Failed authentications that an address has in {@link WINDOW_MS}. */
const MOST = 20;
const WINDOW_MS = 60_000;
/** So long an address that authenticated is not refused. */
const KNOWN_FOR_MS = 3_600_000;
/** Addresses that are remembered, of either kind. Of more, those that are there longest are forgotten. */
const MOST_ADDRESSES = 20_000;

/** What a failure comes to. */
export interface FailedAttempt {
  /** It was one too many: seconds until the address may try again. */
  readonly retryAfterS?: number;
  /** True for the first that was one too many. */
  readonly isFirstBeyond: boolean;
}

/** Counts failed authentications by address; all of a /64 of IPv6 are one. */
export interface FailedAttempts {
  /** Undefined: the address may show who it is. Counts nothing. */
  refusal(address: string): { readonly retryAfterS: number } | undefined;
  failed(address: string): FailedAttempt;
  succeeded(address: string): void;
}

interface Window {
  readonly startMs: number;
  failures: number;
}

/** @param nowMs a clock that is never set back */
export function makeFailedAttempts(nowMs: () => number): FailedAttempts {
  /** Oldest first. */
  const windows = new Map<string, Window>();
  const known = new Map<string, number>();

  const windowOf = (network: string): Window | undefined => {
    const window = windows.get(network);
    return window !== undefined && nowMs() - window.startMs < WINDOW_MS ? window : undefined;
  };
  const retryAfterS = ({ startMs }: Window): number => Math.ceil((startMs + WINDOW_MS - nowMs()) / 1000);
  const isKnown = (network: string): boolean => {
    const sinceMs = known.get(network);
    return sinceMs !== undefined && nowMs() - sinceMs < KNOWN_FOR_MS;
  };

  return {
    refusal(address) {
      const network = networkOf(address);
      const window = windowOf(network);
      if (window === undefined || window.failures < MOST || isKnown(network)) return undefined;
      return { retryAfterS: retryAfterS(window) };
    },
    failed(address) {
      const network = networkOf(address);
      const window = windowOf(network) ?? { startMs: nowMs(), failures: 0 };
      window.failures += 1;
      if (window.failures === 1) remember(windows, network, window);
      if (window.failures <= MOST) return { isFirstBeyond: false };
      return { retryAfterS: retryAfterS(window), isFirstBeyond: window.failures === MOST + 1 };
    },
    succeeded: (address) => remember(known, networkOf(address), nowMs()),
  };
}

/** Puts it last; of too many the first goes. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_ADDRESSES && oldest !== undefined) map.delete(oldest);
}

/** Whoever has one IPv6 address has 2^64 of them: the first 64 bits count as one address. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return 'parts' in parsed ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
