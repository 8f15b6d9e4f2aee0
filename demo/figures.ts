/** Figures of what was measured, and how they are written. */

/** The smallest of the values that at least this share (0 < share ≤ 1) of them does not exceed. Throws without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.ceil(share * sorted.length) - 1];
  if (found === undefined) throw new Error('no values');
  return found;
}

/** Milliseconds as `0.61 s`. */
export const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
