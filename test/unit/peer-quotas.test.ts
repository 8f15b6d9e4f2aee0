import { expect, test } from 'vitest';
import { SyncError } from '../../src/model/errors.ts';
import { makePeerQuotas } from '../../src/peer/quotas.ts';

const refusal = (work: () => unknown): { code: string; retryAfterS: number | undefined } | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return { code: error.code, retryAfterS: error.retryAfterS };
  }
};

test('a peer has so many calls under way, and no other is held up by that', () => {
  const { enter } = makePeerQuotas(
    () => ({ callsAtOnce: 2, recordsPerMinute: 10 }),
    () => 0,
  );
  const leave = enter('homes');
  enter('homes');
  expect(refusal(() => enter('homes'))).toEqual({ code: 'QUOTA', retryAfterS: 1 });
  enter('jobs');
  leave();
  enter('homes');
  expect(refusal(() => enter('homes'))?.code).toBe('QUOTA');
});

test('a peer sends so many records a minute; until it may again, every call waits, one without records too', () => {
  let nowMs = 1_000_000;
  const { takeRecords } = makePeerQuotas(
    () => ({ callsAtOnce: 2, recordsPerMinute: 60 }),
    () => nowMs,
  );
  takeRecords('homes', 50);
  expect(refusal(() => takeRecords('homes', 20))).toEqual({ code: 'QUOTA', retryAfterS: 10 });
  expect(refusal(() => takeRecords('homes', 0))).toEqual({ code: 'QUOTA', retryAfterS: 10 });
  takeRecords('jobs', 60);
  nowMs += 4_000;
  expect(refusal(() => takeRecords('homes', 1))).toEqual({ code: 'QUOTA', retryAfterS: 6 });
  nowMs += 6_000;
  takeRecords('homes', 20);
  nowMs += 60_000;
  // More than a minute's worth at once goes through alone, and is paid for.
  takeRecords('homes', 120);
  expect(refusal(() => takeRecords('homes', 1))).toEqual({ code: 'QUOTA', retryAfterS: 61 });
});

test('a clock that is set back gives nothing, and keeps nobody waiting for longer than a minute', () => {
  let nowMs = 10_000_000;
  const { takeRecords } = makePeerQuotas(
    () => ({ callsAtOnce: 2, recordsPerMinute: 60 }),
    () => nowMs,
  );
  takeRecords('homes', 60);
  expect(refusal(() => takeRecords('homes', 60))?.retryAfterS).toBe(60);
  nowMs -= 9_000_000;
  expect(refusal(() => takeRecords('homes', 60))?.retryAfterS).toBe(60);
});
