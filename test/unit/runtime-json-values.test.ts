import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countJsonValues, makeJsonValueCounter } from '../../src/runtime/json-values.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20261130);
const count = (json: string): number => countJsonValues(Buffer.from(json));

/** By the rules of JSON, one character after the other. */
const countSlowly = (json: string): number => {
  let [values, isInText, isEscaped] = [1, false, false];
  for (const character of json) {
    if (isInText && isEscaped) isEscaped = false;
    else if (isInText && character === '\\') isEscaped = true;
    else if (character === '"') isInText = !isInText;
    else if (!isInText && ',[{'.includes(character)) values += 1;
  }
  return values;
};

const valuesIn = (value: unknown): number =>
  typeof value !== 'object' || value === null
    ? 1
    : Object.values(value).reduce<number>((sum, one) => sum + valuesIn(one), 1);

test.each([
  ['{},'.repeat(1000), 2001],
  ['"a,b,[{"', 1],
  [String.raw`["\\",1,"\",[",2]`, 5],
  [String.raw`"\\\\\\`, 1],
  ['', 1],
])('%s', (json, values) => {
  expect(count(json)).toBe(values);
});

test('it is the same in pieces, wherever they are cut', () => {
  const texts = fc.array(fc.constantFrom('"', '\\', ',', '{', '[', 'a', '\\"', '","'), { maxLength: 40 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat(50)), (parts, cuts) => {
      const json = Buffer.from(parts.join(''));
      const counter = makeJsonValueCounter();
      const places = [0, ...cuts.map((cut) => Math.min(cut, json.length)).toSorted((a, b) => a - b), json.length];
      const counts = places.slice(1).map((end, n) => counter.add(json.subarray(places[n], end)));
      expect(counts.at(-1)).toBe(countJsonValues(json));
      expect(countJsonValues(json)).toBe(countSlowly(json.toString()));
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test('no JSON has more values than are counted, and honest JSON not twice as many counted', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const counted = count(JSON.stringify(value));
      const real = valuesIn(value);
      expect(counted).toBeGreaterThanOrEqual(real);
      expect(counted).toBeLessThanOrEqual(2 * real);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
