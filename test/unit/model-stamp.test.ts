import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  adoptionStamp,
  compareStamps,
  formatStamp,
  isAdoption,
  MAX_COUNTER,
  MAX_MS,
  nextStamp,
  parseStamp,
  STAMP_PATTERN,
  type Origin,
  type Stamp,
} from '../../src/model/stamp.ts';

const origins: fc.Arbitrary<Origin> = fc.record({
  site: fc.constantFrom('cars', 'homes', 'jobs', 'a'.repeat(32)),
  priority: fc.constantFrom(0, 1, 100, MAX_COUNTER),
});
const stamps: fc.Arbitrary<Stamp> = fc
  .tuple(origins, fc.constantFrom(0, 1, 1000, 1001, MAX_MS), fc.constantFrom(0, 1, 2, MAX_COUNTER))
  .map(([origin, ms, counter]) => ({ ...origin, ms, counter }));
const cars: Origin = { site: 'cars', priority: 100 };

test('stamps are in one order, the same from both sides', () => {
  fc.assert(
    fc.property(stamps, stamps, stamps, (a, b, c) => {
      expect(Math.sign(compareStamps(a, b))).toBe(-Math.sign(compareStamps(b, a)) + 0);
      expect(compareStamps(a, b) === 0).toBe(formatStamp(a) === formatStamp(b));
      const [low, middle, high] = [a, b, c].toSorted(compareStamps) as [Stamp, Stamp, Stamp];
      expect(
        [compareStamps(low, middle), compareStamps(middle, high), compareStamps(low, high)].every((n) => n <= 0),
      ).toBe(true);
    }),
  );
});

test('the later time wins, then the higher counter, then the smaller priority, then the smaller name', () => {
  const stamp: Stamp = { ms: 5, counter: 1, site: 'homes', priority: 100 };
  expect(compareStamps({ ...stamp, ms: 6, counter: 0 }, stamp)).toBeGreaterThan(0);
  expect(compareStamps({ ...stamp, counter: 2, priority: 200 }, stamp)).toBeGreaterThan(0);
  expect(compareStamps({ ...stamp, site: 'jobs', priority: 99 }, stamp)).toBeGreaterThan(0);
  expect(compareStamps({ ...stamp, site: 'cars' }, stamp)).toBeGreaterThan(0);
});

test('a stamp survives its text form', () => {
  fc.assert(
    fc.property(stamps, (stamp) => {
      expect(parseStamp(formatStamp(stamp))).toEqual(stamp);
      expect(formatStamp(stamp)).toMatch(new RegExp(STAMP_PATTERN));
    }),
  );
});

test('what is no stamp, or out of range, is not read', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const stamp = parseStamp(text);
      const plain = text.replaceAll(/(^|-)0+(?=\d)/g, '$1');
      expect(stamp === undefined ? plain : formatStamp(stamp)).toBe(plain);
    }),
  );
  for (const text of [
    '',
    '1-1-1-',
    '1-1-1-CARS',
    '1-1-1-cars ',
    ' 1-1-1-cars',
    '-1-1-1-cars',
    '1.5-1-1-cars',
    '1-65536-1-cars',
    '1-1-65536-cars',
    `${MAX_MS + 1}-1-1-cars`,
    `1-1-1-${'a'.repeat(33)}`,
  ]) {
    expect(parseStamp(text), text).toBeUndefined();
  }
});

test('a change beats what the site knew of the register, and keeps the time at which it was made', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2_000 }),
      fc.option(stamps, { nil: undefined }),
      origins,
      (ms, before, origin) => {
        fc.pre(before === undefined || before.ms < MAX_MS);
        const stamp = nextStamp(ms, before, origin);
        expect(stamp).toMatchObject(origin);
        expect(isAdoption(stamp)).toBe(false);
        const isAtMarker = stamp.ms === ms && stamp.counter === 1;
        expect(before === undefined || before.ms < ms ? isAtMarker : compareStamps(stamp, before) > 0).toBe(true);
        expect(parseStamp(formatStamp(stamp))).toEqual(stamp);
      },
    ),
  );
});

test('a counter that is used up moves the time on', () => {
  const before: Stamp = { ms: 7, counter: MAX_COUNTER, ...cars };
  expect(nextStamp(3, before, cars)).toEqual({ ms: 8, counter: 1, ...cars });
});

test('an adoption stamp is below every change of the same time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_MS - 1 }), origins, origins, (ms, adopter, changer) => {
      const adopted = adoptionStamp(ms, adopter);
      expect(isAdoption(adopted)).toBe(true);
      expect(compareStamps(nextStamp(ms, undefined, changer), adopted)).toBeGreaterThan(0);
      expect(compareStamps(nextStamp(0, adopted, changer), adopted)).toBeGreaterThan(0);
    }),
  );
});

test('times outside of what a stamp can hold are brought inside', () => {
  expect(adoptionStamp(-5, cars).ms).toBe(0);
  expect(adoptionStamp(1.9, cars).ms).toBe(1);
  expect(adoptionStamp(MAX_MS * 2, cars).ms).toBe(MAX_MS);
  expect(nextStamp(MAX_MS * 2, undefined, cars).ms).toBe(MAX_MS);
});
