import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { countJsonValues } from '../../src/runtime/json-values.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 20261130);
const count = (json: string): number => countJsonValues(Buffer.from(json));

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
