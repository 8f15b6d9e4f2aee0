/** What was measured, and how it is told. */

/** One quantity, measured once per round. */
export interface Figure {
  /** `feed of 100,000 users / mysqldump | mysql` */
  readonly what: string;
  /** `×`, `users/s`, `ms`, `µs`, `MiB`, … */
  readonly unit: string;
  readonly rounds: readonly number[];
  /** What the goal demands of the median; without one the figure only explains another. */
  readonly limit?: { readonly atMost: number } | { readonly atLeast: number };
  /** Where it stands in the chart of growth. */
  readonly at?: { readonly axis: 'users' | 'peers'; readonly value: number; readonly series: string };
}

/** The middle one; of an even number, the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The value below which `share` (0 … 1) of all lie: the nearest rank. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** True if the median is within the limit; undefined without a limit. */
export function holds({ rounds, limit }: Figure): boolean | undefined {
  if (limit === undefined) return undefined;
  return 'atMost' in limit ? median(rounds) <= limit.atMost : median(rounds) >= limit.atLeast;
}

/** `12,300`, `3.41`, `0.052`: three digits that count, more only of whole numbers. */
export function inDigits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const decimals = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(decimals, 6) });
}

/** The figures of a goal, one line each: median, spread, limit, verdict; of a quick look, which means nothing, none. */
export function lines(figures: readonly Figure[], { smoke = false } = {}): string[] {
  return figures.map((figure) => {
    const { what, unit, rounds, limit } = figure;
    const spread = rounds.length > 1 ? ` (${inDigits(Math.min(...rounds))} … ${inDigits(Math.max(...rounds))})` : '';
    const told =
      limit === undefined ? '' : 'atMost' in limit ? `≤ ${inDigits(limit.atMost)}` : `≥ ${inDigits(limit.atLeast)}`;
    const verdict = smoke || holds(figure) === undefined ? '' : holds(figure) === true ? 'holds' : 'MISSED';
    return [what.padEnd(58), `${inDigits(median(rounds))} ${unit}${spread}`.padEnd(34), told.padEnd(10), verdict]
      .join('  ')
      .trimEnd();
  });
}
