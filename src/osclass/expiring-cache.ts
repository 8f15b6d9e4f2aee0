/** Answers kept for a while, and not too many of them. */

export interface ExpiringCache<T> {
  /** Undefined if it was never kept, has expired, or had to go. */
  get(key: string): T | undefined;
  set(key: string, value: T): void;
}

/** A cache that forgets what is older than `ttlMs`, and the oldest when there are more than `limit`. */
export function makeExpiringCache<T>({
  ttlMs,
  limit,
  now,
}: {
  ttlMs: number;
  limit: number;
  now: () => number;
}): ExpiringCache<T> {
  const kept = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    get(key) {
      const found = kept.get(key);
      return found !== undefined && found.until > now() ? found.value : undefined;
    },
    set(key, value) {
      kept.delete(key);
      // A Map iterates in the order of insertion: the first is the oldest.
      const [oldest] = kept.size >= limit ? kept.keys() : [];
      if (oldest !== undefined) kept.delete(oldest);
      kept.set(key, { value, until: now() + ttlMs });
    },
  };
}
