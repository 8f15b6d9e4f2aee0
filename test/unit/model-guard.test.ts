import { describe, expect, test } from 'vitest';
import {
  CHANGE,
  allowance,
  changeOfStatus,
  changesOf,
  GUARD_CLASSES,
  sentChanges,
  usersThatMatter,
  weightOf,
} from '../../src/model/guard.ts';
import { hashValues } from '../../src/model/register.ts';
import { DEFAULT_GUARD } from '../support/guard.ts';

describe('what passes the guard', () => {
  test.each([
    [0, 3, 3, 3, 500],
    [20, 3, 3, 3, 500],
    [60, 6, 6, 6, 500],
    [300, 20, 10, 20, 500],
    [1_000, 50, 10, 50, 500],
    [10_000, 500, 100, 500, 2_000],
    [1_000_000, 50_000, 10_000, 50_000, 200_000],
  ])('on a site of %i users, where the config says nothing of it', (users, ...passes) => {
    expect(GUARD_CLASSES.map((name) => allowance(DEFAULT_GUARD, name, users))).toEqual(passes);
  });

  test('is the larger of the number and the share of the config, on a small site too', () => {
    const limits = { ...DEFAULT_GUARD, removals: 100, percent: 2, credentials: { number: 0, percent: 0 } };
    expect([0, 60, 10_000].map((users) => allowance(limits, 'removals', users))).toEqual([100, 100, 200]);
    expect([0, 60, 10_000].map((users) => allowance(limits, 'credentials', users))).toEqual([0, 0, 0]);
  });

  test('does not depend on users beyond those that matter', () => {
    const seed = 7;
    let state = seed;
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    for (let n = 0; n < 2_000; n++) {
      const percent = random(4) === 0 ? 0 : random(1000) / 10;
      const limits = { ...DEFAULT_GUARD, revivals: { number: random(2) === 0 ? null : random(300), percent } };
      const [amount, users] = [1 + random(500), random(100_000)];
      const counted = Math.min(users, usersThatMatter(limits, 'revivals', amount));
      const passes = (all: number): boolean => amount <= allowance(limits, 'revivals', all);
      expect({ seed, n, passes: passes(counted) }).toEqual({ seed, n, passes: passes(users) });
    }
  });
});

describe('what the guard counts', () => {
  test('both password and address of one account count five times', () => {
    expect(weightOf('credentials', CHANGE.password)).toBe(1);
    expect(weightOf('credentials', CHANGE.address)).toBe(1);
    expect(weightOf('credentials', CHANGE.password | CHANGE.address | CHANGE.removal)).toBe(5);
    expect(weightOf('removals', CHANGE.removal)).toBe(1);
    expect(weightOf('removals', CHANGE.password)).toBe(0);
  });

  test.each([
    ['11', '01', CHANGE.removal],
    ['11', '10', CHANGE.removal],
    ['11', '11', 0],
    ['01', '11', CHANGE.revival],
    ['10', '11', CHANGE.revival],
    ['00', '10', CHANGE.revival],
    ['10', '00', 0],
  ])('enabled and active %s → %s', (from, to, change) => {
    const statusOf = (flags: string) => ({ enabled: flags[0] === '1', active: flags[1] === '1' });
    expect(changeOfStatus(statusOf(from), statusOf(to))).toBe(change);
    const before = hashValues({ b_enabled: from[0] as string, b_active: from[1] as string });
    expect(changesOf(['status', 's_name'], before, statusOf(to))).toBe(change);
  });

  test('a status of which nobody knows what it was counts by what it is', () => {
    expect(changesOf(['status'], undefined, { enabled: true, active: false })).toBe(CHANGE.removal);
    expect(changesOf(['status'], undefined, { enabled: true, active: true })).toBe(CHANGE.revival);
    expect(changesOf(['password', 's_email'], undefined, { enabled: true, active: true })).toBe(
      CHANGE.password | CHANGE.address,
    );
  });

  test('what a peer is not sent is no change for it', () => {
    const all = CHANGE.password | CHANGE.address | CHANGE.creation;
    expect(sentChanges(all, (register) => register !== 'password')).toBe(CHANGE.address | CHANGE.creation);
  });
});
