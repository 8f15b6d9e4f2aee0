import { describe, expect, test } from 'vitest';
import {
  afterAnswer,
  afterSaying,
  afterTelling,
  beforeTelling,
  impress,
  isKnownToHave,
  mayHaveSomething,
  noveltyOf,
  packMemory,
  unpackMemory,
  type Impression,
  type Memory,
} from '../../src/model/plugin-memory.ts';

const one = (value: string): Map<string, string> => new Map([['s_name', impress('s_name', value)]]);
const told = (memory: Memory | undefined, value: string): Memory =>
  afterTelling(beforeTelling(memory, one(value)), one(value));
const lost = (memory: Memory | undefined, value: string): Memory => beforeTelling(memory, one(value));
const said = (memory: Memory | undefined, value: string): Memory =>
  new Map([['s_name', afterSaying('s_name', memory?.get('s_name'), impress('s_name', value))]]);
const novelty = (memory: Memory | undefined, value: string): string =>
  noveltyOf(memory?.get('s_name'), impress('s_name', value));

describe('what a value of a plugin peer comes to', () => {
  test.each<[string, Memory | undefined, string, string]>([
    ['never heard of', undefined, 'a', 'first'],
    ['as it said last', said(undefined, 'a'), 'a', 'same'],
    ['as it said last, altered by it', told(undefined, 'Zoë & Co'), 'Zoë &amp; Co', 'same'],
    ['another', said(undefined, 'a'), 'b', 'news'],
    ['what it had before it said OK to ours', told(said(undefined, 'a'), 'b'), 'a', 'stale'],
    ['what it was told, and said OK to', told(said(undefined, 'a'), 'b'), 'b', 'same'],
    ['what it was told though the answer was lost', lost(said(undefined, 'a'), 'b'), 'b', 'stale'],
    ['what it had, if what it was told was lost', lost(said(undefined, 'a'), 'b'), 'a', 'same'],
    ['what it was told before, if the next was lost', lost(told(undefined, 'a'), 'b'), 'a', 'same'],
    ['any of several that were lost', lost(lost(lost(undefined, 'a'), 'b'), 'c'), 'a', 'stale'],
    ['something else, where all it was told was lost', lost(undefined, 'a'), 'x', 'first'],
    ['back to what it had, after it had taken ours', said(told(said(undefined, 'a'), 'b'), 'b'), 'a', 'news'],
    ['back to ours, after it had changed it', said(told(undefined, 'b'), 'c'), 'b', 'news'],
  ])('%s', (_what, memory, value, expected) => {
    expect(novelty(memory, value)).toBe(expected);
  });

  test('a password is known by what its mask shows', () => {
    const hash = '$2y$10$rbPs92KTd36hlzZXTJjayOdje1sxRKiAnKP/u4XSmxmWD1OAEKh3S';
    expect(impress('s_password', '$2y$10$rbP**********zZXTJjayOd...')).toBe(impress('s_password', hash));
    expect(impress('s_password', hash.replace('rbP', 'rbQ'))).not.toBe(impress('s_password', hash));
  });

  test('coordinates are the same however many places a column prints', () => {
    expect(impress('d_coord_lat', '48.1371540000')).toBe(impress('d_coord_lat', '48.137154'));
    expect(impress('d_coord_lat', '0.000000')).toBe(impress('d_coord_lat', '0'));
    expect(impress('s_zip', '10.50')).not.toBe(impress('s_zip', '10.5'));
  });
});

describe('what the peer is not told again', () => {
  const isKnown = (memory: Memory | undefined, value: string): boolean =>
    isKnownToHave(memory?.get('s_name'), impress('s_name', value));
  const answered = (memory: Memory, now: Memory, value: string): Memory => afterAnswer(memory, now, one(value));

  test.each<[string, Memory | undefined, string, boolean]>([
    ['nothing is known', undefined, 'a', false],
    ['it said that it has it', said(undefined, 'a'), 'a', true],
    ['it said OK to it', told(undefined, 'a'), 'a', true],
    ['it has another', said(undefined, 'b'), 'a', false],
    ['the answer was lost', lost(undefined, 'a'), 'a', false],
    ['it had it, and another was told without an answer', lost(told(undefined, 'a'), 'b'), 'a', false],
    ['the same, and then it said OK to it again', told(lost(told(undefined, 'a'), 'b'), 'a'), 'a', true],
    [
      'it says another while the answer is under way',
      answered(lost(undefined, 'a'), said(undefined, 'b'), 'a'),
      'b',
      false,
    ],
    [
      'nothing happened while the answer was under way',
      answered(lost(undefined, 'a'), lost(undefined, 'a'), 'a'),
      'a',
      true,
    ],
  ])('%s', (_what, memory, value, expected) => {
    expect(isKnown(memory, value)).toBe(expected);
  });

  test.each<[string, Memory | undefined, boolean]>([
    ['never heard of', undefined, false],
    ['it said that it is empty', said(undefined, ''), false],
    ['it has something', said(undefined, 'a'), true],
    ['it was told something without an answer', lost(undefined, 'a'), true],
    ['it said OK to empty', told(said(undefined, 'a'), ''), false],
    ['it was told empty without an answer', lost(said(undefined, 'a'), ''), true],
  ])('whether there is something to be emptied: %s', (_what, memory, expected) => {
    expect(mayHaveSomething(memory?.get('s_name'))).toBe(expected);
  });
});

test('a memory is read as it was written', () => {
  const all: Impression[] = [
    { maybe: [] },
    { has: 'a1', maybe: [] },
    { maybe: ['b2', 'c3'] },
    { has: 'a1', maybe: ['b2'], refused: 'd4', said: true },
    { has: 'a1', maybe: [], said: true },
    { has: 'a1', maybe: ['b2'], open: true },
    { has: 'a1', maybe: [], said: true, unstored: 'e5' },
  ];
  const memory = new Map(all.map((impression, at) => [`c${at}`, impression]));
  expect(unpackMemory(packMemory(memory))).toEqual(memory);
  expect(packMemory(new Map([['s_name', { has: 'a1', maybe: [] }]]))).toBe('{"s_name":"a1"}');
});
