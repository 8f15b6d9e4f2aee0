import { expect, it } from 'vitest';
import { makeHelloCache } from '../../src/peer/hello-cache.ts';
import type { Hello } from '../../src/model/record.ts';

const hello = (site: string): Hello => ({
  status: 'OK',
  site,
  peer: 'cars',
  protocols: ['native/1'],
  version: '1',
  timezone: true,
  time: new Date(0).toISOString(),
  receive: true,
  send: true,
  columns: { accept: [], send: [] },
});

it('what a peer says of itself is asked for once and remembered', async () => {
  let asked = 0;
  const helloCache = makeHelloCache(
    async () => hello(`homes ${(asked += 1)}`),
    () => 1_000,
  );
  expect((await helloCache.hello('homes')).site).toBe('homes 1');
  expect((await helloCache.hello('homes')).site).toBe('homes 1');
  helloCache.forget();
  expect((await helloCache.hello('homes')).site).toBe('homes 2');
});

it('an answer from the address before an edit of the config is not remembered after it', async () => {
  const answers: ((hello: Hello) => void)[] = [];
  const helloCache = makeHelloCache(
    () => new Promise<Hello>((resolve) => answers.push(resolve)),
    () => 1_000,
  );
  const before = helloCache.hello('homes');
  helloCache.forget();
  answers[0]?.(hello('old'));
  expect((await before).site).toBe('old');
  expect(helloCache.clockSkewMs()).toBe(null);
  const after = helloCache.hello('homes');
  answers[1]?.(hello('new'));
  expect((await after).site).toBe('new');
});
