/** How a figure grows: a straight line through its samples by least squares. Pure. */

/** A figure at a time. */
export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** Growth per minute; 0 for fewer than two samples. */
export function growthPerMinute(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const atMs = mean((sample) => sample.atMs);
  const value = mean((sample) => sample.value);
  const spread = samples.reduce((sum, sample) => sum + (sample.atMs - atMs) ** 2, 0);
  if (spread === 0 || samples.length < 2) return 0;
  const together = samples.reduce((sum, sample) => sum + (sample.atMs - atMs) * (sample.value - value), 0);
  return (together / spread) * 60_000;
}
