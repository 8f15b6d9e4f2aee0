import { expect, test } from 'vitest';
import { makeRandomBytes } from '../../src/runtime/random-bytes.ts';

test('as many bytes as were asked for, and never the same ones again', () => {
  const random = makeRandomBytes();
  const seen = new Set<string>();
  // Far more than one portion, of a size that does not divide it.
  for (let n = 0; n < 2000; n++) {
    const bytes = random(20);
    expect(bytes).toHaveLength(20);
    seen.add(bytes.toString('hex'));
  }
  expect(seen.size).toBe(2000);
});

test('what was given stays as it is when more is drawn', () => {
  const random = makeRandomBytes();
  const first = random(20);
  const copy = Buffer.from(first);
  for (let n = 0; n < 1000; n++) random(20);
  expect(first).toEqual(copy);
});

test('more than a portion at once', () => {
  const random = makeRandomBytes();
  const large = random(10_000);
  expect(large).toHaveLength(10_000);
  expect(large.subarray(9_000).some((byte) => byte !== 0)).toBe(true);
});
