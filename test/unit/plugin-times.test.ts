import { describe, expect, test } from 'vitest';
import { makeZone } from '../../src/osclass/timezone.ts';
import { makePeerTimes } from '../../src/plugin/times.ts';

const DATETIME = { type: 'datetime' };
const BERLIN = makeZone('Europe/Berlin');

describe('times of a peer in New York, for a site in Berlin', () => {
  const times = makePeerTimes('America/New_York', BERLIN);

  test.each([
    ['winter', '2024-01-10 12:00:00', '2024-01-10 18:00:00'],
    ['summer', '2024-07-10 12:00:00', '2024-07-10 18:00:00'],
    ['between the two changes to summer', '2024-03-15 12:00:00', '2024-03-15 17:00:00'],
    ['the next year', '2023-12-31 20:30:00', '2024-01-01 02:30:00'],
    ['a fraction of a second', '2024-01-10 12:00:00.250', '2024-01-10 18:00:00.250'],
  ])('%s, both ways', (_what, theirs, ours) => {
    expect(times.toOurs(DATETIME, theirs)).toBe(ours);
    expect(times.toTheirs(DATETIME, ours)).toBe(theirs);
  });

  test.each(['0000-00-00 00:00:00', '9999-12-31 23:59:59', '1000-01-01 00:00:00', '2024-02-30 10:00:00', 'never', ''])(
    'what is no time stays as it is: "%s"',
    (text) => {
      expect(times.toOurs(DATETIME, text)).toBe(text);
      expect(times.toTheirs(DATETIME, text)).toBe(text);
    },
  );

  test('a local time that was skipped there counts as so long after the skip began', () => {
    expect(times.toOurs(DATETIME, '2024-03-10 02:30:00')).toBe('2024-03-10 08:30:00');
    expect(times.toTheirs(DATETIME, '2024-03-10 08:30:00')).toBe('2024-03-10 03:30:00');
  });

  test('an hour that came twice there is two hours here, and both are that hour there', () => {
    expect(times.toOurs(DATETIME, '2024-11-03 01:30:00')).toBe('2024-11-03 06:30:00');
    expect(times.toTheirs(DATETIME, '2024-11-03 06:30:00')).toBe('2024-11-03 01:30:00');
    expect(times.toTheirs(DATETIME, '2024-11-03 07:30:00')).toBe('2024-11-03 01:30:00');
  });

  test('a TIMESTAMP is UTC here', () => {
    expect(times.toOurs({ type: 'timestamp' }, '2024-01-10 12:00:00')).toBe('2024-01-10 17:00:00');
    expect(times.toTheirs({ type: 'timestamp' }, '2024-01-10 17:00:00')).toBe('2024-01-10 12:00:00');
  });

  test('text is text, whatever it looks like', () => {
    expect(times.toOurs({ type: 'varchar' }, '2024-01-10 12:00:00')).toBe('2024-01-10 12:00:00');
  });
});

test.each([
  ['the config says nothing of the peer', null, BERLIN],
  ['nobody knows our own zone', 'America/New_York', makeZone(null)],
])('nothing is converted where %s', (_why, zone, ours) => {
  const times = makePeerTimes(zone, ours);
  expect(times.toOurs(DATETIME, '2024-01-10 12:00:00')).toBe('2024-01-10 12:00:00');
  expect(times.toTheirs(DATETIME, '2024-01-10 12:00:00')).toBe('2024-01-10 12:00:00');
});
