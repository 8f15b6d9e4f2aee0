import { afterEach, expect, test, vi } from 'vitest';
import { every } from '../../src/runtime/schedule.ts';

afterEach(() => void vi.useRealTimers());

test('a schedule calls at its times until it is stopped', async () => {
  vi.useFakeTimers({ now: Date.UTC(2024, 0, 1) });
  let calls = 0;
  const job = every('*/2 * * * * *', () => void (calls += 1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls).toBe(5);
  job.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(calls).toBe(5);
});

test('a time that comes while the call still works is left out', async () => {
  vi.useFakeTimers({ now: Date.UTC(2024, 0, 1) });
  let calls = 0;
  const gate = Promise.withResolvers<void>();
  const job = every('* * * * * *', async () => {
    calls += 1;
    await gate.promise;
  });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(calls).toBe(1);
  gate.resolve();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toBe(2);
  job.stop();
});

test('a call that fails is told of and does not end the schedule', async () => {
  vi.useFakeTimers({ now: Date.UTC(2024, 0, 1) });
  const errors: unknown[] = [];
  const job = every(
    '* * * * * *',
    async () => {
      throw new Error('no');
    },
    (error) => void errors.push(error),
  );
  await vi.advanceTimersByTimeAsync(2_000);
  expect(errors).toHaveLength(2);
  job.stop();
});

test.each(['nonsense', '', '99 * * * * *', '* * * 31 2 *'])('%j is refused as a schedule', (expression) => {
  expect(() => every(expression, () => undefined)).toThrow(/schedule expression/);
});
