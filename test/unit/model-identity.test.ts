import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findTarget, planRemoval, type Candidate, type Claim, type Target } from '../../src/model/identity.ts';
import { birthsOf } from '../../src/model/births.ts';
import type { Stamp } from '../../src/model/stamp.ts';
import { makeNextUid, uidOfEmail, type Uid } from '../../src/model/uid.ts';

const at = (ms: number, site = 'homes'): Stamp => ({ ms, counter: 1, site, priority: 100 });
const nextUid = makeNextUid(
  () => false,
  () => uidOfEmail('random@x'),
);
const [ana, bob, eve] = ['ana@x', 'bob@x', 'eve@x'].map((email) => uidOfEmail(email)) as [Uid, Uid, Uid];

const account = (userId: number, email: string, uids: readonly Uid[], since = 1, born = 1): Candidate => ({
  userId,
  email,
  uids,
  emailSince: at(since),
  born: at(born),
  births: birthsOf(at(born)),
  registeredMs: undefined,
});
const claim = (email: string, uids: readonly Uid[], since = 1, born = 1): Claim => ({
  email,
  uids,
  emailSince: at(since, 'cars'),
  born: at(born, 'cars'),
  births: birthsOf(at(born, 'cars')),
  registeredMs: undefined,
});

interface Here {
  readonly named?: readonly Candidate[];
  readonly holder?: Candidate;
  readonly dead?: readonly (readonly [Uid, number])[];
  readonly isPresent?: boolean;
  readonly isContested?: boolean;
}

function target(of: Claim, { named = [], holder, dead = [], ...known }: Here = {}): Target {
  return findTarget(
    of,
    named,
    holder,
    new Map(dead.map(([uid, ms]) => [uid, { main: uid, stamp: at(ms), births: undefined, emailHash: null }])),
    nextUid,
    known,
  );
}

const uidsOf = (found: Target): readonly Uid[] => ('uids' in found ? found.uids : []);
const userOf = (found: Target): number | undefined => ('userId' in found ? found.userId : undefined);

describe('a record of a living user', () => {
  test('that nobody here is, is a new account under its own uids', () => {
    expect(target(claim('ana@x', [ana, bob]))).toMatchObject({ kind: 'new', uids: [ana, bob], partings: [] });
  });

  test('is about the account that its uid names, whatever address that has', () => {
    const here = account(7, 'old@x', [ana], 3);
    expect(target(claim('ana@x', [ana], 9), { named: [here] })).toMatchObject({
      kind: 'existing',
      userId: 7,
      uids: [ana],
    });
  });

  test('is about whoever has the address, and both get all the uids', () => {
    const holder = account(7, 'ANA@x', [bob]);
    expect(target(claim('ana@x', [eve]), { holder })).toMatchObject({ kind: 'existing', userId: 7, uids: [bob, eve] });
  });

  test('is not about whoever has an address that only looks the same to the collation', () => {
    expect(target(claim('josé@x', [eve]), { holder: account(7, 'jose@x', [bob]) })).toMatchObject({
      kind: 'taken',
      userId: 7,
    });
  });

  test('is not about another incarnation of the address, unless the record tells of now', () => {
    const holder = account(7, 'ana@x', [uidOfEmail('ana@x', 1)]);
    expect(target(claim('ana@x', [ana]), { holder })).toMatchObject({ kind: 'taken', userId: 7 });
    expect(target(claim('ana@x', [ana]), { holder, isPresent: true })).toMatchObject({ kind: 'existing', userId: 7 });
  });

  test('is not about an account that should have another address by now', () => {
    const holder = account(7, 'ana@x', [bob]);
    for (const isPresent of [false, true]) {
      expect(target(claim('ana@x', [eve]), { holder, isContested: true, isPresent })).toMatchObject({
        kind: 'taken',
        userId: 7,
      });
    }
  });

  test('is about an account that stayed here after its removal, if that has the address', () => {
    expect(target(claim('ana@x', [ana]), { holder: account(7, 'ana@x', []) })).toMatchObject({
      userId: 7,
      uids: [ana],
    });
  });
});

describe('a record that names two accounts of this site', () => {
  const older = account(1, 'ana@x', [ana], 1);
  const newer = account(2, 'bob@x', [bob], 5);

  test('is about the one with its address; the other parts from the uids and goes on under the next of its address', () => {
    expect(target(claim('bob@x', [ana, bob], 5), { named: [older, newer] })).toEqual({
      kind: 'existing',
      userId: 2,
      uids: [bob, ana],
      partings: [{ userId: 1, uids: [uidOfEmail('ana@x', 1)] }],
      joined: [1],
      rivals: [],
    });
  });

  test('is about the one that came to its address last, if that was after the record', () => {
    const found = target(claim('ana@x', [ana, bob], 1), { named: [older, newer] });
    expect(found).toMatchObject({ userId: 2, partings: [{ userId: 1 }] });
  });

  test('comes to the same in whatever order they are found', () => {
    const uids = fc.uniqueArray(fc.constantFrom(ana, bob, eve), { minLength: 1 });
    const accounts = fc.uniqueArray(
      fc.tuple(fc.constantFrom('ana@x', 'bob@x', 'eve@x'), uids, fc.integer({ min: 0, max: 3 })),
      { minLength: 2, maxLength: 3, selector: ([email]) => email },
    );
    fc.assert(
      fc.property(
        accounts,
        fc.constantFrom('ana@x', 'bob@x', 'new@x'),
        fc.integer({ min: 0, max: 3 }),
        (list, email, ms) => {
          const named = list.map(([address, own, since], index) => account(index + 1, address, own, since, 0));
          const record = claim(email, [ana, bob, eve], ms, 0);
          const found = target(record, { named });
          const turned = target(record, { named: named.toReversed() });
          expect(turned).toMatchObject({ kind: 'existing', userId: userOf(found) });
          expect(new Set(uidsOf(turned))).toEqual(new Set(uidsOf(found)));
        },
      ),
    );
  });

  test('leaves no account without a uid, and no uid with two accounts', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([ana, bob, eve], { minLength: 1 }), (uids) => {
        const named = [older, newer, account(3, 'eve@x', [eve], 2)].filter(({ uids: own }) =>
          own.some((uid) => uids.includes(uid)),
        );
        const found = target(claim('zoe@x', uids, 9), { named });
        const partings = 'partings' in found ? found.partings : [];
        const all = [...uidsOf(found), ...partings.flatMap((parting) => parting.uids)];
        expect(partings.every((parting) => parting.uids.length > 0)).toBe(true);
        expect(new Set(all).size).toBe(all.length);
        expect(partings).toHaveLength(named.length - 1);
      }),
    );
  });
});

describe('two registrations of one address, one after the other', () => {
  // Ana registered at 1 and left for eve@x at 5; elsewhere somebody registered ana@x at 9 and got the same uid.
  const left = account(1, 'eve@x', [ana], 5, 1);
  const later = claim('ana@x', [ana], 9, 9);

  test('are two accounts: the later one gets the next uid, and its site is told', () => {
    expect(target(later, { named: [left] })).toEqual({
      kind: 'new',
      uids: [uidOfEmail('ana@x', 1)],
      partings: [],
      rivals: [1],
    });
  });

  test('are two accounts on the other site too: there the later one parts', () => {
    const here = account(2, 'ana@x', [ana], 9, 9);
    expect(target(claim('eve@x', [ana], 5, 1), { named: [here] })).toEqual({
      kind: 'new',
      uids: [ana],
      partings: [{ userId: 2, uids: [uidOfEmail('ana@x', 1)] }],
      rivals: [],
    });
  });

  test('are one if the second was made before the first had left', () => {
    expect(target(claim('ana@x', [ana], 4, 4), { named: [left] })).toMatchObject({ kind: 'existing', userId: 1 });
  });
});

describe('a record of a user that was removed', () => {
  test('is dead if the removal is not older than the account', () => {
    expect(target(claim('ana@x', [ana, bob], 9, 4), { dead: [[ana, 5]] })).toMatchObject({
      kind: 'removed',
      uids: [ana, bob],
    });
    expect(target(claim('ana@x', [ana], 9, 5), { dead: [[ana, 7]], named: [account(1, 'ana@x', [ana])] }).kind).toBe(
      'removed',
    );
  });

  test('lives if the account came to be after it, without the removed uids', () => {
    expect(target(claim('ana@x', [ana, bob], 9, 9), { dead: [[ana, 5]] })).toMatchObject({ kind: 'new', uids: [bob] });
    expect(target(claim('ana@x', [ana], 9, 9), { dead: [[ana, 5]] })).toMatchObject({ uids: [uidOfEmail('ana@x', 1)] });
  });
});

describe('a removal', () => {
  const isRemoved = (email: string): boolean => email === 'ana@x';
  const plan = (uids: readonly Uid[], named: readonly Candidate[], ms = 5): ReturnType<typeof planRemoval> =>
    planRemoval({ uids, stamp: at(ms), births: undefined, emailHash: null }, named, isRemoved, nextUid);

  test('removes the account it names, whatever address that has by now', () => {
    expect(plan([bob], [account(1, 'other@x', [bob])])).toEqual({ remove: [1], partings: [] });
  });

  test('spares an account that came to be after it, under the next uid', () => {
    expect(plan([ana], [account(1, 'ana@x', [ana], 9, 9)])).toEqual({
      remove: [],
      partings: [{ userId: 1, uids: [uidOfEmail('ana@x', 1)] }],
    });
  });

  test('of several accounts removes the one with the removed address; the others part from it', () => {
    const accounts = [account(1, 'bob@x', [bob, eve]), account(2, 'ana@x', [ana])];
    expect(plan([ana, bob], accounts)).toEqual({ remove: [2], partings: [{ userId: 1, uids: [eve] }] });
  });

  test('of several accounts of which none has the removed address removes all', () => {
    expect(plan([bob, eve], [account(1, 'bob@x', [bob]), account(2, 'eve@x', [eve])]).remove).toEqual([1, 2]);
  });

  test('of nobody here removes nobody', () => {
    expect(plan([ana], [])).toEqual({ remove: [], partings: [] });
  });
});
