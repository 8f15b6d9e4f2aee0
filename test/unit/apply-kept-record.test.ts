import { expect, test } from 'vitest';
import { keepRecord } from '../../src/store/kept-record.ts';
import type { UserRecord } from '../../src/model/record.ts';

const recordOf = (texts: Record<string, string>): UserRecord => ({
  kind: 'user',
  uids: ['6c0cd4a5-9c6b-5a34-8a6b-3f8a5a3f7b11'],
  email: 'ana@example.com',
  born: '1-1-1-cars',
  registers: Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, { stamp: '1-1-1-cars', values: { [name]: text } }]),
  ),
});

test('a record of ordinary size is kept whole', () => {
  const record = recordOf({ s_email: 'ana@example.com', s_name: 'n'.repeat(100_000) });
  const { body, leftOut } = keepRecord(record);
  expect(JSON.parse(body.toString())).toEqual(record);
  expect(leftOut).toEqual([]);
});

test('of a larger one the largest registers are left out', () => {
  const texts = { s_email: 'ana@example.com', small: 's'.repeat(1_000), huge: 'h'.repeat(9_000_000) };
  const { body, leftOut } = keepRecord(recordOf({ ...texts, large: 'l'.repeat(300_000) }));
  expect(JSON.parse(body.toString())).toEqual(recordOf({ s_email: texts.s_email, small: texts.small }));
  expect(leftOut).toEqual(['huge', 'large']);
});
