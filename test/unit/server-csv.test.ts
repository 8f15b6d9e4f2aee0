/** CSV exports are opened in spreadsheets, and peers choose what stands in them. */
import { expect, it } from 'vitest';
import { csvLine } from '../../src/server/csv.ts';

const record = {
  id: 1,
  type: 'STREAM',
  peer: null,
  key: null,
  ip: null,
  date: '2026-01-01T00:00:00.000Z',
  status: 'ERR',
  content: {},
  trace: 'a',
} as const;

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r\n=1', '\n=1'])(
  'a text that begins as %j is no formula',
  (response) => {
    expect(csvLine({ ...record, response })).toContain(`'${response}`);
  },
);

it('a carriage return alone is escaped, and begins nothing', () => {
  expect(csvLine({ ...record, response: '\r=1' })).toContain(String.raw`,\u000d=1,`);
});

it('any other text stays as it is', () => {
  expect(csvLine({ ...record, response: 'a=1, "b"' })).toContain('"a=1, ""b"""');
});
