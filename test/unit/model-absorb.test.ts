import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { absorb, descriptionValues, firstShadow, valuesOf } from '../../src/model/absorb.ts';
import {
  HASH_OF_NOTHING,
  ROW,
  descriptionRegister,
  hashValues,
  isRowHash,
  type RegisterName,
  type Values,
} from '../../src/model/register.ts';
import type { Shadow } from '../../src/model/shadow.ts';
import { adoptionStamp, compareStamps, isAdoption, nextStamp, type Origin, type Stamp } from '../../src/model/stamp.ts';

const cars: Origin = { site: 'cars', priority: 100 };
const spanish = descriptionRegister('es_ES');
const adopted: Stamp = adoptionStamp(1_000, cars);

const hosts: fc.Arbitrary<Map<RegisterName, Values>> = fc
  .record({
    s_name: fc.constantFrom({ s_name: 'Ana' }, { s_name: 'Ann' }),
    address: fc.constantFrom({ s_city: null, s_zip: null }, { s_city: 'Lugo', s_zip: '27001' }),
    text: fc.constantFrom(undefined, null, 'hola', 'adiós'),
  })
  .map(({ text, ...registers }) => {
    const host = new Map<RegisterName, Values>(Object.entries(registers));
    return text === undefined ? host : host.set(spanish, descriptionValues(text));
  });

const host = (name: string, text?: string | null): Map<RegisterName, Values> => {
  const found = new Map<RegisterName, Values>([['s_name', { s_name: name }]]);
  return text === undefined ? found : found.set(spanish, descriptionValues(text));
};

const look = (before: Shadow, found: Map<RegisterName, Values>, atMs = 2_000, unsent = false) =>
  absorb(before, found, atMs, cars, unsent);

function beats(after: Shadow, before: Shadow, register: RegisterName): boolean {
  const known = before.registers.get(register)?.stamp;
  const stamp = after.registers.get(register)?.stamp;
  return stamp !== undefined && (known === undefined || compareStamps(stamp, known) > 0);
}

test('what equals the shadow is not a change, however often one looks', () => {
  fc.assert(
    fc.property(hosts, hosts, (first, second) => {
      const shadow = firstShadow(first, adopted, adopted);
      expect(look(shadow, first)).toEqual({ shadow, changed: [] });
      const once = look(shadow, second);
      const twice = look(once.shadow, second);
      expect(twice.changed).toEqual([]);
      expect(twice.shadow).toBe(once.shadow);
    }),
  );
});

test('a change gets the time of its marker, and beats what was known of that register only', () => {
  fc.assert(
    fc.property(hosts, hosts, fc.integer({ min: 0, max: 3_000 }), (first, second, atMs) => {
      const before = firstShadow(first, adopted, adopted);
      const { shadow, changed } = look(before, second, atMs);
      const expected = new Map(
        [...before.registers.keys(), ...second.keys()].flatMap((register) => {
          const known = before.registers.get(register);
          const hash = hashValues(valuesOf(second, register) as Values);
          const isNothing = known === undefined && isRowHash(hash);
          if (known?.hash === hash || isNothing) return known === undefined ? [] : [[register, known] as const];
          const stamp = nextStamp(atMs, known?.stamp, cars);
          return [[register, { hash, stamp, ...(known === undefined ? {} : { prior: known.stamp }) }] as const];
        }),
      );
      expect(shadow.registers).toEqual(expected);
      expect(changed.every((register) => beats(shadow, before, register))).toBe(true);
      expect(shadow.born).toBe(before.born);
    }),
  );
});

test('a column that appears is adopted, and told of unless it is blank', () => {
  const before = firstShadow(host('Ana'), adopted, adopted);
  const { shadow, changed } = look(before, host('Ana').set('s_new', { s_new: 'x' }));
  expect(changed).toEqual(['s_new']);
  const state = shadow.registers.get('s_new');
  expect(state !== undefined && isAdoption(state.stamp)).toBe(true);
  expect(look(before, host('Ana').set('s_new', { s_new: null })).changed).toEqual([]);
});

test('a column that is gone is forgotten, which is no change', () => {
  const before = firstShadow(host('Ana').set('s_old', { s_old: 'x' }), adopted, adopted);
  const { shadow, changed } = look(before, host('Ana'));
  expect([shadow.registers.has('s_old'), changed]).toEqual([false, []]);
});

test('a description that is written is a change; one that is not there, or empty from the start, is not', () => {
  const before = firstShadow(host('Ana'), adopted, adopted);
  expect(look(before, host('Ana', 'hola')).changed).toEqual([spanish]);
  expect(look(before, host('Ana', null)).changed).toEqual([]);
});

test('a description whose row is deleted is another change than one that is emptied', () => {
  const before = firstShadow(host('Ana', 'hola'), adopted, adopted);
  for (const found of [host('Ana'), host('Ana', null)]) {
    const { shadow, changed } = look(before, found);
    expect(changed).toEqual([spanish]);
    expect(look(shadow, found).changed).toEqual([]);
    const other = found.has(spanish) ? host('Ana') : host('Ana', null);
    expect(look(shadow, other).changed).toEqual([spanish]);
  }
  expect(valuesOf(host('Ana'), spanish)).toEqual({ s_info: null, [ROW]: 'none' });
});

test('a shadow of version 0.1.0, which told no empty row from none, learns which it is: that is no edit', () => {
  for (const origin of ['cars', 'homes']) {
    const stamp: Stamp = { ...adopted, ms: 1_000, counter: 1, site: origin };
    for (const row of ['here', 'none']) {
      const found = host('Ana').set('shop', { s_vat: null, [ROW]: row });
      const known = firstShadow(host('Ana'), adopted, adopted);
      const before = { ...known, registers: new Map([...known.registers, ['shop', { hash: HASH_OF_NOTHING, stamp }]]) };
      const { shadow, changed } = look(before, found);
      expect(changed).toEqual([]);
      const unsaid = origin === cars.site ? {} : { rowUnsaid: true };
      expect(shadow.registers.get('shop')).toEqual({ hash: hashValues(found.get('shop') ?? {}), stamp, ...unsaid });
      // From then on it is.
      const other = host('Ana').set('shop', { s_vat: null, [ROW]: row === 'here' ? 'none' : 'here' });
      expect(look(shadow, other).changed).toEqual(['shop']);
    }
  }
});

test('the prior stamp is what peers last knew: while a change waits to be sent, further ones keep it', () => {
  const before = firstShadow(host('Ana'), adopted, adopted);
  const first = look(before, host('Ann'), 2_000).shadow;
  const prior = (shadow: Shadow): Stamp | undefined => shadow.registers.get('s_name')?.prior;
  expect(prior(first)).toEqual(adopted);
  expect(prior(look(first, host('Anna'), 3_000, true).shadow)).toEqual(adopted);
  expect(prior(look(first, host('Anna'), 3_000, false).shadow)).toEqual(first.registers.get('s_name')?.stamp);
});

test('the first shadow of a user holds every register under one stamp, but no description that is not there', () => {
  const shadow = firstShadow(host('Ana', null), adopted, adopted);
  expect([...shadow.registers.keys()]).toEqual(['s_name']);
  expect([...firstShadow(host('Ana', 'hola'), adopted, adopted).registers.values()].map((one) => one.stamp)).toEqual([
    adopted,
    adopted,
  ]);
});
