import { expect, test } from 'vitest';
import { newTrace, TRACE_PATTERN } from '../../src/runtime/trace.ts';

test('a new trace is one that a peer takes over, and no two are alike', () => {
  const traces = Array.from({ length: 100 }, newTrace);
  expect(traces.every((trace) => TRACE_PATTERN.test(trace))).toBe(true);
  expect(new Set(traces).size).toBe(100);
});
