import { expect, it } from 'vitest';
import { makeAcquaintance } from '../../src/peer/hello-cache.ts';
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
  const acquaintance = makeAcquaintance(
    async () => hello(`homes ${(asked += 1)}`),
    () => 1_000,
  );
  expect((await acquaintance.know('homes')).site).toBe('homes 1');
  expect((await acquaintance.know('homes')).site).toBe('homes 1');
  acquaintance.forget();
  expect((await acquaintance.know('homes')).site).toBe('homes 2');
});

it('an answer from the address before an edit of the config is not remembered after it', async () => {
  const answers: ((hello: Hello) => void)[] = [];
  const acquaintance = makeAcquaintance(
    () => new Promise<Hello>((resolve) => answers.push(resolve)),
    () => 1_000,
  );
  const before = acquaintance.know('homes');
  acquaintance.forget();
  answers[0]?.(hello('old'));
  expect((await before).site).toBe('old');
  expect(acquaintance.clockSkewMs()).toBe(null);
  const after = acquaintance.know('homes');
  answers[1]?.(hello('new'));
  expect((await after).site).toBe('new');
});
