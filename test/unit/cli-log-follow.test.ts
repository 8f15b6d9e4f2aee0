import { describe, expect, it } from 'vitest';
import { followLog } from '../../src/cli/log-follow.ts';
import type { LogRecord } from '../../src/model/response-schemas.ts';

const record = (id: number): LogRecord => ({ id }) as LogRecord;

describe('following the log', () => {
  /** A log that is asked as the table would be; `ids` are visible. */
  const makeLog = (ids: number[]) => {
    const asked: number[] = [];
    const query = async ({ after, limit }: { after: number; limit: number }) => {
      asked.push(after);
      const found = ids.filter((id) => id > after).toSorted((a, b) => a - b);
      const logs = found.slice(0, limit).map(record);
      return { logs, next: found.length > limit ? (logs.at(-1)?.id ?? null) : null };
    };
    return { ids, asked, query };
  };

  it('shows each record once', async () => {
    const log = makeLog([1, 2, 3]);
    const poll = followLog(log.query, [record(3), record(2)], 0);
    expect(await poll(100)).toEqual([]);
    log.ids.push(4, 5);
    expect((await poll(200)).map(({ id }) => id)).toEqual([4, 5]);
    expect(await poll(300)).toEqual([]);
  });

  it('shows a record whose transaction took longer than that of a later id', async () => {
    const log = makeLog([1]);
    const poll = followLog(log.query, [record(1)], 0);
    log.ids.push(3);
    expect((await poll(1000)).map(({ id }) => id)).toEqual([3]);
    log.ids.push(2);
    expect((await poll(2000)).map(({ id }) => id)).toEqual([2]);
    expect(await poll(3000)).toEqual([]);
  });

  it('asks only for what is behind the last records once they are settled', async () => {
    const log = makeLog([1, 2, 3]);
    const poll = followLog(log.query, [record(3), record(2), record(1)], 0);
    await poll(6000);
    await poll(7000);
    expect(log.asked).toEqual([0, 3]);
  });

  it('reads as many pages as there are', async () => {
    const log = makeLog([]);
    const poll = followLog(log.query, [], 0);
    log.ids.push(...Array.from({ length: 2500 }, (_, index) => index + 1));
    expect(await poll(100)).toHaveLength(2500);
  });
});
