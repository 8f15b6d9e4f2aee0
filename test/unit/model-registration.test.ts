import { describe, expect, test } from 'vitest';
import { birthsOf } from '../../src/model/births.ts';
import { findTarget, type Candidate, type Claim } from '../../src/model/identity.ts';
import { existenceStamp, datesAgree, isSameRegistration, type Registered } from '../../src/model/registration.ts';
import type { Stamp } from '../../src/model/stamp.ts';
import { makeNextUid, uidOfEmail, type Uid } from '../../src/model/uid.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2024, 5, 1, 12);
/** Seen by a daemon. */
const seen = (ms: number, site = 'homes'): Stamp => ({ ms, counter: 1, site, priority: 100 });
/** Taken from a date, by a daemon that came later. */
const dated = (ms: number, site = 'cars'): Stamp => ({ ms, counter: 0, site, priority: 100 });
const registered = (born: Stamp, registeredMs: number | undefined = born.ms): Registered => ({ born, registeredMs });

describe('two registrations', () => {
  test.each([
    ['dates are equal', NOON, true],
    ['dates are some seconds apart', NOON + 4_000, true],
    ['dates are a minute apart', NOON + 60_000, false],
    ['dates are as far apart as New York and UTC', NOON - 5 * HOUR, true],
    ['dates are as far apart as Kathmandu and UTC', NOON + 5.75 * HOUR, true],
    ['dates are as far apart as no two time zones', NOON + 27 * HOUR, false],
    ['dates are a time zone and a minute apart', NOON + 2 * HOUR + 60_000, false],
  ])('where a daemon came later to one: %s', (_, otherMs, isOne) => {
    expect(isSameRegistration(registered(seen(NOON)), registered(dated(otherMs)))).toBe(isOne);
    expect(isSameRegistration(registered(dated(otherMs)), registered(seen(NOON)))).toBe(isOne);
  });

  test('that daemons saw are one only if they were seen at once, whatever the dates', () => {
    expect(isSameRegistration(registered(seen(NOON)), registered(seen(NOON)))).toBe(true);
    expect(isSameRegistration(registered(seen(NOON), NOON), registered(seen(NOON + 1), NOON))).toBe(false);
  });

  test('without dates are one if their births are some seconds apart, and known', () => {
    expect(isSameRegistration(registered(seen(NOON), undefined), { born: dated(NOON - 900), registeredMs: NOON })).toBe(
      true,
    );
    const nobodyKnows = { born: dated(0), registeredMs: undefined };
    expect(isSameRegistration(nobodyKnows, nobodyKnows)).toBe(false);
    expect(datesAgree(nobodyKnows, registered(seen(NOON)))).toBeUndefined();
  });

  test('that are one have the birth that was seen; of two the later one counts', () => {
    expect(existenceStamp(registered(dated(NOON + 5 * HOUR)), registered(seen(NOON)))).toEqual(seen(NOON));
    expect(existenceStamp(registered(dated(NOON + 60_000)), registered(seen(NOON)))).toEqual(dated(NOON + 60_000));
    expect(existenceStamp(registered(seen(NOON)), registered(seen(NOON + 1)))).toEqual(seen(NOON + 1));
  });
});

describe('a record of a site that was installed again', () => {
  const [ana0, ana1] = [0, 1].map((incarnation) => uidOfEmail('ana@x', incarnation)) as [Uid, Uid];
  const bob0 = uidOfEmail('bob@x');
  const nextUid = makeNextUid(
    (uid) => uid === ana1,
    () => uidOfEmail('random@x'),
  );
  const claimOf = (email: string, uids: Uid[], of: Registered, since = of.born): Claim => ({
    email,
    uids,
    emailSince: since,
    births: birthsOf(of.born),
    ...of,
  });
  const accountOf = (userId: number, ...of: Parameters<typeof claimOf>): Candidate => ({ userId, ...claimOf(...of) });
  const holder = accountOf(7, 'ana@x', [ana1], registered(seen(NOON), NOON));
  const again = claimOf('ana@x', [ana0], registered(dated(NOON)));

  test('is about who has the address and was registered at the same time, and the uids are linked', () => {
    expect(findTarget(again, [], holder, new Map(), nextUid)).toEqual({
      kind: 'existing',
      userId: 7,
      uids: [ana1, ana0],
      partings: [],
      joined: [],
      rivals: [],
    });
  });

  test('is not about who has the address and was registered at another time', () => {
    const earlier = claimOf('ana@x', [ana0], registered(dated(NOON - 100_000)));
    expect(findTarget(earlier, [], holder, new Map(), nextUid)).toMatchObject({ kind: 'taken', userId: 7 });
  });

  test('is not about an earlier holder that was removed, even if its date seems to be before the removal', () => {
    const removed = new Map([[ana0, { main: ana0, stamp: seen(NOON - HOUR), births: undefined, emailHash: null }]]);
    const west = claimOf('ana@x', [ana0], registered(dated(NOON - 5 * HOUR)));
    for (const claim of [again, west]) {
      const target = findTarget(claim, [], holder, removed, nextUid);
      expect(target).toMatchObject({ kind: 'existing', userId: 7, uids: [ana1] });
    }
  });

  test('is about the removed one if a daemon saw it, or if nobody here is its like', () => {
    const removed = new Map([[ana0, { main: ana0, stamp: seen(NOON - HOUR), births: undefined, emailHash: null }]]);
    const late = claimOf('ana@x', [ana0], registered(seen(NOON - 2 * HOUR)));
    expect(findTarget(late, [], holder, removed, nextUid).kind).toBe('removed');
    const earlier = claimOf('ana@x', [ana0], registered(dated(NOON - 2 * HOUR - 60_000)));
    expect(findTarget(earlier, [], holder, removed, nextUid).kind).toBe('removed');
    const west = claimOf('ana@x', [ana0], registered(dated(NOON - 5 * HOUR)));
    expect(findTarget(west, [], undefined, removed, nextUid).kind).toBe('removed');
  });

  test('is not about the account that gave the address up, though that has the uid, and takes nothing from it', () => {
    const left = accountOf(1, 'bob@x', [ana0], registered(seen(NOON - 90 * HOUR)), seen(NOON - HOUR));
    // Its date says that it was there before the other left.
    const west = claimOf('ana@x', [ana0], registered(dated(NOON - 5 * HOUR)));
    expect(findTarget(west, [left], holder, new Map(), nextUid)).toEqual({
      kind: 'existing',
      userId: 7,
      uids: [ana1],
      partings: [],
      joined: [],
      rivals: [1],
    });
  });

  test('of the account that moved leaves the uid with it, and nothing of who took its address goes over', () => {
    const newcomer = accountOf(2, 'ana@x', [ana0], registered(dated(NOON - 5 * HOUR)));
    const mover = accountOf(1, 'bob@x', [bob0], registered(dated(NOON - 90 * HOUR)));
    const record = claimOf('bob@x', [ana0, bob0], registered(seen(NOON - 90 * HOUR)), seen(NOON - HOUR));
    expect(findTarget(record, [mover, newcomer], mover, new Map(), nextUid)).toMatchObject({
      kind: 'existing',
      userId: 1,
      uids: [bob0, ana0],
      joined: [],
      partings: [{ userId: 2 }],
    });
  });

  test('is held back while the account here should have another address', () => {
    const contested = { isContested: true };
    expect(findTarget(again, [], holder, new Map(), nextUid, contested)).toMatchObject({ kind: 'taken', userId: 7 });
  });
});
