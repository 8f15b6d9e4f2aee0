/** Guards for tests. */
import type { ClassLimits, GuardLimits } from '../../src/model/guard.ts';

const ANY: ClassLimits = { number: 1_000_000, percent: 100 };

/** Holds nothing. */
export const NO_GUARD: GuardLimits = {
  removals: 1_000_000,
  percent: 100,
  credentials: ANY,
  revivals: ANY,
  creations: ANY,
  total: 2,
  windowMs: 3_600_000,
};

/** As keys of `guard` in a config: of these classes nothing is held. */
const UNGUARDED = 'credentials: { number: 1000000 }, revivals: { number: 1000000 }, creations: { number: 1000000 }';

/**
 * Lines of a config without guard but for removals: tests play months of a site within seconds, on sites of a handful of users. A
 * `guard: { … }` that is there keeps its keys.
 */
export function withoutGuard(extra: string): string {
  if (extra.includes('guard: {')) return extra.replace('guard: {', `guard: { ${UNGUARDED},`);
  return `guard: { removals: 20, ${UNGUARDED} }\n${extra}`;
}

/** What the program does where the config says nothing of it. */
export const DEFAULT_GUARD: GuardLimits = {
  removals: null,
  percent: 5,
  credentials: { number: null, percent: 1 },
  revivals: { number: null, percent: 5 },
  creations: { number: null, percent: 20 },
  total: 2,
  windowMs: 3_600_000,
};
