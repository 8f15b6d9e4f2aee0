import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../src/runtime/backoff.ts';

test('the wait doubles from one second to one minute', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => backoffMs(failures, 1));
  expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('the wait is spread over its last fifth', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
      const full = backoffMs(failures, 1);
      expect(backoffMs(failures, random)).toBeGreaterThanOrEqual(full * 0.8 - 1);
      expect(backoffMs(failures, random)).toBeLessThanOrEqual(full);
    }),
  );
});

test('what the far side asks for is a floor, up to an hour', () => {
  expect(backoffMs(1, 0, 30)).toBe(30_000);
  expect(backoffMs(7, 1, 5)).toBe(60_000);
  expect(backoffMs(1, 0, 1e9)).toBe(3_600_000);
  expect(backoffMs(1, 1, -5)).toBe(1_000);
});
