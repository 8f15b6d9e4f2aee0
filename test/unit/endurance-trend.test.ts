import { expect, test } from 'vitest';
import { growthPerMinute } from '../endurance/trend.ts';

const samples = (values: readonly number[]) => values.map((value, index) => ({ atMs: index * 5_000, value }));

test('a figure that grows by one each five seconds grows by twelve a minute', () => {
  expect(growthPerMinute(samples([1, 2, 3, 4, 5]))).toBeCloseTo(12);
});

test('one that goes up and down does not grow', () => {
  expect(growthPerMinute(samples([5, 6, 5, 4, 5]))).toBeCloseTo(-2.4);
  expect(growthPerMinute(samples([5, 6, 4, 6, 5]))).toBeCloseTo(0);
});

test('one or no sample tells nothing', () => {
  expect([growthPerMinute([]), growthPerMinute(samples([7]))]).toEqual([0, 0]);
});
