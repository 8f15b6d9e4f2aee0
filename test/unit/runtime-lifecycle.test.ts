import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { makeLifecycle, stopOnSignals } from '../../src/runtime/lifecycle.ts';
import { silentLog } from '../../src/runtime/logger.ts';

test('what was opened last is released first, each after the one before', async () => {
  const lifecycle = makeLifecycle({ log: silentLog });
  const order: string[] = [];
  lifecycle.add('pool', () => void order.push('pool'));
  lifecycle.add('server', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push('server');
  });
  expect(await lifecycle.stop('test')).toBe('clean');
  expect(order).toEqual(['server', 'pool']);
  expect(await lifecycle.stopped).toBe('clean');
});

test('a release that fails does not keep the others from being released', async () => {
  const lifecycle = makeLifecycle({ log: silentLog });
  let isClosed = false;
  lifecycle.add('pool', () => void (isClosed = true));
  lifecycle.add('server', () => {
    throw new Error('no');
  });
  expect(await lifecycle.stop('test')).toBe('late');
  expect(isClosed).toBe(true);
});

test('a release that hangs ends the wait when the time is over', async () => {
  const lifecycle = makeLifecycle({ log: silentLog, stopWithinMs: 20 });
  lifecycle.add('server', () => new Promise(() => undefined));
  expect(await lifecycle.stop('test')).toBe('late');
});

test('stopping twice is stopping once, and what is added meanwhile is released at once', async () => {
  const lifecycle = makeLifecycle({ log: silentLog });
  const release = vi.fn<() => void>();
  lifecycle.add('one', release);
  await Promise.all([lifecycle.stop('a'), lifecycle.stop('b')]);
  expect(release).toHaveBeenCalledTimes(1);
  lifecycle.add('late', release);
  expect(release).toHaveBeenCalledTimes(2);
});

test('the first signal stops in order, the second exits at once', async () => {
  const lifecycle = makeLifecycle({ log: silentLog });
  const gate = Promise.withResolvers<void>();
  lifecycle.add('server', () => gate.promise);
  const source = new EventEmitter();
  const exits: number[] = [];
  const remove = stopOnSignals(lifecycle, source, (code) => void exits.push(code));
  source.emit('SIGTERM');
  expect([lifecycle.isStopping(), lifecycle.signal.aborted, exits]).toEqual([true, true, []]);
  source.emit('SIGINT');
  expect(exits).toEqual([130]);
  gate.resolve();
  await lifecycle.stopped;
  remove();
  expect(source.listenerCount('SIGTERM')).toBe(0);
});
