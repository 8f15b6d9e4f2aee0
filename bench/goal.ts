/** A goal for speed or size, and what measuring it needs. */
import type { Figure } from './figures.ts';

/** How to measure. */
export interface BenchOptions {
  /** Size of the large site; each goal has its own unless given. */
  readonly users: number | undefined;
  /** How often each figure is measured. */
  readonly rounds: number;
  /** Small enough for a quick look whether the benchmark itself works; the figures mean nothing. */
  readonly smoke: boolean;
  /** One line about what is going on. */
  readonly say: (line: string) => void;
}

/** One benchmark. Makes what it needs, measures it beside its baseline, and leaves nothing behind. */
export interface Goal {
  /** `p1` */
  readonly name: string;
  readonly title: string;
  run(options: BenchOptions): Promise<Figure[]>;
}

/** The size to take: what was asked for, or the goal's own. */
export function sizeOf({ users, smoke }: BenchOptions, full: number, small: number): number {
  return users ?? (smoke ? small : full);
}
