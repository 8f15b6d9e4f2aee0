/** Keys that people make up are told from random ones. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { weaknessOf } from '../../src/config/weak-key.ts';

it.each([
  'aaaaaaaaaaaaaaaaaaaaaaaa',
  '12121212121212121212121212',
  'abcabcabcabcabcabcabc12',
  'changemechangemechangeme',
  'correct-horse-battery-staple-again',
  'this-is-the-key-of-cars-for-homes',
  'cars-key-0123456789-abcdefghij',
  '0123456789-0123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'password1234password1234',
  'SuperSecretPassword2024!!',
  'P4ssw0rd!P4ssw0rd!P4ssw0rd!',
  'carscarscars1234567890carscars',
  '00000000-0000-0000-0000-000000000000',
])('%s is weak', (key) => {
  expect(weaknessOf(key)).toMatch(/^(?:has only \d different characters|is made of words, rows or repetitions)$/);
});

it('what is said of a weak key does not quote it', () => {
  expect(weaknessOf('hunter2hunter2hunter2hunter2')).not.toContain('hunter');
});

it.each<[string, (bytes: Buffer) => string]>([
  ['account-sync key', (bytes) => bytes.toString('base64url')],
  ['openssl rand -base64 24', (bytes) => bytes.subarray(0, 24).toString('base64')],
  ['openssl rand -hex 16', (bytes) => bytes.subarray(0, 16).toString('hex')],
  ['openssl rand -hex 32', (bytes) => bytes.toString('hex')],
  ['uuidgen', (bytes) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')],
])('2,000 keys of %s are not', (_from, render) => {
  const weak = Array.from({ length: 2000 }, (_, n) => render(createHash('sha256').update(`key ${n}`).digest())).filter(
    (key) => weaknessOf(key) !== undefined,
  );
  expect(weak).toEqual([]);
});

it('a key of any length is judged by its beginning', () => {
  expect(weaknessOf('abcdefghij'.repeat(1_000_000))).toBeDefined();
  expect(weaknessOf(createHash('sha256').update('long').digest('hex').repeat(100_000))).toBeUndefined();
});
