import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { HASH_OF_EMPTY_ROW, HASH_OF_NO_ROW, HASH_OF_NOTHING } from '../../src/model/register.ts';
import { decodeShadow, encodeShadow, type RegisterState, type Shadow } from '../../src/model/shadow.ts';
import { MAX_COUNTER, MAX_MS, type Stamp } from '../../src/model/stamp.ts';

const stamps: fc.Arbitrary<Stamp> = fc.record({
  ms: fc.integer({ min: 0, max: MAX_MS }),
  counter: fc.integer({ min: 0, max: MAX_COUNTER }),
  site: fc.constantFrom('cars', 'homes', 'a-site-with-a-name-of-32-letters'),
  priority: fc.constantFrom(0, 100, 65_535),
});
const names = fc.oneof(
  fc.constantFrom('s_name', 'password', 's_secret', 'address', 's_whatsapp', 'user_description:es_ES'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 5 }).map((locale) => `user_description:${locale}`),
);
const states: fc.Arbitrary<RegisterState> = fc
  .record({
    hash: fc.bigInt(0n, 2n ** 64n - 1n).map((n) => n.toString(16).padStart(16, '0')),
    stamp: stamps,
    prior: fc.option(stamps, { nil: undefined }),
    altered: fc.constantFrom(true as const, undefined),
  })
  .map(({ hash, stamp, prior, altered }) => ({
    hash,
    stamp,
    ...(prior === undefined ? {} : { prior }),
    ...(altered === undefined ? {} : { altered }),
  }));
const shadows: fc.Arbitrary<Shadow> = fc.record({
  born: stamps,
  registers: fc.array(fc.tuple(names, states), { maxLength: 30 }).map((entries) => new Map(entries)),
});

test('a shadow comes out of its column as it went in', () => {
  fc.assert(
    fc.property(shadows, (shadow) => {
      expect(decodeShadow(encodeShadow(shadow))).toEqual(shadow);
    }),
  );
});

test('a shadow nobody has touched takes nine bytes for most registers, and one stamp', () => {
  const stamp: Stamp = { ms: 1, counter: 0, site: 'cars', priority: 100 };
  const state = { hash: '0123456789abcdef', stamp };
  const sized = (count: number): number => {
    const known = ['s_name', 's_username', 'password', 's_email', 's_website', 'status', 'address', 'b_company'];
    return encodeShadow({ born: stamp, registers: new Map(known.slice(0, count).map((name) => [name, state])) }).length;
  };
  expect(sized(8) - sized(0)).toBe(8 * 9);
  expect(sized(0)).toBe(2 + 3 + 4 + 2 * 9 + 2);
});

test('whether there is a row is kept beside the hash that version 0.1.0 gave to nothing', () => {
  const stamp: Stamp = { ms: 1, counter: 1, site: 'cars', priority: 100 };
  const registers = new Map<string, RegisterState>([
    ['shop', { hash: HASH_OF_NO_ROW, stamp }],
    ['badge', { hash: HASH_OF_EMPTY_ROW, stamp, rowUnsaid: true }],
    ['s_website', { hash: HASH_OF_NOTHING, stamp }],
  ]);
  const bytes = encodeShadow({ born: stamp, registers });
  expect(decodeShadow(bytes).registers).toEqual(registers);
  const nothing = Buffer.from(HASH_OF_NOTHING, 'hex').toString('latin1');
  expect(bytes.toString('latin1').split(nothing)).toHaveLength(4);
});

test('bytes of another version are no shadow', () => {
  expect(() => decodeShadow(Buffer.from([9, 0]))).toThrow(RangeError);
});

test('bytes that are cut off, or followed by others, are no shadow', () => {
  fc.assert(
    fc.property(shadows, fc.nat(), (shadow, cut) => {
      const bytes = encodeShadow(shadow);
      expect(() => decodeShadow(bytes.subarray(0, cut % bytes.length))).toThrow(RangeError);
      expect(() => decodeShadow(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(RangeError);
    }),
  );
});

test('whatever bytes are read, they are a shadow or a RangeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const bytes = Buffer.from([1, ...noise]);
      let thrown: unknown;
      try {
        decodeShadow(bytes);
      } catch (error) {
        thrown = error;
      }
      expect(thrown === undefined || thrown instanceof RangeError).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
