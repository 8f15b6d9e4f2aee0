import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  areOfOneMoment,
  arePartedBirths,
  type Births,
  birthsOf,
  concerns,
  formatBirths,
  hasGivenWay,
  haveMet,
  haveMetInLostOnly,
  isBehind,
  isSameBirths,
  overruleBirths,
  parseBirth,
  parseBirths,
  partBirths,
  takenOverMs,
  takeOverBirths,
  uniteBirths,
  withoutParted,
} from '../../src/model/births.ts';

const seen = (ms: number, site: string): Births => birthsOf({ ms, counter: 1, site, priority: 100 });
const dated = (ms: number, site: string): Births => birthsOf({ ms, counter: 0, site, priority: 100 });
const [ana, squatter, other] = [seen(1_000, 'cars'), seen(900_000, 'homes'), seen(5_000_000, 'jobs')];

test('a birth tells when and where it was, with the id of the account and without', () => {
  const stamp = { ms: 1_000, counter: 1, site: 'cars', priority: 100 };
  for (const births of [birthsOf(stamp), birthsOf(stamp, 7)]) expect([...births.live].map(parseBirth)).toEqual([stamp]);
  expect(parseBirth('cars/7')).toBeUndefined();
});

describe('two accounts', () => {
  test('have met if they have a birth in common', () => {
    expect(haveMet(ana, squatter)).toBe(false);
    expect(haveMet(ana, ana)).toBe(true);
    expect(haveMet(uniteBirths(ana, squatter), squatter)).toBe(true);
    expect(haveMet(uniteBirths(ana, squatter), other)).toBe(false);
  });

  test('that were registered in one moment on one site are two, and who tells the moment alone may mean either', () => {
    const [first, second] = [1, 2].map((id) => birthsOf({ ms: 1_000, counter: 0, site: 'cars', priority: 100 }, id));
    const untold = dated(1_000, 'cars');
    if (first === undefined || second === undefined) throw new Error('two births');
    expect(haveMet(first, second)).toBe(false);
    expect(haveMet(first, untold)).toBe(true);
    expect(haveMet(second, untold)).toBe(true);
    expect(isSameBirths(uniteBirths(untold, first), first)).toBe(true);
    expect(isSameBirths(uniteBirths(first, untold), first)).toBe(true);
    expect(isBehind(untold, overruleBirths(other, first))).toBe(true);
  });

  test('may be one if a site that was installed again found one of them by the date of the same registration', () => {
    expect(areOfOneMoment(dated(1_000_000, 'homes'), seen(1_000_700, 'cars'))).toBe(true);
    expect(areOfOneMoment(dated(1_000_000, 'homes'), seen(1_003_000, 'cars'))).toBe(false);
    expect(areOfOneMoment(seen(1_000_000, 'homes'), seen(1_000_700, 'cars'))).toBe(false);
    expect(areOfOneMoment(dated(0, 'homes'), dated(0, 'cars'))).toBe(false);
  });
});

describe('an account that gave way to that of the owner', () => {
  const owners = overruleBirths(ana, squatter);

  test('is behind, wherever there is a copy of it', () => {
    expect(isBehind(squatter, owners)).toBe(true);
    expect(isBehind(owners, squatter)).toBe(false);
    expect(isBehind(ana, owners)).toBe(false);
    expect(haveMet(squatter, owners)).toBe(true);
  });

  test('does not take the owner along when it is removed, and goes when the owner removes the account', () => {
    expect(concerns(squatter, owners)).toBe(false);
    expect(concerns(owners, squatter)).toBe(true);
    expect(concerns(ana, owners)).toBe(true);
    expect(concerns(other, owners)).toBe(false);
  });
});

describe('an account that a person said to be another', () => {
  const both = uniteBirths(ana, other);
  const parted = partBirths(both, { ms: 9_000_000, counter: 1, site: 'cars', priority: 100 });

  test('has met nobody, and is apart from whoever it was taken for, wherever there is a copy of either', () => {
    expect(haveMet(parted, both)).toBe(false);
    for (const one of [both, ana, other]) {
      expect(arePartedBirths(parted, one)).toBe(true);
      expect(arePartedBirths(one, parted)).toBe(true);
    }
    expect(arePartedBirths(ana, other)).toBe(false);
  });

  test('is no other any more once they are united, or it is said that it may be one of them', () => {
    const united = uniteBirths(parted, both);
    expect(united.parted.size).toBe(0);
    expect(arePartedBirths(united, ana)).toBe(false);
    expect(arePartedBirths(withoutParted(parted), ana)).toBe(false);
    expect(isSameBirths(uniteBirths(united, parted), united)).toBe(true);
  });
});

describe('an account whose owner set a password by mail', () => {
  const owners = takeOverBirths({ ms: 950_000, counter: 7, site: 'homes', priority: 100 }, squatter);

  test('is the same account still, and whatever knows nothing of that is behind', () => {
    expect(isBehind(squatter, owners)).toBe(true);
    expect(isBehind(owners, squatter)).toBe(false);
    expect(hasGivenWay(squatter, owners)).toBe(false);
    expect(hasGivenWay(squatter, overruleBirths(ana, squatter))).toBe(true);
  });

  test('says when that was to whoever does not know', () => {
    const registered = birthsOf({ ms: 900_000, counter: 1, site: 'homes', priority: 100 }, 3);
    const taken = takeOverBirths({ ms: 950_000, counter: 7, site: 'jobs', priority: 100 }, registered);
    expect(takenOverMs(registered, taken)).toBe(950_000);
    expect(takenOverMs(taken, taken)).toBe(0);
    expect(
      takenOverMs(registered, uniteBirths(taken, birthsOf({ ms: 960_000, counter: 1, site: 'cars', priority: 1 }, 4))),
    ).toBe(950_000);
    expect(
      takenOverMs(
        registered,
        overruleBirths(taken, birthsOf({ ms: 800_000, counter: 1, site: 'cars', priority: 1 }, 4)),
      ),
    ).toBe(950_000);
    expect(takenOverMs(registered, overruleBirths(ana, registered))).toBe(0);
  });

  test('gives way where another of its address is proved, wherever the two are united', () => {
    const winners = overruleBirths(ana, squatter);
    for (const both of [uniteBirths(winners, owners), uniteBirths(owners, winners)]) {
      expect(hasGivenWay(squatter, both)).toBe(true);
      expect(isBehind(winners, both)).toBe(false);
    }
  });
});

test('an account that its owner took over, and one that the same gave way to elsewhere, meet only now', () => {
  const taken = takeOverBirths({ ms: 950_000, counter: 7, site: 'homes', priority: 100 }, squatter);
  const winners = overruleBirths(ana, squatter);
  for (const [one, two] of [[taken, winners] as const, [winners, taken] as const]) {
    expect(haveMet(one, two)).toBe(true);
    expect(haveMetInLostOnly(one, two)).toBe(true);
    expect(haveMetInLostOnly(one, uniteBirths(one, two))).toBe(false);
  }
  expect(haveMetInLostOnly(taken, squatter)).toBe(false);
  expect(haveMetInLostOnly(winners, ana)).toBe(false);
});

test('births that gave way are of another account: a common moment with them says nothing', () => {
  const owners = overruleBirths(ana, dated(1_000_000, 'homes'));
  expect(areOfOneMoment(owners, seen(1_000_700, 'jobs'))).toBe(false);
});

test('uniting is idempotent, commutative and associative, and births come out of their text as they went in', () => {
  const stamp = fc.constantFrom('1-1-100-cars', '2-1-100-homes', '3-0-1-jobs', '4-7-100-pets');
  const some = fc.tuple(fc.uniqueArray(stamp), fc.uniqueArray(stamp), fc.uniqueArray(stamp));
  const births = some.map(([live, overruled, parted]): Births => ({
    live: new Set(live),
    overruled: new Set(overruled),
    parted: new Set(parted.filter((birth) => !live.includes(birth) && !overruled.includes(birth))),
  }));
  fc.assert(
    fc.property(births, births, births, (a, b, c) => {
      expect(isSameBirths(uniteBirths(a, a), a)).toBe(true);
      expect(isSameBirths(uniteBirths(a, b), uniteBirths(b, a))).toBe(true);
      expect(isSameBirths(uniteBirths(uniteBirths(a, b), c), uniteBirths(a, uniteBirths(b, c)))).toBe(true);
      expect(isSameBirths(parseBirths(formatBirths(a)), a)).toBe(true);
    }),
  );
});
