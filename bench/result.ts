/** What was measured, as it is kept: bench/result.json, or bench/smoke.json of a quick look. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Figure } from './figures.ts';

/** What was measured, and on what. */
export interface Machine {
  /** Of the program: `84863e0`, or `84863e0 with changes`. */
  readonly commit: string;
  readonly node: string;
  readonly database: string;
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
}

/** The figures of one goal. */
export interface MeasuredGoal {
  /** `p1` */
  readonly name: string;
  readonly title: string;
  /** When it ended, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly figures: readonly (Figure & { readonly median: number; readonly holds: boolean | null })[];
}

/** All that is known. */
export interface BenchResult {
  readonly goals: readonly MeasuredGoal[];
}

const urlOf = (smoke: boolean): URL => new URL(smoke ? 'smoke.json' : 'result.json', import.meta.url);

/** What was measured so far; nothing if there is no file. */
export function readResult(smoke = false): BenchResult {
  return existsSync(urlOf(smoke)) ? (JSON.parse(readFileSync(urlOf(smoke), 'utf8')) as BenchResult) : { goals: [] };
}

/** Keeps what was measured now; goals that were measured before and not now stay as they were. */
export function keepResult(now: readonly MeasuredGoal[], smoke: boolean): void {
  const before = readResult(smoke).goals.filter((goal) => now.every(({ name }) => name !== goal.name));
  const result: BenchResult = { goals: [...before, ...now].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
  writeFileSync(urlOf(smoke), `${JSON.stringify(result, null, 2)}\n`);
}
