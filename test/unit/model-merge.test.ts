import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeRegisters, type RemoteRegister } from '../../src/model/merge.ts';
import { hashValues, type RegisterName } from '../../src/model/register.ts';
import type { RegisterState } from '../../src/model/shadow.ts';
import { compareStamps, type Stamp } from '../../src/model/stamp.ts';

/** What a site holds: values under stamps. */
type State = ReadonlyMap<RegisterName, RemoteRegister>;

const stamps: fc.Arbitrary<Stamp> = fc.record({
  ms: fc.integer({ min: 0, max: 3 }),
  counter: fc.integer({ min: 0, max: 2 }),
  site: fc.constantFrom('cars', 'homes'),
  priority: fc.constant(100),
});
const states: fc.Arbitrary<State> = fc
  .dictionary(
    fc.constantFrom('s_name', 'password', 'user_description:es_ES'),
    fc.record({ stamp: stamps, values: fc.record({ v: fc.constantFrom('a', 'b', null) }) }),
  )
  .map((entries) => new Map(Object.entries(entries)));

function shadowOf(state: State): Map<RegisterName, RegisterState> {
  return new Map(
    [...state].map(([register, { values, ...rest }]) => [register, { ...rest, hash: hashValues(values) }]),
  );
}

const always = (): boolean => true;

function merge(ours: State, theirs: State): State {
  const { take } = mergeRegisters(shadowOf(ours), theirs, always);
  return new Map([...ours, ...take.map((register) => [register, theirs.get(register) as RemoteRegister] as const)]);
}

const show = (state: State): unknown => [...state].toSorted(([a], [b]) => (a < b ? -1 : 1));

test('merging is idempotent, commutative and associative', () => {
  fc.assert(
    fc.property(states, states, states, (a, b, c) => {
      expect(show(merge(a, a))).toEqual(show(a));
      expect(show(merge(merge(a, b), b))).toEqual(show(merge(a, b)));
      expect(show(merge(a, b))).toEqual(show(merge(b, a)));
      expect(show(merge(merge(a, b), c))).toEqual(show(merge(a, merge(b, c))));
    }),
    { numRuns: 1000 },
  );
});

test('the higher stamp wins and nothing else decides', () => {
  fc.assert(
    fc.property(states, states, (ours, theirs) => {
      const { take, newerHere } = mergeRegisters(shadowOf(ours), theirs, always);
      const orderOf = (register: RegisterName): number => {
        const mine = ours.get(register)?.stamp;
        return mine === undefined ? 1 : compareStamps((theirs.get(register) as RemoteRegister).stamp, mine);
      };
      expect(take).toEqual(expect.arrayContaining([...theirs.keys()].filter((register) => orderOf(register) > 0)));
      expect(newerHere).toEqual(expect.arrayContaining([...theirs.keys()].filter((register) => orderOf(register) < 0)));
    }),
  );
});

const at = (ms: number, site = 'cars', counter = 1): Stamp => ({ ms, counter, site, priority: 100 });

function conflictsOf(ours: RemoteRegister, theirs: RemoteRegister): unknown[] {
  return mergeRegisters(shadowOf(new Map([['s_name', ours]])), new Map([['s_name', theirs]]), always).conflicts;
}

test('a change made with knowledge of the other value is no conflict', () => {
  const first = { stamp: at(1), values: { v: 'a' } };
  const second = { stamp: at(2, 'homes'), prior: at(1), values: { v: 'b' } };
  expect(conflictsOf(first, second)).toEqual([]);
  expect(conflictsOf(second, first)).toEqual([]);
});

test('both changed since they last agreed: that is a conflict, told with winner and loser', () => {
  const ours = { stamp: at(2), prior: at(1), values: { v: 'a' } };
  const theirs = { stamp: at(3, 'homes'), prior: at(1), values: { v: 'b' } };
  const told = { register: 's_name', winner: theirs.stamp, loser: ours.stamp };
  expect(conflictsOf(ours, theirs)).toEqual([{ ...told, remoteWon: true }]);
  expect(conflictsOf(theirs, ours)).toEqual([{ ...told, remoteWon: false }]);
});

test('both changed to the same value: no conflict', () => {
  const ours = { stamp: at(2), prior: at(1), values: { v: 'a' } };
  const theirs = { stamp: at(3, 'homes'), prior: at(1), values: { v: 'a' } };
  expect(conflictsOf(ours, theirs)).toEqual([]);
});

test('what a baseline found is no change, so no conflict', () => {
  const found = { stamp: at(5, 'homes', 0), values: { v: 'a' } };
  const changed = { stamp: at(2), prior: at(1), values: { v: 'b' } };
  expect(conflictsOf(found, changed)).toEqual([]);
  expect(conflictsOf(changed, found)).toEqual([]);
});

test('of equal stamps with different values the same value wins on both sides, and is told of', () => {
  const a = new Map([['s_name', { stamp: at(1), values: { v: 'a' } }]]);
  const b = new Map([['s_name', { stamp: at(1), values: { v: 'b' } }]]);
  expect(show(merge(a, b))).toEqual(show(merge(b, a)));
  const tied = [mergeRegisters(shadowOf(a), b, always), mergeRegisters(shadowOf(b), a, always)].map((one) => one.tied);
  expect(tied.flat()).toEqual(['s_name']);
});

test('equal stamps are not looked into where the columns differ, or what is stored is less than what was sent', () => {
  const ours = shadowOf(new Map([['address', { stamp: at(1), values: { s_city: 'x', s_zip: '1' } }]]));
  const theirs = new Map([['address', { stamp: at(1), values: { s_city: 'x' } }]]);
  const nothing = { take: [], newerHere: [], tied: [], conflicts: [] };
  expect(mergeRegisters(ours, theirs, () => false)).toEqual(nothing);
  const altered = new Map([...ours].map(([name, state]) => [name, { ...state, altered: true as const }]));
  expect(mergeRegisters(altered, theirs, always)).toEqual(nothing);
});
