import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchMemory } from '../../src/runtime/memory-watch.ts';

const MIB = 1024 * 1024;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('garbage is looked for where the process is large, and takes no more than a tenth of the time', () => {
  let [nowMs, resident, collected] = [0, 100 * MIB, 0];
  const watch = watchMemory({
    residentBytes: () => resident,
    nowMs: () => nowMs,
    collect() {
      collected += 1;
      nowMs += 40;
      resident -= 10 * MIB;
    },
  });
  const pass = (ms: number): void => {
    nowMs += ms;
    vi.advanceTimersByTime(ms);
  };
  pass(1_000);
  expect(collected).toBe(0);
  resident = 150 * MIB;
  for (let n = 0; n < 100; n += 1) {
    resident = 150 * MIB;
    pass(50);
  }
  expect(collected).toBeGreaterThan(5);
  expect(collected).toBeLessThanOrEqual(13);
  const before = collected;
  resident = 200 * MIB;
  watch.makeRoom();
  watch.makeRoom();
  expect(collected).toBe(before + 1);
  watch.end();
  for (let n = 0; n < 100; n += 1) pass(50);
  expect(collected).toBe(before + 1);
});

test('what is in use is not looked through again and again', () => {
  let [resident, collected] = [200 * MIB, 0];
  const watch = watchMemory({
    residentBytes: () => resident,
    nowMs: () => Date.now(),
    collect: () => (collected += 1),
  });
  vi.advanceTimersByTime(10_000);
  expect(collected).toBe(1);
  resident += 8 * MIB;
  vi.advanceTimersByTime(10_000);
  expect(collected).toBe(2);
  resident -= 40 * MIB;
  vi.advanceTimersByTime(1_000);
  resident += 8 * MIB;
  vi.advanceTimersByTime(10_000);
  expect(collected).toBe(3);
  watch.end();
});

test('without --expose-gc nothing is watched', () => {
  const watch = watchMemory({ collect: undefined, residentBytes: () => 1_000 * MIB, nowMs: () => 0 });
  expect(vi.getTimerCount()).toBe(0);
  watch.end();
});
