import { describe, expect, test } from 'vitest';
import { isAhead, isFarAhead, restampShadow, restamp } from '../../src/model/clock-guard.ts';
import type { Shadow } from '../../src/model/shadow.ts';
import { nextStamp, type Origin, type Stamp } from '../../src/model/stamp.ts';

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
const cars: Origin = { site: 'cars', priority: 100 };
const homes: Origin = { site: 'homes', priority: 100 };
const at = (ms: number, origin = cars): Stamp => nextStamp(ms, undefined, origin);
const hash = '0'.repeat(16);

describe('a stamp', () => {
  test('is ahead from a minute on, and far ahead from an hour on', () => {
    const ahead = [0, 60_000, 60_001, 3_600_000, 3_600_001].map((ms) => {
      const stamp = at(NOW + ms);
      return [isAhead(stamp, NOW), isFarAhead(stamp, NOW)];
    });
    expect(ahead).toEqual([
      [false, false],
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
  });

  test('of ours that is far ahead becomes one of now; others stay', () => {
    expect(restamp(at(NOW + DAY), NOW, cars)).toEqual(at(NOW));
    for (const stamp of [at(NOW), at(NOW + 300_000), at(NOW + DAY, homes)]) {
      expect(restamp(stamp, NOW, cars)).toBe(stamp);
    }
  });
});

describe('a shadow', () => {
  const shadow: Shadow = {
    born: at(NOW - DAY),
    registers: new Map([
      ['s_name', { hash, stamp: at(NOW + DAY), prior: at(NOW - 1) }],
      ['s_website', { hash, stamp: at(NOW + DAY), prior: at(NOW + DAY - 1), altered: true as const }],
      ['password', { hash, stamp: at(NOW + DAY, homes) }],
      ['status', { hash, stamp: at(NOW - 5) }],
    ]),
  };

  test('is set back in what our clock stamped far ahead, and in nothing else', () => {
    expect(restampShadow(shadow, NOW, cars)).toEqual({
      born: shadow.born,
      registers: new Map([
        ['s_name', { hash, stamp: at(NOW), prior: at(NOW - 1) }],
        ['s_website', { hash, stamp: at(NOW), altered: true }],
        ['password', shadow.registers.get('password')],
        ['status', shadow.registers.get('status')],
      ]),
    });
  });

  test('is the same where there is nothing to set back, and set back once', () => {
    expect(restampShadow(shadow, NOW + DAY, cars)).toBe(shadow);
    const once = restampShadow({ ...shadow, born: at(NOW + DAY) }, NOW, cars);
    expect(once.born).toEqual(at(NOW));
    expect(restampShadow(once, NOW, cars)).toBe(once);
  });
});
