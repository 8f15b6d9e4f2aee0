import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { eachOf, slices } from '../../src/runtime/each-of.ts';

/** Works on `items`; with how many at once at most, and what was begun and ended. */
const watch = async (items: readonly number[], atOnce: number, failing: readonly number[] = []) => {
  const [begun, ended]: [number[], number[]] = [[], []];
  let most = 0;
  const done = eachOf(items, atOnce, async (item) => {
    begun.push(item);
    most = Math.max(most, begun.length - ended.length);
    for (let n = 0; n < 1 + (item % 3); n++) await turn();
    ended.push(item);
    if (failing.includes(item)) throw new Error(`item ${item}`);
  });
  const error: unknown = await done.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { begun, ended, most, error };
};

it('works on every item, in order, on no more at once than it may', async () => {
  const items = Array.from({ length: 20 }, (_, n) => n);
  for (const atOnce of [1, 2, 5, 50]) {
    const { begun, ended, most, error } = await watch(items, atOnce);
    expect(begun).toEqual(items);
    expect(ended.toSorted((a, b) => a - b)).toEqual(items);
    expect(most).toBe(Math.min(atOnce, items.length));
    expect(error).toBeUndefined();
  }
  expect((await watch([], 3)).begun).toEqual([]);
});

it('begins nothing after a failure, waits for what is under way, and throws the first', async () => {
  const { begun, ended, error } = await watch([0, 4, 2, 3, 6, 9], 2, [4, 2]);
  expect(begun).toEqual([0, 4, 2]);
  expect(ended).toEqual([0, 4, 2]);
  expect(error).toEqual(new Error('item 4'));
});

it('cuts into slices', () => {
  expect(slices([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(slices([], 2)).toEqual([]);
});
