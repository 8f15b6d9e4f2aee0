import { expect, test } from 'vitest';
import { SyncError } from '../../src/model/errors.ts';
import type { Log } from '../../src/runtime/logger.ts';
import { makeLoop, type LoopOptions, type PassOutcome } from '../../src/runtime/loop.ts';
import { eventually } from '../support/eventually.ts';

const IDLE: PassOutcome = { done: 0, full: false };

/** A log that keeps `level phrase`. */
function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (_fields: unknown, phrase: string) => void lines.push(`${level} ${phrase}`);
  const log: Log = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    child: () => log,
  };
  return { log, lines };
}

/** A loop whose waits end by `endWait()`, with the waits it asked for. */
function watchedLoop(options: Pick<LoopOptions, 'pass'> & Partial<LoopOptions>) {
  const { log, lines } = keptLog();
  const waits: number[] = [];
  const ends: (() => void)[] = [];
  const loop = makeLoop({
    name: 'drain',
    log,
    random: () => 1,
    sleep: async (ms, signal) => {
      waits.push(ms);
      await new Promise<void>((resolve) => {
        ends.push(resolve);
        signal.addEventListener('abort', () => resolve());
      });
    },
    ...options,
  });
  return { loop, lines, waits, endWait: () => ends.at(-1)?.() };
}

test('passes follow each other at once while there is more, then wait to be woken', async () => {
  let left = 3;
  let passes = 0;
  const { loop } = watchedLoop({
    pass: async () => {
      passes += 1;
      left -= 1;
      return { done: 1, full: left > 0 };
    },
  });
  loop.start();
  await eventually(() => expect(loop.state()).toBe('idle'));
  expect(passes).toBe(3);
  loop.wake();
  await eventually(() => expect(passes).toBe(4));
  await loop.stop();
});

test('two passes never overlap, and a wake during a pass brings exactly one more', async () => {
  let inside = 0;
  let most = 0;
  let passes = 0;
  const gate = Promise.withResolvers<void>();
  const { loop } = watchedLoop({
    pass: async () => {
      passes += 1;
      inside += 1;
      most = Math.max(most, inside);
      if (passes === 1) await gate.promise;
      inside -= 1;
      return IDLE;
    },
  });
  loop.start();
  await eventually(() => expect(passes).toBe(1));
  for (let n = 0; n < 10; n += 1) loop.wake();
  gate.resolve();
  await eventually(() => expect(loop.state()).toBe('idle'));
  expect([passes, most]).toEqual([2, 1]);
  await loop.stop();
});

test('a failing pass is tried again after a growing wait that no wake shortens', async () => {
  let passes = 0;
  const { loop, waits, endWait } = watchedLoop({
    pass: async () => {
      passes += 1;
      throw new SyncError('PEER_UNREACHABLE');
    },
  });
  loop.start();
  for (let n = 1; n <= 3; n += 1) {
    await eventually(() => expect(waits).toHaveLength(n));
    loop.wake();
    expect(loop.state()).toBe('waiting');
    expect(passes).toBe(n);
    endWait();
  }
  expect(waits).toEqual([1_000, 2_000, 4_000]);
  await loop.stop();
});

test('what a peer asks for is waited at least', async () => {
  const { loop, waits } = watchedLoop({
    pass: async () => {
      throw new SyncError('PEER_FAILED', 'busy', { retryAfterS: 17 });
    },
  });
  loop.start();
  await eventually(() => expect(waits).toEqual([17_000]));
  await loop.stop();
});

test('a streak of failures is one warning, and its end one line', async () => {
  let left = 3;
  const recovered: number[] = [];
  const { loop, lines, endWait, waits } = watchedLoop({
    pass: async () => {
      left -= 1;
      if (left >= 0) throw new SyncError('DB_UNAVAILABLE');
      return IDLE;
    },
    onRecovered: (failures) => void recovered.push(failures),
  });
  loop.start();
  for (let n = 1; n <= 3; n += 1) {
    await eventually(() => expect(waits).toHaveLength(n));
    endWait();
  }
  await eventually(() => expect(loop.state()).toBe('idle'));
  await loop.stop();
  expect(lines).toEqual([
    'warn pass failed, will be tried again',
    'debug pass failed again',
    'debug pass failed again',
    'info pass works again',
  ]);
  expect(recovered).toEqual([3]);
});

test('a failure that waiting does not repair is an error', async () => {
  const { loop, lines, waits } = watchedLoop({
    pass: async () => {
      throw new SyncError('DB_MISSING_RIGHT');
    },
  });
  loop.start();
  await eventually(() => expect(waits).toHaveLength(1));
  await loop.stop();
  expect(lines).toEqual(['error pass failed, a person must act']);
});

test('stop waits for the pass under way and starts no other', async () => {
  const gate = Promise.withResolvers<void>();
  let passes = 0;
  const { loop } = watchedLoop({
    pass: async (signal) => {
      passes += 1;
      await gate.promise;
      expect(signal.aborted).toBe(false);
      return { done: 1, full: true };
    },
  });
  loop.start();
  await eventually(() => expect(passes).toBe(1));
  let isStopped = false;
  const stopping = loop.stop().then(() => (isStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  gate.resolve();
  await stopping;
  expect([passes, loop.state()]).toEqual([1, 'stopped']);
});

test('a pass that goes on too long is told to end', async () => {
  const { loop } = watchedLoop({
    pass: async (signal) => {
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
      return IDLE;
    },
  });
  loop.start();
  await eventually(() => expect(loop.state()).toBe('running'));
  await loop.stop(10);
  expect(loop.state()).toBe('stopped');
});

test('a loop can be stopped before it starts, while idle, and while it waits', async () => {
  const never = watchedLoop({ pass: async () => IDLE });
  await never.loop.stop();
  never.loop.start();
  expect(never.loop.state()).toBe('stopped');

  const idle = watchedLoop({ pass: async () => IDLE });
  idle.loop.start();
  await eventually(() => expect(idle.loop.state()).toBe('idle'));
  await idle.loop.stop();
  expect(idle.loop.state()).toBe('stopped');

  const failing = watchedLoop({ pass: async () => Promise.reject(new SyncError('PEER_TIMEOUT')) });
  failing.loop.start();
  await eventually(() => expect(failing.loop.state()).toBe('waiting'));
  await failing.loop.stop();
  expect(failing.loop.state()).toBe('stopped');
});

test('a trigger wakes the loop until it is stopped', async () => {
  const wakes: (() => void)[] = [];
  let triggers = 0;
  let passes = 0;
  const { loop } = watchedLoop({
    pass: async () => {
      passes += 1;
      return IDLE;
    },
    trigger: (wake) => {
      triggers += 1;
      wakes.push(wake);
      return { stop: () => void (triggers -= 1) };
    },
  });
  expect(triggers).toBe(0);
  loop.start();
  await eventually(() => expect(loop.state()).toBe('idle'));
  wakes[0]?.();
  await eventually(() => expect(passes).toBe(2));
  await loop.stop();
  expect(triggers).toBe(0);
});
